// The authors' program is written again here from its description - ranks of positives, shifted by the junk before them - against
// the filtering that the code under test uses.

using NUnit.Framework;
using System.Text.Json;
using Mirror.Evaluation;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Evaluation;

public sealed class RevisitedBenchmarkTests
{
    // pickle.dumps of lists by protocol 2, and of int64 numpy arrays by protocol 3, as published ground truths hold either.
    internal const string PickledLists = "gAJ9cQAoWAYAAABpbWxpc3RxAV1xAihYAQAAAGJxA1gBAAAAY3EEWAEAAABkcQVlWAcAAABxaW1saXN0cQZdcQdYAQAAAHFxCGFYAwAAAGduZHEJXXEKfXELKFgDAAAAYmJ4cQxdcQ0oR0BhEAAAAAAAR0BBDMzMzMzNR0CERAAAAAAAR0CN3ZmZmZmaZVgEAAAAZWFzeXEOXXEPKEsASwJlWAQAAABoYXJkcRBdcRFLAWFYBAAAAGp1bmtxEl1xE3VhdS4=";
    internal const string PickledArrays = "gAN9cQAoWAYAAABpbWxpc3RxAV1xAihYAQAAAGJxA1gBAAAAY3EEWAEAAABkcQVlWAcAAABxaW1saXN0cQZdcQdYAQAAAHFxCGFYAwAAAGduZHEJXXEKfXELKFgDAAAAYmJ4cQxdcQ0oR0BhEAAAAAAAR0BBDMzMzMzNR0CERAAAAAAAR0CN3ZmZmZmaZVgEAAAAZWFzeXEOY251bXB5LmNvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQ9jbnVtcHkKbmRhcnJheQpxEEsAhXERQwFicRKHcRNScRQoSwFLAoVxFWNudW1weQpkdHlwZQpxFlgCAAAAaThxF0sASwGHcRhScRkoSwNYAQAAADxxGk5OTkr/////Sv////9LAHRxG2KJQxAAAAAAAAAAAAIAAAAAAAAAcRx0cR1iWAQAAABoYXJkcR5oD2gQaBFoEodxH1JxIChLAUsBhXEhaBZoGFJxImgbYolDCAEAAAAAAAAAcSN0cSRiWAQAAABqdW5rcSVoD2gQaBFoEodxJlJxJyhLAUsAhXEoaBZoGFJxKWgbYolDAHEqdHErYnVhdS4=";

    private const int ImageCount = 300;
    private const int QueryCount = 70;

    private TempFolder folder = null!;

    private sealed record Gnd(int[] Easy, int[] Hard, int[] Junk, double[] Bbx);

    [SetUp]
    public void MakeFolder() => folder = Paths.NewTempFolder();

    [TearDown]
    public void Clean() => folder.Dispose();

    [TestCase(1, ImageCount)]
    [TestCase(2, 40)]
    public void Evaluate_SeventyQueries_EqualsTheAuthorsRules(int seed, int top)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var gnd = new Gnd[QueryCount];
        var ranks = new int[QueryCount][];
        for (var query = 0; query < QueryCount; query++)
        {
            var shuffled = Enumerable.Range(0, ImageCount).OrderBy(_ => random.Next()).ToArray();
            var (easy, hard, junk) = (random.Next(0, 9), random.Next(0, 9), random.Next(0, 30));
            gnd[query] = new Gnd(shuffled[..easy], shuffled[easy..(easy + hard)], shuffled[(easy + hard)..(easy + hard + junk)], [1.5, 2, 3, 4]);
            ranks[query] = [.. shuffled.OrderBy(i => random.NextDouble() - (gnd[query].Easy.Contains(i) ? 0.8 : gnd[query].Hard.Contains(i) ? 0.4 : 0))];
        }

        var scores = Evaluate(gnd, ranks, top);

        Assert.That(scores.Select(score => score.Level), Is.EqualTo(["easy", "medium", "hard"]));
        AssertLevel(scores[0], gnd.Select(g => (g.Easy, (int[])[.. g.Junk, .. g.Hard])), ranks, top);
        AssertLevel(scores[1], gnd.Select(g => ((int[])[.. g.Easy, .. g.Hard], g.Junk)), ranks, top);
        AssertLevel(scores[2], gnd.Select(g => (g.Hard, (int[])[.. g.Junk, .. g.Easy])), ranks, top);
        Assert.That(scores[0].WithoutPositives, Is.EqualTo(gnd.Count(g => g.Easy.Length == 0)).And.GreaterThan(0));
        Assert.That(scores[0].Notices.Any(notice => notice.Contains("--top 300", StringComparison.Ordinal)), Is.EqualTo(top < ImageCount));
    }

    [Test]
    public void Evaluate_LevelWithoutPositives_IsNamedAndLeftOut()
    {
        var scores = Evaluate([new Gnd([0], [], [], [0, 0, 1, 1])], [[.. Enumerable.Range(0, ImageCount)]], ImageCount);
        Assert.That(scores.Select(score => score.Level), Is.EqualTo(["easy", "medium"]));
        Assert.That(scores[0].Notices, Has.Member("hard: no query has positives"));
        Assert.That(scores[0].MeanAveragePrecision, Is.EqualTo(1));
    }

    [TestCase("""{"imlist": ["a"], "qimlist": ["q"]}""", "gnd")]
    [TestCase("""{"imlist": ["a"], "qimlist": ["q"], "gnd": [{"easy": [1], "hard": [], "junk": []}]}""", "holds 1, expected indices below 1")]
    [TestCase("""{"imlist": ["a"], "qimlist": ["q"], "gnd": [{"easy": [0.5], "hard": [], "junk": []}]}""", "holds 0.5")]
    [TestCase("""{"imlist": ["a"], "qimlist": ["q"], "gnd": [{"easy": ["a"], "hard": [], "junk": []}]}""", "gnd[0].easy")]
    [TestCase("""{"imlist": ["a"], "qimlist": ["q"], "gnd": [{"easy": [0], "junk": []}]}""", "'hard'")]
    [TestCase("""{"imlist": ["a", 5], "qimlist": ["q"], "gnd": []}""", "imlist[1]")]
    [TestCase("""{"imlist": ["a"], "qimlist": ["q"], "gnd": []}""", "gnd 0 entries")]
    [TestCase("""{"imlist": ["a", "a.jpg"], "qimlist": ["q"], "gnd": []}""", "'a' twice")]
    [TestCase("""{"imlist": [""", "no JSON")]
    public void Read_MalformedJson_NamesFileAndPart(string json, string expected)
    {
        File.WriteAllText(folder.File("gnd.json"), json);
        Assert.That(() => RevisitedGroundTruth.Read(folder.File("gnd.json")), Throws.TypeOf<InvalidDataException>().With.Message.Contains(expected).And.Message.Contains("gnd.json"));
    }

    [TestCase(PickledLists)]
    [TestCase(PickledArrays)]
    public void Read_PublishedPickle_GivesNamesAndIndices(string base64)
    {
        File.WriteAllBytes(folder.File("gnd.pkl"), Convert.FromBase64String(base64));
        var truth = RevisitedGroundTruth.Read(folder.File("gnd.pkl"));
        Assert.That(truth.Images, Is.EqualTo(["b", "c", "d"]));
        var query = truth.Queries.Single();
        Assert.That(query.Name, Is.EqualTo("q"));
        Assert.That(query.Easy, Is.EqualTo([0, 2]));
        Assert.That(query.Hard, Is.EqualTo([1]));
        Assert.That(query.Junk, Is.Empty);
    }

    [Test]
    public void Read_PickleThatCallsAFunction_IsRefused()
    {
        File.WriteAllText(folder.File("gnd.pkl"), "\u0080\u0002cos\nsystem\nU\u0004trueR.", System.Text.Encoding.Latin1);
        Assert.That(() => RevisitedGroundTruth.Read(folder.File("gnd.pkl")), Throws.TypeOf<InvalidDataException>().With.Message.Contains("os").And.Message.Contains("gnd.pkl"));
    }

    [Test]
    public void Evaluate_QueryNotInTheList_NamesIt()
    {
        Write([new Gnd([0], [], [], [])], [[0]], 1);
        File.WriteAllText(folder.File("queries"), "another");
        Assert.That(Run, Throws.TypeOf<InvalidDataException>().With.Message.Contains("'q0'"));
    }

    private IReadOnlyList<RankingScore> Evaluate(Gnd[] gnd, int[][] ranks, int top)
    {
        Write(gnd, ranks, top);
        return Run();
    }

    private IReadOnlyList<RankingScore> Run() => RevisitedBenchmark.Evaluate(
        folder.File("pairs"), NameList.Read(folder.File("images")), NameList.Read(folder.File("queries")), RevisitedGroundTruth.Read(folder.File("gnd.json")));

    private void Write(Gnd[] gnd, int[][] ranks, int top)
    {
        // The lists of the ranking are in another order than those of the ground truth.
        var queries = gnd.Length;
        var truth = new { imlist = Enumerable.Range(0, ImageCount).Select(i => $"i{i}"), qimlist = gnd.Select((_, q) => $"q{q}"), gnd = gnd.Select(g => new { easy = g.Easy, hard = g.Hard, junk = g.Junk, bbx = g.Bbx }) };
        File.WriteAllText(folder.File("gnd.json"), JsonSerializer.Serialize(truth));
        File.WriteAllLines(folder.File("images"), Enumerable.Range(0, ImageCount).Select(i => $"jpg/i{ImageCount - 1 - i}.jpg"));
        File.WriteAllLines(folder.File("queries"), Enumerable.Range(0, queries).Select(q => $"q{queries - 1 - q}.npy"));
        File.WriteAllLines(folder.File("pairs"), ranks.SelectMany((list, q) => list.Take(top).Select(image => $"{queries - 1 - q} {ImageCount - 1 - image} 0.5")));
    }

    private static void AssertLevel(RankingScore score, IEnumerable<(int[] Ok, int[] Junk)> truth, int[][] ranks, int top)
    {
        double map = 0;
        var precisions = new double[3];
        var counted = 0;
        var query = 0;
        foreach (var (ok, junk) in truth)
        {
            var list = ranks[query].Take(top).ToArray();
            if (ok.Length == 0)
            {
                Assert.That(score.PerQuery[query++].AveragePrecision, Is.Null);
                continue;
            }

            var positions = Enumerable.Range(0, list.Length).Where(rank => ok.Contains(list[rank])).ToArray();
            var ignored = Enumerable.Range(0, list.Length).Where(rank => junk.Contains(list[rank])).ToArray();
            for (var i = 0; i < positions.Length; i++)
            {
                positions[i] -= ignored.Count(rank => rank < positions[i]);
            }

            double ap = 0;
            for (var j = 0; j < positions.Length; j++)
            {
                var rank = positions[j];
                ap += ((rank == 0 ? 1.0 : (double)j / rank) + ((double)(j + 1) / (rank + 1))) * (1.0 / ok.Length) / 2.0;
            }

            Assert.That(score.PerQuery[query].AveragePrecision, Is.EqualTo(ap).Within(1e-15), $"query {query}");
            map += ap;
            counted++;
            for (var c = 0; c < 3 && positions.Length > 0; c++)
            {
                var kq = Math.Min(positions.Max() + 1, new[] { 1, 5, 10 }[c]);
                precisions[c] += (double)positions.Count(position => position + 1 <= kq) / kq;
            }

            query++;
        }

        Assert.That(score.MeanAveragePrecision, Is.EqualTo(map / counted).Within(1e-14));
        Assert.That(score.Queries, Is.EqualTo(counted));
        for (var c = 0; c < 3; c++)
        {
            Assert.That(score.MeanPrecisionAt![c], Is.EqualTo(precisions[c] / counted).Within(1e-14), $"mP@{RevisitedBenchmark.Cutoffs[c]}");
        }
    }
}
