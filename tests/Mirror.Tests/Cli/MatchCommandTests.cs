using NUnit.Framework;
using System.Text.Json;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Cli;

/// <summary>The main job, as a user runs it, on the photographs that come with the project.</summary>
public sealed class MatchCommandTests
{
    [Test]
    public void Match_SamplePhotos_FindsPairsOfOneSceneFirst()
    {
        using var folder = Paths.NewTempFolder();
        var result = MirrorProcess.Run("match", "--images", Paths.InRoot("samples/photos"), "--out", folder.Root, "--size", "448");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        var images = File.ReadAllLines(Path.Combine(folder.Root, "images.txt"));
        Assert.That(images, Has.Length.EqualTo(24));
        Assert.That(images, Is.Ordered.Using<string>(StringComparer.Ordinal));
        var pairs = File.ReadAllLines(Path.Combine(folder.Root, "pairs.txt")).Select(line => line.Split(' ')).ToArray();
        Assert.That(pairs, Has.Length.EqualTo(24 * 23 / 2));
        Assert.That(pairs.Take(10).Count(pair => Scene(pair[0]) == Scene(pair[1])), Is.EqualTo(10), "the best pairs are of one scene each");
        Assert.That(pairs.Select(pair => (pair[0], pair[1])).Distinct().Count(), Is.EqualTo(pairs.Length));
        Assert.That(pairs.All(pair => pair[0] != pair[1]));
        Assert.That(result.Output.Split('\n')[0], Does.StartWith($"{pairs[0][0]} {pairs[0][1]} "), "the command prints the best pair first");
        Assert.That(File.ReadAllText(Path.Combine(folder.Root, "skipped.txt")), Is.Empty);
    }

    [Test]
    public void Match_MatchPairs_EveryImageIsItsOwnBestMatch()
    {
        using var folder = Paths.NewTempFolder();
        var result = MirrorProcess.Run("match", "--images", Paths.InRoot("samples/photos"), "--out", folder.Root, "--size", "224", "--top", "5");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        var text = File.ReadAllText(Path.Combine(folder.Root, "match_pairs"));
        Assert.That(text, Does.Not.EndWith("\n"), "the original's file has no newline at its end");
        var lines = text.Split('\n').Select(line => line.Split(' ')).ToArray();
        Assert.That(lines, Has.Length.EqualTo(24 * 5));
        for (var query = 0; query < 24; query++)
        {
            Assert.That(lines[query * 5][0], Is.EqualTo(query.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            Assert.That(lines[query * 5][1], Is.EqualTo(lines[query * 5][0]));
        }

        // The candidates hold each of these lines as a rank of one image in the other's list.
        var images = File.ReadAllLines(Path.Combine(folder.Root, "images.txt"));
        var candidates = File.ReadAllLines(Path.Combine(folder.Root, "candidates.tsv")).Skip(1).Select(line => line.Split('\t')).ToArray();
        var ranks = candidates.SelectMany(line => (IEnumerable<(string, string, string)>)[(line[0], line[1], line[4]), (line[1], line[0], line[5])]).Where(rank => rank.Item3.Length > 0);
        Assert.That(ranks, Is.EquivalentTo(lines
            .Select((line, i) => (images[int.Parse(line[0])], images[int.Parse(line[1])], $"{(i % 5) - 1}"))
            .Where(rank => rank.Item1 != rank.Item2)));
    }

    [Test]
    public void Export_AfterMatch_WritesTheFoundPairsForColmap()
    {
        using var folder = Paths.NewTempFolder();
        var match = MirrorProcess.Run("match", "--images", Paths.InRoot("samples/photos"), "--out", folder.Root, "--size", "224", "--top", "5");
        Assert.That(match.ExitCode, Is.Zero, match.Error);
        var export = MirrorProcess.Run("export", "colmap", folder.Root);
        Assert.That(export.ExitCode, Is.Zero, export.Error);
        var named = File.ReadAllLines(Path.Combine(folder.Root, "pairs.txt")).Select(line => string.Join(' ', line.Split(' ')[..2]));
        Assert.That(File.ReadAllLines(Path.Combine(folder.Root, "pairs.colmap.txt")), Is.EquivalentTo(named));
    }

    [Test]
    public void Match_JsonSummary_IsTheOnlyOutputAndNamesWhatWasDone()
    {
        using var folder = Paths.NewTempFolder();
        var result = MirrorProcess.Run("match", "--images", Paths.InRoot("samples/photos"), "--out", folder.Root, "--size", "224", "--json");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        using var summary = JsonDocument.Parse(result.Output);
        Assert.That(summary.RootElement.GetProperty("images").GetInt32(), Is.EqualTo(24));
        Assert.That(summary.RootElement.GetProperty("extraction").GetProperty("network").GetString(), Is.EqualTo("half_googlenet"));
        Assert.That(summary.RootElement.GetProperty("whitened").GetBoolean(), Is.False, "24 vectors are too few for 256 dimensions");
        Assert.That(result.Error, Does.Contain("no whitening: 24 descriptor vectors"));
    }

    [Test]
    public void Match_SummaryFile_NamesHowDescriptorsWereCompared()
    {
        using var folder = Paths.NewTempFolder();
        var result = MirrorProcess.Run(
            "match", "--images", SomePhotos(folder.Root, 3), "--out", folder.File("out"), "--size", "224", "--no-whitening", "--similarity", "r-mac", "--top", "2", "--expand", "1", "--expand-pairing", "same");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        using var summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.File("out"), "summary.json")));
        var retrieval = summary.RootElement.GetProperty("retrieval");
        Assert.That(retrieval.GetProperty("aggregation").GetString(), Is.EqualTo("Sum"));
        Assert.That(retrieval.GetProperty("metric").GetString(), Is.EqualTo("Dot"));
        Assert.That(retrieval.GetProperty("dimension").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(retrieval.GetProperty("top").GetInt32(), Is.EqualTo(2));
        Assert.That(retrieval.GetProperty("expand_neighbours").GetInt32(), Is.EqualTo(1));
        Assert.That(retrieval.GetProperty("expand_alpha").GetDouble(), Is.Zero, "the default, spelt out");
        Assert.That(retrieval.GetProperty("expand_pairing").GetString(), Is.EqualTo("Same"));
        Assert.That(retrieval.GetProperty("augment").GetInt32(), Is.Zero);
    }

    [Test]
    public void Match_SaveWhiteningOfTooFewPhotographs_IsRefusedBeforeExtraction()
    {
        using var folder = Paths.NewTempFolder();
        var result = MirrorProcess.Run("match", "--images", SomePhotos(folder.Root, 3), "--out", folder.File("out"), "--size", "224", "--save-whitening", folder.File("w"));

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("--save-whitening").And.Contain("3 descriptor vectors are too few to fit 256 dimensions"));
        Assert.That(folder.File("out"), Does.Not.Exist);
    }

    [TestCase(704, "Whole")]
    [TestCase(896, "Crop", "--compat", "mirror")]
    public void Extract_SizeAndFitNotGiven_AreOursOrTheOriginals(int size, string fit, params string[] options)
    {
        if (options.Length > 0)
        {
            Requirements.TurboJpegOrSkip();
        }

        using var folder = Paths.NewTempFolder();
        File.WriteAllText(folder.File("list"), Paths.InRoot("samples/photos/scene0_view00.jpg"));
        var result = MirrorProcess.Run(["extract", "--images", folder.File("list"), "--out", folder.File("out"), .. options]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(File.ReadAllText(Path.Combine(folder.File("out"), "extraction.json")), Does.Contain($"\"size\": {size},").And.Contain($"\"fit\": \"{fit}\""));
    }

    [Test]
    public void Match_OneCorruptPhoto_SkipsItAndExitsWithTwo()
    {
        using var folder = Paths.NewTempFolder();
        var photos = SomePhotos(folder.Root, 3);
        var good = File.ReadAllBytes(Directory.EnumerateFiles(photos).First());
        File.WriteAllBytes(Path.Combine(photos, "zz truncated.jpg"), good[..(good.Length / 3)]);
        File.WriteAllBytes(Path.Combine(photos, "zz_zero.jpg"), []);
        var output = Path.Combine(folder.Root, "out");
        var result = MirrorProcess.Run("match", "--images", photos, "--out", output, "--size", "224");

        Assert.That(result.ExitCode, Is.EqualTo(2), result.Error);
        var skipped = File.ReadAllLines(Path.Combine(output, "skipped.txt"));
        Assert.That(skipped.Select(line => line.Split('\t')[0]), Is.EqualTo(["zz truncated.jpg", "zz_zero.jpg"]));
        Assert.That(skipped.All(line => line.Split('\t')[1].Length > 0));
        Assert.That(File.ReadAllLines(Path.Combine(output, "images.txt")), Has.Length.EqualTo(3));
        Assert.That(result.Error, Does.Contain("zz_zero.jpg"));
    }

    [Test]
    public void Match_StrictWithCorruptPhoto_StopsAndExitsWithOne()
    {
        using var folder = Paths.NewTempFolder();
        var photos = SomePhotos(folder.Root, 2);
        File.WriteAllText(Path.Combine(photos, "a_text.jpg"), "this is no photograph");
        var result = MirrorProcess.Run("match", "--images", photos, "--out", Path.Combine(folder.Root, "out"), "--size", "224", "--strict");

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("a_text.jpg"));
        Assert.That(Path.Combine(folder.Root, "out", "match_pairs"), Does.Not.Exist);
    }

    private static string SomePhotos(string folder, int count)
    {
        var photos = Directory.CreateDirectory(Path.Combine(folder, "photos")).FullName;
        foreach (var path in Directory.EnumerateFiles(Paths.InRoot("samples/photos"), "*.jpg").Order(StringComparer.Ordinal).Take(count))
        {
            File.Copy(path, Path.Combine(photos, Path.GetFileName(path)));
        }

        return photos;
    }

    private static string Scene(string name) => name.Split('_')[0];
}
