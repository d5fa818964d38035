// The mirror command: parses, runs one verb. Ctrl-C and SIGTERM cancel it once (a second one ends the process), expected failures print one
// line, anything else is a defect and shows its stack.

using System.CommandLine;
using System.Runtime.InteropServices;
using Mirror.Cli.Commands;

namespace Mirror.Cli;

internal static class ExitCode
{
    public const int Success = 0;
    public const int Failure = 1;

    // Done, but some photographs were skipped.
    public const int Partial = 2;

    // 128 + SIGINT, as shells expect.
    public const int Cancelled = 130;
}

internal static class CommandRunner
{
    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Finds, in a collection of photographs, the pairs that show the same surface with a large overlap.")
        {
            MatchCommand.Create(),
            ExtractCommand.Create(),
            QueryCommand.Create(),
            ModelCommand.Create(),
            EvalCommand.Create(),
            SynthCommand.Create(),
            BenchCommand.Create(),
            InfoCommand.Create(),
        };
        using var cancellation = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        try
        {
            return await root.Parse(args).InvokeAsync(configuration, cancellation.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("mirror: cancelled; what was finished is kept").ConfigureAwait(false);
            return ExitCode.Cancelled;
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            await Console.Error.WriteLineAsync($"mirror: {OneLine(failure.Message)}").ConfigureAwait(false);
            return ExitCode.Failure;
        }

        void Cancel(PosixSignalContext context)
        {
            context.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        }
    }

    // Failures that name a file, a value or a device. Everything else is a defect: its stack is wanted.
    private static bool IsExpected(Exception failure) =>
        failure is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException or InvalidOperationException
            or InsufficientMemoryException or MirrorException or DllNotFoundException;

    // .NET appends "(Parameter 'x')" on the same line and some messages span several.
    private static string OneLine(string message) => message.ReplaceLineEndings(" ");
}
