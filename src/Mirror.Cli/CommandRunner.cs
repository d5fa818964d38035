// The mirror command: parses, runs one verb. Ctrl-C and SIGTERM cancel it once (a second one ends the process), expected failures print one
// line, anything else is a defect and shows its stack.

using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
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

internal static partial class CommandRunner
{
    public static async Task<int> RunAsync(string[] args)
    {
        var root = new Command("mirror", "Finds, in a collection of photographs, the pairs that show the same surface with a large overlap.")
        {
            MatchCommand.Create(),
            ExtractCommand.Create(),
            QueryCommand.Create(),
            ExportCommand.Create(),
            NamesCommand.Create(),
            ModelCommand.Create(),
            ExplainCommand.Create(),
            WhiteningCommand.Create(),
            EvalCommand.Create(),
            SynthCommand.Create(),
            BenchCommand.Create(),
            InfoCommand.Create(),
        };
        using var cancellation = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        // Not a RootCommand: that is called after the assembly, Mirror.Cli.
        root.Options.Add(new HelpOption { Recursive = true });
        root.Options.Add(new VersionOption());
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 && args.Length > 0)
        {
            await Console.Error.WriteLineAsync($"mirror: {OneLine(parsed.Errors[0].Message)} (mirror {string.Join(' ', args.TakeWhile(word => !word.StartsWith('-')).Take(2))} --help)").ConfigureAwait(false);
            return ExitCode.Failure;
        }

        try
        {
            return await parsed.InvokeAsync(configuration, cancellation.Token).ConfigureAwait(false);
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

        catch (Exception defect)
        {
            await Console.Error.WriteLineAsync($"mirror: this is a defect of Mirror, please report it: {defect}").ConfigureAwait(false);
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
        failure is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException
            or InsufficientMemoryException or MirrorException or DllNotFoundException;

    // .NET appends "(Parameter 'x')" and "Actual value was v.", sometimes on lines of their own: names of ours mean nothing to a user.
    private static string OneLine(string message) =>
        ParameterName().Replace(message, "").ReplaceLineEndings(" ").TrimEnd();

    [GeneratedRegex(@"\s*\(Parameter '[^']*'\)(\s*Actual value was .*)?")]
    private static partial Regex ParameterName();
}
