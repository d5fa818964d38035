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
}
