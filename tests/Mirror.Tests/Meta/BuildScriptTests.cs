// build.sh setup where a package has another name: the script as it is, with the package database of such a system before it in PATH.

using System.Diagnostics;
using System.Runtime.Versioning;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Meta;

/// <summary>What build.sh finds missing.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
public sealed class BuildScriptTests
{
    [TestCase("libturbojpeg0")]
    [TestCase("libturbojpeg")]
    public void Setup_TurboJpegUnderEitherName_NothingIsMissing(string installed)
    {
        var (status, output, error) = Setup(absent: installed == "libturbojpeg" ? "libturbojpeg0" : "libturbojpeg", known: installed);
        Assert.That((status, output), Is.EqualTo((0, "✓ nothing is missing\n")), error);
    }

    [TestCase("libturbojpeg0")]
    [TestCase("libturbojpeg")]
    public void Setup_TurboJpegMissing_NamesThePackageThatAptKnows(string known)
    {
        var (status, _, error) = Setup(absent: "libturbojpeg0|libturbojpeg", known);
        Assert.That(status, Is.EqualTo(1));
        Assert.That(error, Does.EndWith($"sudo apt-get install -y --no-install-recommends {known}\n"));
    }

    // absent: packages that are not installed, a pattern of case; known: the one name of libturbojpeg that apt can install.
    private static (int Status, string Output, string Error) Setup(string absent, string known)
    {
        using var folder = Paths.NewTempFolder();
        Program("dpkg-query", $"case \"${{!#}}\" in {absent}) exit 1 ;; *) printf installed ;; esac");
        Program("apt-cache", $"[ \"$2\" != {known} ] || echo \"$2 | 1 | http://example.org\"");
        Program("clang++-19", "");
        Program("id", "echo 1000");
        Program("sudo", "exit 1");
        var start = new ProcessStartInfo("bash", [Paths.InRoot("build.sh"), "setup"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = $"{folder.Root}:{Environment.GetEnvironmentVariable("PATH")}";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);

        void Program(string name, string body)
        {
            File.WriteAllText(folder.File(name), $"#!/usr/bin/env bash\n{body}\n");
            File.SetUnixFileMode(folder.File(name), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }
}
