// Python, for what is read or run by Python programs; tests that need it are skipped where it, or a module, is absent.

using System.ComponentModel;
using System.Diagnostics;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pairs.Export;

internal static class PythonProcess
{
    // The system's own first: packages of the system belong to it.
    private static readonly string[] Programs = ["/usr/bin/python3", "python3"];

    /// <summary>The first Python that has a module; skips the running test where none has.</summary>
    public static string WithModuleOrSkip(string module)
    {
        var found = Array.Find(Programs, program => Try(program, ["-c", $"import {module}"], null) is { ExitCode: 0 });
        if (found is null)
        {
            Assert.Ignore($"skipped: no python3 with the module {module}");
        }

        return found!;
    }

    /// <summary>Runs a program; MODULES is where it looks for modules first.</summary>
    public static ProcessResult Run(string program, string[] arguments, string? modules = null) =>
        Try(program, arguments, modules) ?? throw new InvalidOperationException($"{program} did not start");

    private static ProcessResult? Try(string program, string[] arguments, string? modules)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PYTHONPATH"] = modules;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return new ProcessResult(process.ExitCode, output, error.Result);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
