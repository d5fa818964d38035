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
    public void Extract_ReplacedPhotograph_IsExtractedAgain()
    {
        using var folder = Paths.NewTempFolder();
        var photos = Directory.CreateDirectory(folder.File("photos")).FullName;
        var sources = Directory.GetFiles(Photos, "*.jpg").Order(StringComparer.Ordinal).ToArray();
        File.Copy(sources[0], Path.Combine(photos, "a.jpg"));
        File.Copy(sources[1], Path.Combine(photos, "b.jpg"));
        var output = folder.File("out");
        Assert.That(MirrorProcess.Run("extract", "--images", photos, "--out", output, "--size", "224").ExitCode, Is.Zero);
        var first = File.ReadAllBytes(Path.Combine(output, "a.npy"));

        File.Copy(sources[9], Path.Combine(photos, "a.jpg"), overwrite: true);
        var second = MirrorProcess.Run("extract", "--images", photos, "--out", output, "--size", "224");

        Assert.That(second.Error, Does.Contain("1 of 2 descriptors are already in"));
        Assert.That(File.ReadAllBytes(Path.Combine(output, "a.npy")), Is.Not.EqualTo(first));
    }

    [Test]
    public void Extract_SomebodyElsesArray_IsNotTakenForADescriptor()
    {
        using var folder = Paths.NewTempFolder();
        Mirror.Formats.NpyFile.Write(folder.File("scene0_view00.npy"), new float[512], 512, 1);
        Mirror.Formats.NpyFile.Write(folder.File("other.npy"), new float[4], 4);
        Assert.That(Extract(folder.Root).ExitCode, Is.Zero);
        Assert.That(Mirror.Formats.NpyFile.ReadFloat32(folder.File("scene0_view00.npy"), out _).Max(), Is.GreaterThan(0));

        Assert.That(Extract(folder.Root, "--pool", "avg", "--overwrite").ExitCode, Is.Zero);
        Assert.That(folder.File("other.npy"), Does.Exist, "--overwrite replaces only what an extraction wrote");
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
