using NUnit.Framework;
using SkiaSharp;
using Mirror.Evaluation;
using Mirror.Explain;
using Mirror.Formats;
using Mirror.Photographs;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Evaluation;

public sealed class OxfordQueriesTests
{
    private static readonly string Samples = Paths.InRoot("samples/photos");

    private TempFolder folder = null!;
    private string truth = "";

    [SetUp]
    public void MakeQueries()
    {
        folder = Paths.NewTempFolder();
        truth = Directory.CreateDirectory(folder.File("gt")).FullName;
        Query("towers_10", "oxc1_scene0_view03 10.5 20.2 110.1 90");
        Query("towers_1", "scene0_view03 0 0 50 40");
        Query("hall_2", "oxc1_scene2_view05 -5 100 9999 120\n");
    }

    [TearDown]
    public void Clean() => folder.Dispose();

    [Test]
    public void Read_PublishedFiles_SortsByBytesAndDropsThePrefix()
    {
        var queries = OxfordQueries.Read(truth);
        Assert.That(queries.Select(query => (query.Name, query.Image)), Is.EqualTo([("hall_2", "scene2_view05"), ("towers_1", "scene0_view03"), ("towers_10", "scene0_view03")]));
        Assert.That(queries[2].Box, Is.EqualTo(new PixelRectangle(10.5, 20.2, 110.1, 90)));
    }

    [Test]
    public void Prepare_Cropped_HoldsExactlyThePixelsTheBoxTouches()
    {
        var photos = Prepare(OxfordQueryPicture.Cropped);
        Assert.That(photos.Select(photo => photo.Name), Is.EqualTo(["hall_2.png", "towers_1.png", "towers_10.png"]));
        using var whole = SKBitmap.Decode(Path.Combine(Samples, "scene0_view03.jpg"));
        using var crop = SKBitmap.Decode(photos[2].Path);
        Assert.That((crop.Width, crop.Height), Is.EqualTo((111 - 10, 90 - 20)), "left and top down, right and bottom up");
        for (var y = 0; y < crop.Height; y++)
        {
            for (var x = 0; x < crop.Width; x++)
            {
                Assert.That(crop.GetPixel(x, y), Is.EqualTo(whole.GetPixel(x + 10, y + 20)));
            }
        }

        using var cut = SKBitmap.Decode(photos[0].Path);
        using var other = SKBitmap.Decode(Path.Combine(Samples, "scene2_view05.jpg"));
        Assert.That((cut.Width, cut.Height), Is.EqualTo((other.Width, 20)), "a box beyond the photograph is cut to it");
    }

    [Test]
    public void Prepare_Original_IsJpegOfQuality75With420()
    {
        var photo = Prepare(OxfordQueryPicture.Original)[1];
        Assert.That(photo.Name, Is.EqualTo("towers_1.jpg"));
        var file = File.ReadAllBytes(photo.Path);
        // Quality 75 halves the standard's luminance table (16 11 12 14 12 10 16 14 in zigzag order), rounded up.
        Assert.That(file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xDB, 0, 67, 0, 8, 6, 6, 7, 6, 5, 8, 7]), Is.Positive, "luminance table");
        var frame = file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        Assert.That(file[frame + 9], Is.EqualTo(3), "components");
        Assert.That(new[] { file[frame + 11], file[frame + 14], file[frame + 17] }, Is.EqualTo(new byte[] { 0x22, 0x11, 0x11 }), "sampling factors");
        using var encoded = SKBitmap.Decode(photo.Path);
        using var whole = SKBitmap.Decode(Path.Combine(Samples, "scene0_view03.jpg"));
        Assert.That((encoded.Width, encoded.Height), Is.EqualTo((whole.Width, whole.Height)));
    }

    [Test]
    public void Prepare_Whole_IsTheFileItselfUnderTheQuerysName()
    {
        var photo = Prepare(OxfordQueryPicture.Whole)[0];
        Assert.That((photo.Name, photo.Path), Is.EqualTo(("hall_2.jpg", Path.Combine(Samples, "scene2_view05.jpg"))));
        Assert.That(folder.File("queries"), Does.Not.Exist);
    }

    [Test]
    public void Prepare_Again_LeavesEqualPicturesAlone()
    {
        var before = Prepare(OxfordQueryPicture.Cropped).Select(photo => File.GetLastWriteTimeUtc(photo.Path)).ToArray();
        Query("towers_1", "scene0_view03 0 0 51 40");
        var after = Prepare(OxfordQueryPicture.Cropped).Select(photo => File.GetLastWriteTimeUtc(photo.Path)).ToArray();
        Assert.That(after[0], Is.EqualTo(before[0]));
        Assert.That(after[1], Is.GreaterThan(before[1]));
    }

    [TestCase("absent_view 0 0 5 5", "absent_view")]
    [TestCase("scene0_view03 5000 0 5001 5", "no pixel")]
    [TestCase("scene0_view03 9 9 5 5", "no pixel")]
    public void Prepare_QueryThatFitsNothing_NamesIt(string line, string expected)
    {
        Query("towers_1", line);
        Assert.That(() => Prepare(OxfordQueryPicture.Cropped), Throws.TypeOf<InvalidDataException>().With.Message.Contains(expected).And.Message.Contains("towers_1"));
    }

    [Test]
    public void Prepare_TwoPhotographsOfOneName_NamesBoth()
    {
        var twice = Directory.CreateDirectory(folder.File("twice")).FullName;
        foreach (var place in (string[])["a/scene0_view03.jpg", "b/scene0_view03.jpeg", "scene2_view05.jpg"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(twice, place))!);
            File.Copy(Path.Combine(Samples, "scene0_view03.jpg"), Path.Combine(twice, place));
        }

        Assert.That(
            () => OxfordQueries.Prepare(OxfordQueries.Read(truth), PhotoCollection.FromDirectory(twice).Photos, OxfordQueryPicture.Whole, folder.File("queries")),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("a/scene0_view03.jpg and b/scene0_view03.jpeg").And.Message.Contains("towers_1"));
    }

    [TestCase("scene0_view03 0 0 5")]
    [TestCase("scene0_view03 0 0 5 x")]
    [TestCase("scene0_view03 0 0 5 NaN")]
    [TestCase("")]
    public void Read_MalformedQuery_NamesTheFile(string line)
    {
        Query("towers_1", line);
        Assert.That(() => OxfordQueries.Read(truth), Throws.TypeOf<InvalidDataException>().With.Message.Contains("towers_1_query.txt"));
    }

    [Test]
    public void Extract_OxfordQueries_NamesDescriptorsByQueryAndGoesOn()
    {
        string[] command = ["extract", "--images", Samples, "--out", folder.File("out"), "--size", "224", "--oxford-queries", "cropped", "--ground-truth", truth, "--json"];
        var result = MirrorProcess.Run(command);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(File.ReadAllLines(Path.Combine(folder.File("out"), "features.txt")), Is.EqualTo(["hall_2.npy", "towers_1.npy", "towers_10.npy"]));
        Assert.That(NpyFile.ReadShape(Path.Combine(folder.File("out"), "towers_1.npy")), Is.EqualTo(new long[] { 512, 1 }));
        Assert.That(Path.Combine(folder.File("out"), "queries", "towers_1.png"), Does.Exist);
        Assert.That(MirrorProcess.Run(command).Output, Does.Contain("\"resumed\":3"));
        Assert.That(File.ReadAllText(Path.Combine(folder.File("out"), "extraction.json")), Does.Contain("\"oxford_queries\": \"Cropped\""));
        command[8] = "whole";
        Assert.That(MirrorProcess.Run(command).Error, Does.Contain("made with other settings"), "another kind of query is never mixed in");
    }

    [Test]
    public void Extract_OxfordQueriesWithoutGroundTruth_AsksForIt()
    {
        var result = MirrorProcess.Run("extract", "--images", Samples, "--out", folder.File("out"), "--oxford-queries", "whole");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("--ground-truth"));
    }

    private IReadOnlyList<Photo> Prepare(OxfordQueryPicture picture) =>
        OxfordQueries.Prepare(OxfordQueries.Read(truth), PhotoCollection.FromDirectory(Samples).Photos, picture, folder.File("queries"));

    private void Query(string name, string text) => File.WriteAllText(Path.Combine(truth, name + "_query.txt"), text);
}
