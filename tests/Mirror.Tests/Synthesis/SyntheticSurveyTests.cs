// Whole surveys, small ones: files, determinism, options.

using System.Globalization;
using Mirror.Photographs;
using Mirror.Synthesis;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Synthesis;

/// <summary>What a survey consists of, and that a seed determines it.</summary>
public sealed class SyntheticSurveyTests
{
    private static readonly SynthOptions Small = new() { Scenes = 3, ViewsPerScene = 3, Width = 48, Height = 36, Seed = 11 };

    [Test]
    public void Render_SameSeed_SameBytes()
    {
        using TempFolder first = Paths.NewTempFolder();
        using TempFolder second = Paths.NewTempFolder();
        SyntheticSurvey.Render(Small, first.Root);
        SyntheticSurvey.Render(Small, second.Root);
        string[] names = [.. Directory.EnumerateFiles(first.Root).Select(path => Path.GetFileName(path)!)];
        Assert.That(names, Has.Length.EqualTo(12));
        foreach (string name in names)
        {
            Assert.That(File.ReadAllBytes(second.File(name)), Is.EqualTo(File.ReadAllBytes(first.File(name))), name);
        }
    }

    [Test]
    public void Render_OtherSeed_OtherPhotographs()
    {
        using TempFolder first = Paths.NewTempFolder();
        using TempFolder second = Paths.NewTempFolder();
        SyntheticSurvey.Render(Small with { ViewsPerScene = 1 }, first.Root);
        SyntheticSurvey.Render(Small with { ViewsPerScene = 1, Seed = 12 }, second.Root);
        foreach (string name in File.ReadLines(first.File("image_list.txt")))
        {
            Assert.That(File.ReadAllBytes(second.File(name)), Is.Not.EqualTo(File.ReadAllBytes(first.File(name))), name);
        }
    }

    [Test]
    public void Render_WritesListsThatAgree()
    {
        using TempFolder folder = Paths.NewTempFolder();
        var seen = new List<(int Done, int Total)>();
        SyntheticSurvey.Render(Small, folder.Root, (done, total) => seen.Add((done, total)));

        PhotoCollection photos = PhotoCollection.FromList(folder.File("image_list.txt"));
        var ratios = File.ReadLines(folder.File("overlaps.txt")).Select(line => line.Split(' '))
            .ToDictionary(f => (Int(f[0]), Int(f[1])), f => float.Parse(f[2], CultureInfo.InvariantCulture));
        var pairs = File.ReadLines(folder.File("gt_pairs")).Select(line => line.Split(' ')).Select(f => (Int(f[0]), Int(f[1]))).ToHashSet();
        var expected = ratios.Where(r => r.Value >= 0.35f && ratios.GetValueOrDefault((r.Key.Item2, r.Key.Item1)) >= 0.35f).Select(r => r.Key);

        Assert.Multiple(() =>
        {
            Assert.That(photos.Photos.Select(photo => photo.Name).Take(4), Is.EqualTo(new[] { "scene0_view00.jpg", "scene0_view01.jpg", "scene0_view02.jpg", "scene1_view00.jpg" }));
            Assert.That(seen, Is.EqualTo(Enumerable.Range(1, 9).Select(done => (done, 9))));
            Assert.That(pairs, Is.Not.Empty);
            Assert.That(pairs, Is.EquivalentTo(expected));
            Assert.That(ratios.Keys.All(key => key.Item1 / 3 == key.Item2 / 3 && key.Item1 != key.Item2), Is.True, "pairs of one scene only");
        });
        using DecodedPhoto photo = PhotoDecoder.Decode(photos.Photos[0].Path);
        Assert.That((photo.Image.Width, photo.Image.Height), Is.EqualTo((48, 36)));
    }

    [Test]
    public void Render_ScenesOfOneKind_Differ()
    {
        using TempFolder folder = Paths.NewTempFolder();
        SyntheticSurvey.Render(Small with { Scenes = 4, ViewsPerScene = 1 }, folder.Root);
        Assert.That(File.ReadAllBytes(folder.File("scene3_view00.jpg")), Is.Not.EqualTo(File.ReadAllBytes(folder.File("scene0_view00.jpg"))));
    }

    [Test]
    public void Render_Cancelled_Stops()
    {
        using TempFolder folder = Paths.NewTempFolder();
        using var source = new CancellationTokenSource();
        Assert.That(() => SyntheticSurvey.Render(Small, folder.Root, (_, _) => source.Cancel(), source.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(File.Exists(folder.File("gt_pairs")), Is.False);
    }

    [TestCase(0, 8, 320, 240, "Scenes")]
    [TestCase(1, 1001, 320, 240, "ViewsPerScene")]
    [TestCase(1, 8, 31, 240, "Width")]
    [TestCase(1, 8, 320, 9000, "Height")]
    public void Render_OptionOutOfRange_IsNamed(int scenes, int views, int width, int height, string name)
    {
        using TempFolder folder = Paths.NewTempFolder();
        var options = new SynthOptions { Scenes = scenes, ViewsPerScene = views, Width = width, Height = height };
        var failure = Assert.Throws<ArgumentOutOfRangeException>(() => SyntheticSurvey.Render(options, folder.Root))!;
        Assert.That(failure.ParamName, Is.EqualTo(name));
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Root), Is.Empty);
    }

    private static int Int(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
