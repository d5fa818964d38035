using NUnit.Framework;
using SkiaSharp;
using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Mirror.Explain;
using Mirror.Tests.Photographs;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Explain;

/// <summary><c>mirror explain</c> as a user runs it, and its drawings.</summary>
public sealed class ExplainCommandTests
{
    private static readonly string Photos = Paths.InRoot("samples/photos");
    private static readonly string A = Path.Combine(Photos, "scene1_view00.jpg");
    private static readonly string B = Path.Combine(Photos, "scene1_view01.jpg");

    private TempFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = Paths.NewTempFolder();

    [TearDown]
    public void Clean() => folder.Dispose();

    [Test]
    public void Explain_TwoPhotographs_ScoresThemAsMatchDoes()
    {
        File.WriteAllLines(folder.File("list"), [A, B]);
        var match = MirrorProcess.Run("match", "--images", folder.File("list"), "--out", folder.File("out"), "--size", "448", "--regions", "1,3,5", "--no-whitening");
        Assert.That(match.ExitCode, Is.Zero, match.Error);
        var scores = File.ReadAllLines(Path.Combine(folder.File("out"), "match_pairs")).Select(line => line.Split(' ')).ToDictionary(words => (words[0], words[1]), words => double.Parse(words[2], CultureInfo.InvariantCulture));

        var result = MirrorProcess.Run("explain", A, B, "--size", "448", "--mask", "--threshold", "0.5", "--json");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        using var summary = JsonDocument.Parse(result.Output);
        Assert.That(summary.RootElement.GetProperty("score_of_a").GetDouble(), Is.EqualTo(scores[("0", "1")]).Within(1e-5));
        Assert.That(summary.RootElement.GetProperty("score_of_b").GetDouble(), Is.EqualTo(scores[("1", "0")]).Within(1e-5));
        Assert.That(summary.RootElement.GetProperty("regions").GetInt32(), Is.EqualTo(35));
        Assert.That(summary.RootElement.GetProperty("shown_of_a").GetDouble(), Is.GreaterThan(0.9));
        Assert.That(summary.RootElement.GetProperty("pairs").GetArrayLength(), Is.InRange(1, 5));
    }

    // Large files, so that the fast decoder reduces them; one upright and one lying, so that whole fits differ in shape.
    [TestCase(new[] { "--fit", "whole", "--pool", "gem", "--gem-p", "4", "--regions", "1,2" }, new[] { 0, 0, 2400, 1600 })]
    [TestCase(new[] { "--fit", "crop", "--regions", "1,2" }, new[] { 400, 0, 1600, 1600 })]
    [TestCase(new[] { "--fit", "whole", "--regions", "1,2", "--multi-scale" }, new[] { 0, 0, 2400, 1600 })]
    public void Explain_LargePhotographs_SeesWhatMatchSeesAndSaysWhereInTheFile(string[] options, int[] whole)
    {
        Enlarge(A, folder.File("a.jpg"), 2400, 1600, 1);
        Enlarge(B, folder.File("b.jpg"), 2400, 1600, 6);
        File.WriteAllLines(folder.File("list"), [folder.File("a.jpg"), folder.File("b.jpg")]);
        var match = MirrorProcess.Run(["match", "--images", folder.File("list"), "--out", folder.File("out"), "--size", "256", "--no-whitening", .. options]);
        Assert.That(match.ExitCode, Is.Zero, match.Error);
        var scores = File.ReadAllLines(Path.Combine(folder.File("out"), "match_pairs")).Select(line => line.Split(' ')).ToDictionary(words => (words[0], words[1]), words => double.Parse(words[2], CultureInfo.InvariantCulture));

        var result = MirrorProcess.Run(["explain", folder.File("a.jpg"), folder.File("b.jpg"), "--size", "256", "--top", "99", "--json", "-o", folder.File("x.png"), .. options]);

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        using var summary = JsonDocument.Parse(result.Output);
        Assert.That(summary.RootElement.GetProperty("score_of_a").GetDouble(), Is.EqualTo(scores[("0", "1")]).Within(1e-5));
        Assert.That(summary.RootElement.GetProperty("score_of_b").GetDouble(), Is.EqualTo(scores[("1", "0")]).Within(1e-5));
        foreach (var pair in summary.RootElement.GetProperty("pairs").EnumerateArray())
        {
            AssertInside(pair.GetProperty("a"), whole, upright: false);
            AssertInside(pair.GetProperty("b"), whole, upright: true);
        }

        using var drawn = SKBitmap.Decode(folder.File("x.png"));
        Assert.That((drawn.Width, drawn.Height), Is.EqualTo((960 + 16 + 427, 640)).Within(1));
    }

    [TestCase("--threshold 0.5 does nothing without --mask: give both", "0.5", false)]
    [TestCase("--threshold is 1.5, expected a similarity from -1 to 1", "1.5", true)]
    [TestCase("--threshold is NaN, expected a similarity from -1 to 1", "NaN", true)]
    public void Explain_ThresholdWithoutMeaning_IsRefused(string message, string value, bool mask)
    {
        string[] masked = mask ? ["--mask"] : [];
        var result = MirrorProcess.Run(["explain", A, "gone.jpg", "--threshold", value, .. masked]);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain(message));
    }

    [Test]
    public void Explain_WhiteningOfAnotherLength_NamesFileAndBoth()
    {
        using var whitening = Whitening.Create([0, 0], [1, 0], [1]);
        whitening.Save(folder.File("w"));
        var result = MirrorProcess.Run("explain", A, B, "--size", "224", "--whitening", folder.File("w"));
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain(folder.File("w")).And.Contain("whitens 2 dimensions, the descriptors have 512"));
    }

    [Test]
    public void Explain_PhotographWithItself_EveryRegionFindsItself()
    {
        var result = MirrorProcess.Run("explain", A, A, "--size", "224", "--regions", "1,2", "--top", "9", "--json");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        using var summary = JsonDocument.Parse(result.Output);
        Assert.That(summary.RootElement.GetProperty("score").GetDouble(), Is.EqualTo(1).Within(1e-5));
        var pairs = summary.RootElement.GetProperty("pairs").EnumerateArray().ToArray();
        Assert.That(pairs, Has.Length.EqualTo(5));
        Assert.That(pairs.All(pair => pair.GetProperty("a").GetRawText() == pair.GetProperty("b").GetRawText()));
    }

    [Test]
    public void Explain_Svg_EmbedsBothPhotographsAndNoPath()
    {
        var drawing = folder.File("pairs.svg");
        var result = MirrorProcess.Run("explain", A, B, "--size", "448", "--multi-scale", "-o", drawing);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Does.StartWith("score 0."));
        var text = File.ReadAllText(drawing);
        Assert.That(text, Does.Not.Contain(Path.GetFileName(A)).And.Not.Contains(folder.Root));
        var svg = XDocument.Parse(text).Root!;
        var images = svg.Elements().Where(element => element.Name.LocalName == "image").Select(element => (string)element.Attribute("href")!).ToArray();
        Assert.That(images, Has.Length.EqualTo(2));
        foreach (var image in images)
        {
            using var decoded = SKBitmap.Decode(Convert.FromBase64String(image["data:image/jpeg;base64,".Length..]));
            Assert.That(decoded.Height, Is.EqualTo(640));
        }

        var pairs = result.Output.Split('\n').Count(line => line.Contains('#'));
        Assert.That(svg.Descendants().Count(element => element.Name.LocalName == "rect"), Is.EqualTo(2 * pairs).And.GreaterThan(0));
        Assert.That(svg.Descendants().Count(element => element.Name.LocalName == "line"), Is.EqualTo(pairs));
    }

    [Test]
    public void Write_Png_OutlinesTheRegionsInTheirColours()
    {
        using var black = new PixelImage(640, 640, PixelFormat.Gray8);
        black.Pixels.Clear();
        using var grey = new PixelImage(1280, 640, PixelFormat.Rgba8);
        grey.Pixels.Fill(100);
        var geometry = new RegionGeometry(448, 448, [(14, 14)], [1, 2]);
        var picture = new ExplanationPicture(new ExplainedPhoto(black, geometry, null), new ExplainedPhoto(grey, geometry, null), [new RegionMatch(1, 4, 0.9f)]);
        picture.Write(folder.File("drawing.PNG"));

        using var drawn = SKBitmap.Decode(folder.File("drawing.PNG"));
        Assert.That((drawn.Width, drawn.Height), Is.EqualTo((picture.Width, picture.Height)).And.EqualTo((640 + 16 + 1280, 640)));
        // 8 of 14 cells at the top left; the same at the bottom right of the centre square, which begins at 320.
        Assert.That(picture.Place(0, 1), Is.EqualTo(new PixelRectangle(0, 0, 640 * 8 / 14.0, 640 * 8 / 14.0)));
        Assert.That(picture.Place(1, 4).Left, Is.EqualTo(656 + 320 + (640 * 6 / 14.0)).Within(1e-9));
        var color = SKColor.Parse(ExplanationPicture.ColorOf(0));
        Assert.That(drawn.GetPixel(2, 300), Is.EqualTo(color), "left edge in A");
        Assert.That(drawn.GetPixel(300, (int)(640 * 8 / 14.0) - 2), Is.EqualTo(color), "bottom edge in A");
        Assert.That(drawn.GetPixel(656 + 960 - 3, 600), Is.EqualTo(color), "right edge in B");
        Assert.That(drawn.GetPixel(100, 100), Is.EqualTo(SKColors.Black), "inside, away from the line");
        Assert.That(drawn.GetPixel(656 + 10, 600), Is.EqualTo(new SKColor(100, 100, 100)), "what the network did not see is drawn too");
        Assert.That(drawn.GetPixel(648, 10), Is.EqualTo(SKColors.White), "the gap");
    }

    [Test]
    public void Write_WithMask_ShadesWhatTheOtherDoesNotShow()
    {
        using var white = new PixelImage(640, 640, PixelFormat.Rgb8);
        white.Pixels.Fill(byte.MaxValue);
        var geometry = new RegionGeometry(448, 448, [(14, 14)], [1, 2]);
        var mask = RegionMask.Create([new RegionMatch(1, 1, 0.95f)], geometry);
        new ExplanationPicture(new ExplainedPhoto(white, geometry, mask), new ExplainedPhoto(white, geometry, null), []).Write(folder.File("mask.png"));
        using var drawn = SKBitmap.Decode(folder.File("mask.png"));
        Assert.That(drawn.GetPixel(100, 100), Is.EqualTo(SKColors.White));
        Assert.That(drawn.GetPixel(600, 600).Red, Is.EqualTo(255 - 160).Within(1));
        Assert.That(drawn.GetPixel(656 + 600, 600), Is.EqualTo(SKColors.White), "no mask for B");
    }

    [Test]
    public void Explain_OtherExtension_IsRefusedBeforeAnyWork()
    {
        var result = MirrorProcess.Run("explain", A, "gone.jpg", "-o", folder.File("x.pdf"));
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain(".png").And.Contain("x.pdf"));
    }

    // Within a pixel of rounding. The region of step 1 is all that the network saw.
    private static void AssertInside(JsonElement region, int[] whole, bool upright)
    {
        var place = new[] { "x", "y", "width", "height" }.Select(name => region.GetProperty(name).GetInt32()).ToArray();
        int[] limit = upright ? [whole[1], whole[0], whole[3], whole[2]] : whole;
        if (region.GetProperty("step").GetInt32() == 1)
        {
            Assert.That(place, Is.EqualTo(limit).Within(1));
            return;
        }

        Assert.That(place[0], Is.GreaterThanOrEqualTo(limit[0] - 1));
        Assert.That(place[1], Is.GreaterThanOrEqualTo(limit[1] - 1));
        Assert.That(place[0] + place[2], Is.LessThanOrEqualTo(limit[0] + limit[2] + 1));
        Assert.That(place[1] + place[3], Is.LessThanOrEqualTo(limit[1] + limit[3] + 1));
        Assert.That(Math.Min(place[2], place[3]), Is.GreaterThan(Math.Min(limit[2], limit[3]) / 3), "in pixels of the file, not of the reduced picture");
    }

    private static void Enlarge(string source, string path, int width, int height, int orientation)
    {
        using var small = SKBitmap.Decode(source);
        using var large = small.Resize(new SKImageInfo(width, height), SKSamplingOptions.Default);
        using var data = large.Encode(SKEncodedImageFormat.Jpeg, 90);
        File.WriteAllBytes(path, TestImages.WithOrientation(data.ToArray(), orientation));
    }

    [Test]
    public void Explain_AbsentPhotograph_NamesIt()
    {
        var result = MirrorProcess.Run("explain", A, "gone.jpg", "--size", "224");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("gone.jpg"));
    }
}
