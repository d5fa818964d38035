using NUnit.Framework;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Cli;

/// <summary>Nothing that was computed is lost or computed twice.</summary>
public sealed class ResumeTests
{
    private static readonly string Photos = Paths.InRoot("samples/photos");

    [Test]
    public void Extract_SecondRun_OnlyFillsTheGap()
    {
        using var folder = Paths.NewTempFolder();
        Assert.That(Extract(folder.Root).ExitCode, Is.Zero);
        var features = Directory.GetFiles(folder.Root, "*.npy").Order(StringComparer.Ordinal).ToArray();
        Assert.That(features, Has.Length.EqualTo(24));
        var removed = File.ReadAllBytes(features[7]);
        File.Delete(features[7]);
        File.WriteAllText(features[9], "a stump");
        var untouched = File.GetLastWriteTimeUtc(features[0]);

        var second = Extract(folder.Root);

        Assert.That(second.ExitCode, Is.Zero, second.Error);
        Assert.That(second.Error, Does.Contain("22 of 24 descriptors are already in"));
        Assert.That(File.ReadAllBytes(features[7]), Is.EqualTo(removed));
        Assert.That(File.GetLastWriteTimeUtc(features[0]), Is.EqualTo(untouched));
    }

    [Test]
    public void Extract_OtherSettings_AreRefusedUnlessOverwritten()
    {
        using var folder = Paths.NewTempFolder();
        Assert.That(Extract(folder.Root).ExitCode, Is.Zero);

        var other = Extract(folder.Root, "--pool", "avg");
        Assert.That(other.ExitCode, Is.EqualTo(1));
        Assert.That(other.Error, Does.Contain("--overwrite"));

        Assert.That(Extract(folder.Root, "--pool", "avg", "--overwrite").ExitCode, Is.Zero);
    }

    [Test]
    public void Extract_Interrupted_EndsCleanlyAndGoesOnLater()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("skipped: the test sends SIGINT");
        }

        using var folder = Paths.NewTempFolder();
        using var running = MirrorProcess.Start("extract", "--images", Photos, "--out", folder.Root, "--size", "1792", "--threads", "1");
        while (Directory.GetFiles(folder.Root, "*.npy").Length == 0)
        {
            Thread.Sleep(10);
        }

        running.Interrupt();
        var result = running.Wait();

        Assert.That(result.ExitCode, Is.EqualTo(130), result.Error);
        Assert.That(result.Error, Does.Contain("cancelled"));
        var kept = Directory.GetFiles(folder.Root, "*.npy").Length;
        Assert.That(kept, Is.InRange(1, 23));
        Assert.That(Directory.GetFiles(folder.Root, "*.tmp", SearchOption.AllDirectories), Is.Empty);

        var rest = MirrorProcess.Run("extract", "--images", Photos, "--out", folder.Root, "--size", "1792");
        Assert.That(rest.ExitCode, Is.Zero, rest.Error);
        Assert.That(rest.Error, Does.Contain($"{kept} of 24 descriptors are already in"));
    }

    private static ProcessResult Extract(string folder, params string[] more) =>
        MirrorProcess.Run(["extract", "--images", Photos, "--out", folder, "--size", "224", .. more]);
}
