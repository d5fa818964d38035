// Runs the mirror command as a user would: a process of its own, arguments as given, both outputs kept.

using NUnit.Framework;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Mirror.Tests.TestSupport;

/// <summary>What a finished command left.</summary>
internal sealed record ProcessResult(int ExitCode, string Output, string Error);

/// <summary>The mirror command, or the benchmarks, built beside the tests.</summary>
internal sealed partial class MirrorProcess : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    private readonly Process process;
    private readonly Task<string> output;
    private readonly Task<string> error;

    private MirrorProcess(string program, string[] arguments)
    {
        // A caller that ignores SIGINT (nohup, a script's background) hands that on to its children: on Linux env puts the default back.
        string[] command = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT", "dotnet"] : ["dotnet"];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Paths.Root };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, program));
        Array.ForEach(arguments, start.ArgumentList.Add);
        process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start");
        output = process.StandardOutput.ReadToEndAsync();
        error = process.StandardError.ReadToEndAsync();
    }

    public static MirrorProcess Start(params string[] arguments) => new("Mirror.Cli.dll", arguments);

    public static ProcessResult Run(params string[] arguments)
    {
        using var running = Start(arguments);
        return running.Wait();
    }

    /// <summary>The benchmarks instead of the command.</summary>
    public static ProcessResult RunBenchmarks(params string[] arguments)
    {
        using var running = new MirrorProcess("Mirror.Benchmarks.dll", arguments);
        return running.Wait();
    }

    /// <summary>Ctrl-C.</summary>
    public void Interrupt()
    {
        const int sigint = 2;
        Assert.That(Kill(process.Id, sigint), Is.Zero, "kill failed");
    }

    public ProcessResult Wait()
    {
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"mirror did not end within {Limit}");
        }

        return new ProcessResult(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    public void Dispose() => process.Dispose();

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);
}
