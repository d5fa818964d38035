// scripts/map-table.sh: descriptors are kept for the command, the model and the list that made them, and only whole. The script runs as it
// is; in place of mirror stands a program that answers as mirror does, notes what is extracted, and fails at the first row with --regions.

using System.Diagnostics;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Meta;

/// <summary>What the table of settings keeps between runs.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
public sealed class MapTableTests
{
    private const string Command = """
        #!/usr/bin/env bash
        cd "$(dirname "$0")"
        case $1 in
            --version) cat version ;;
            extract)
                while [ "$1" != --out ]; do shift; done
                mkdir "$2" && touch "$2/0.npy" && shift 2
                echo "$* " | sed 's|--model [^ ]*|random|' >>extracted
                [[ $* != *--regions* ]] || { echo "cannot go on" >&2; exit 1; }
                echo '{"images":1,"extract_seconds":1,"regions":1}' ;;
            query) echo '{"seconds":1}' ;;
            eval) echo '{"mean_average_precision":0.5}' ;;
        esac

        """;

    private static readonly string[] All = ["--json", "random --size 448 --json", "--size 224 --regions 1 --json"];

    private TempFolder folder = null!;

    [SetUp]
    public void MakeCommand()
    {
        folder = Paths.NewTempFolder();
        File.WriteAllText(folder.File("image_list.txt"), "a.jpg\n");
        Directory.CreateDirectory(folder.File("models"));
        File.WriteAllText(Path.Combine(folder.File("models"), "default.safetensors"), "weights");
        File.WriteAllText(folder.File("mirror"), Command);
        File.SetUnixFileMode(folder.File("mirror"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        SetVersion("1+abc");
    }

    [TearDown]
    public void Clean() => folder.Dispose();

    [Test]
    public void Run_Again_ExtractsOnlyWhatFailed()
    {
        Assert.That(Extracted(), Is.EqualTo(All));
        Assert.That(Directory.GetDirectories(Work(), "*regions*"), Is.Empty, "half-written folders");
        Assert.That(Extracted(), Is.EqualTo(All[2..]));
    }

    [Test]
    public void Run_UnfinishedFolder_IsMadeAnew()
    {
        Extracted();
        foreach (var finished in Directory.GetFiles(Work(), "*.json").Where(path => Path.GetFileName(path) != "query.json"))
        {
            File.Delete(finished);
        }

        Assert.That(Extracted(), Is.EqualTo(All));
    }

    [Test]
    public void Run_OtherModelOrVersion_ExtractsAnew()
    {
        Extracted();
        File.WriteAllText(Path.Combine(folder.File("models"), "default.safetensors"), "others");
        Assert.That(Extracted(), Is.EqualTo(new[] { All[0], All[2] }));
        SetVersion("1+def");
        Assert.That(Extracted(), Is.EqualTo(All));
    }

    private void SetVersion(string version)
    {
        File.WriteAllText(folder.File("version"), version + "\n");
        Directory.CreateDirectory(Work());
        File.WriteAllText(Path.Combine(Work(), "random.safetensors"), "random");
    }

    private string Work() => Path.Combine(
        folder.File("work"),
        $"{File.ReadAllText(folder.File("version")).Trim()}-{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(folder.File("image_list.txt"))))[..8]}");

    // What one run extracts until it fails.
    private string[] Extracted()
    {
        File.Delete(folder.File("extracted"));
        var start = new ProcessStartInfo("bash", [Paths.InRoot("scripts/map-table.sh"), folder.Root, folder.File("work"), folder.File("mirror")]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(error.Result, Does.EndWith("cannot go on\n"));
        Assert.That(process.ExitCode, Is.EqualTo(1));
        Assert.That(output, Does.Contain("| default | `` | `--dim 256` | 1 | - | **0.5000** |"));
        return [.. File.ReadLines(folder.File("extracted")).Select(line => line.Trim())];
    }
}
