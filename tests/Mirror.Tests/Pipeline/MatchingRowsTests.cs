// Pairs of images -> pairs of regions -> a learned whitening, also through the command.

using Mirror.Formats;
using Mirror.Pipeline;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pipeline;

public sealed class MatchingRowsTests
{
    private static readonly string[] Features = ["/data/a/one.npy", "/data/b/one.npy", "/data/b/two.jpg.npy"];

    [TestCase("0 1\n1 0 0.5\n2 2\n1 2\n", "0-1 1-2")]
    [TestCase("a/one.jpg b/one.jpg 0.91\n\ntwo.jpg a/one.png\n", "0-1 0-2")]
    public void ReadPairs_IndicesOrNames_GivesEachPairOnce(string text, string expected)
    {
        using var folder = Paths.NewTempFolder();
        File.WriteAllText(folder.File("pairs"), text);
        var pairs = MatchingRows.ReadPairs(folder.File("pairs"), Features);
        Assert.That(string.Join(' ', pairs.Select(pair => $"{pair.First}-{pair.Second}")), Is.EqualTo(expected));
    }

    [TestCase("0 3", "line 1: there is no image 3 among 3")]
    [TestCase("0 1\n7", "line 2: '7' is no pair")]
    [TestCase("one.jpg two.jpg", "named after one.jpg")]
    [TestCase("-1 0", "named after -1")]
    [TestCase("1 1", "no pair of two different images")]
    [TestCase("", "no pair of two different images")]
    public void ReadPairs_BadLines_AreNamed(string text, string message)
    {
        using var folder = Paths.NewTempFolder();
        File.WriteAllText(folder.File("pairs"), text);
        Assert.That(() => MatchingRows.ReadPairs(folder.File("pairs"), Features), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
    }

    // One region an image: as many pairs of regions as of images.
    [TestCase(11, 12, 1, "11 image pairs gave 11 pairs of regions")]
    [TestCase(40, 12, 6, "40 pairs of regions are too few to fit 6 dimensions: it takes 8 a dimension; use more images or regions, or at most --dim 5")]
    [TestCase(40, 12, 13, "--dim is 13")]
    public void Learn_TooFewPairs_IsRefusedWithNumbers(int pairs, int dimension, int wanted, string message)
    {
        using var device = Device.Open("cpu");
        using var features = RandomFeatures(pairs, dimension);
        Assert.That(() => MatchingRows.Learn(device, features, Chain(pairs), wanted), Throws.ArgumentException.With.Message.Contains(message));
    }

    [TestCase(12, 12, 1, 1)]
    [TestCase(560, 70, 70, 70)]
    [TestCase(559, 70, 70, 69)]
    public void Learn_NumberOfPairs_LimitsTheDimension(int pairs, int dimension, int wanted, int expected)
    {
        using var device = Device.Open("cpu");
        using var features = RandomFeatures(pairs, dimension);
        var notices = new List<string>();
        var (whitening, rows) = MatchingRows.Learn(device, features, Chain(pairs), wanted, notices.Add);
        using (whitening)
        {
            Assert.That((whitening.OutputDimension, rows), Is.EqualTo((expected, pairs)));
            Assert.That(notices, expected == wanted ? Is.Empty : Has.One.Contains($"{expected} dimensions instead of {wanted}: {pairs} pairs of regions"));
        }
    }

    [Test]
    public void WhiteningCommand_FitLearnInfo_MakeFilesThatQueryTakes()
    {
        const int images = 30, regions = 3, dimension = 8;
        using var folder = Paths.NewTempFolder();
        var random = new Random(7);
        for (var i = 0; i < images; i++)
        {
            NpyFile.Write(folder.File($"p{i:00}.npy"), Enumerable.Range(0, regions * dimension).Select(_ => random.NextSingle()).ToArray(), dimension, regions);
        }

        File.WriteAllLines(folder.File("pairs.txt"), Enumerable.Range(0, images - 1).Select(i => $"p{i:00}.jpg p{i + 1:00}.jpg 0.5"));
        var (fitted, learned) = (folder.File("fitted.safetensors"), folder.File("learned.safetensors"));
        Run("dimensions, ", "whitening", "fit", "--features", folder.Root, "--dim", "5", "-o", fitted);
        Run("8 -> 4 dimensions", "whitening", "learn", "--features", folder.Root, "--pairs", folder.File("pairs.txt"), "--dim", "4", "-o", learned);
        Run("8 -> 5 dimensions", "whitening", "info", fitted);
        Run("30 queries", "query", "--features", folder.Root, "--whitening", learned, "--out", folder.File("out"));

        static void Run(string expected, params string[] arguments)
        {
            var result = MirrorProcess.Run(arguments);
            Assert.That(result.ExitCode, Is.Zero, result.Error);
            Assert.That(result.Output, Does.Contain(expected));
        }
    }

    // One image more than pairs, of one region each.
    private static FeatureSet RandomFeatures(int pairs, int dimension)
    {
        using var folder = Paths.NewTempFolder();
        var random = new Random(11);
        var paths = Enumerable.Range(0, pairs + 1).Select(i =>
        {
            NpyFile.Write(folder.File($"{i}.npy"), Enumerable.Range(0, dimension).Select(_ => random.NextSingle()).ToArray(), dimension, 1);
            return folder.File($"{i}.npy");
        }).ToArray();
        return FeatureSet.Load(paths, Aggregation.Regions);
    }

    private static (int First, int Second)[] Chain(int pairs) => [.. Enumerable.Range(0, pairs).Select(i => (i, i + 1))];
}
