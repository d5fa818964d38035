using Mirror.Pairs.Export;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pairs.Export;

/// <summary><c>mirror export</c> and <c>mirror names</c> as a user runs them.</summary>
public sealed class ExportCommandTests
{
    private TempFolder folder = null!;

    [SetUp]
    public void MakeResult()
    {
        folder = Paths.NewTempFolder();
        SmallSurvey.Write(folder.Root);
    }

    [TearDown]
    public void Clean() => folder.Dispose();

    [Test]
    public void Export_Out_NamesTheFile()
    {
        var result = MirrorProcess.Run("export", "tsv", folder.Root, "--out", folder.File("deep/list.tsv"));
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output.TrimEnd(), Is.EqualTo($"5 pairs of 5 images in {folder.File("deep/list.tsv")}"));
        Assert.That(File.ReadAllLines(folder.File("deep/list.tsv")), Has.Length.EqualTo(6));
    }

    [TestCase("--ids x is for openmvg and alicevision", "colmap", "--ids", "x")]
    [TestCase("--database is for colmap, not for hloc", "hloc", "--database", "x")]
    [TestCase("--line-limit is for alicevision", "openmvg", "--line-limit", "3")]
    [TestCase("--images is for --features", "hloc", "--images", "x")]
    [TestCase("view ids", "alicevision")]
    public void Export_OptionThatDoesNotFit_IsRefused(string message, string format, params string[] options)
    {
        var result = MirrorProcess.Run(["export", format, folder.Root, .. options]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain(message.Replace(" x ", " ", StringComparison.Ordinal).Replace("view ids", "alicevision knows images by its own ids: give cameraInit.sfm with --ids", StringComparison.Ordinal)));
        Assert.That(Directory.GetFiles(folder.Root), Has.Length.EqualTo(2));
    }

    [Test]
    public void Export_Positions_AreCheckedLineByLine()
    {
        File.WriteAllText(folder.File("positions.tsv"), "# name\tlatitude\tlongitude\naltogether strange.jpg\t1\t2\nover.jpg\t47.5\t8.25\t400\n");
        var result = MirrorProcess.Run("export", "opensfm", folder.Root, "--positions", folder.File("positions.tsv"));
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.Contain("positions of 1 of 6 images; 1 lines name no image"));
        Assert.That(folder.File("exif_overrides.json"), Does.Exist);
        foreach (var line in (string[])["over.jpg\t91\t0", "over.jpg\t0\t-180.5", "over.jpg\tNaN\t0", "over.jpg 1 2", "over.jpg\t1\t2\t3\t4"])
        {
            File.WriteAllText(folder.File("positions.tsv"), line + "\n");
            Assert.That(() => Positions.Read(folder.File("positions.tsv"), SmallSurvey.Names), Throws.InstanceOf<InvalidDataException>().With.Message.Contains("line 1"));
        }

        File.WriteAllText(folder.File("positions.tsv"), "over.jpg\t1\t2\nover.jpg\t1\t2\n");
        Assert.That(() => Positions.Read(folder.File("positions.tsv"), SmallSurvey.Names), Throws.InstanceOf<InvalidDataException>().With.Message.Contains("line 2: over.jpg has a position already"));
    }

    [Test]
    public void Export_FolderWithoutCandidates_SaysWhatToRun()
    {
        File.Delete(folder.File("candidates.tsv"));
        var result = MirrorProcess.Run("export", "colmap", folder.Root);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("candidates.tsv is missing: it is written by mirror match"));
    }

    [Test]
    public void Names_AwkwardNames_AreToldAndStaged()
    {
        var images = folder.File("images");
        Directory.CreateDirectory(images);
        File.WriteAllText(Path.Combine(images, "a b.jpg"), "1");
        File.WriteAllText(Path.Combine(images, "c.jpg"), "2");
        var result = MirrorProcess.Run("names", images, "--stage-links", folder.File("safe"));
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain("1 name with a space ('a b.jpg'): colmap, hloc, micmac cannot carry them").And.Contain("2 links and 0 copies").And.Contain("1 with another name"));
        Assert.That(File.ReadAllText(Path.Combine(folder.File("safe"), "a_b.jpg")), Is.EqualTo("1"));
        Assert.That(MirrorProcess.Run("names", folder.File("safe")).Output.TrimEnd(), Is.EqualTo("every format can carry the names of all 2 photographs"));
        var inside = MirrorProcess.Run("names", images, "--stage-links", Path.Combine(images, "safe"));
        Assert.That((inside.ExitCode, inside.Error.Contains("choose a folder outside", StringComparison.Ordinal)), Is.EqualTo((1, true)));
    }

    [Test]
    public void Extract_AwkwardNames_AreToldBeforeTheWork()
    {
        var images = folder.File("images");
        Directory.CreateDirectory(images);
        File.WriteAllText(Path.Combine(images, "a b.jpg"), "no photograph");
        var result = MirrorProcess.Run("extract", "--images", images, "--out", folder.File("out"), "--size", "224", "--strict");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("1 name with a space ('a b.jpg'): colmap, hloc, micmac cannot carry them"));
    }
}
