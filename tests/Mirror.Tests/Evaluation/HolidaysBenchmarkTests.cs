using NUnit.Framework;
using Mirror.Evaluation;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Evaluation;

public sealed class HolidaysBenchmarkTests
{
    private TempFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = Paths.NewTempFolder();

    [TearDown]
    public void Clean() => folder.Dispose();

    [TestCase(5)]
    [TestCase(6)]
    public void Evaluate_FiveHundredQueriesTopTen_EqualsTheFormulaBothWays(int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var names = Enumerable.Range(1000, 500).SelectMany(group => Enumerable.Range(group * 100, random.Next(2, 5))).ToArray();
        var lines = new List<string>();
        var pairs = new List<string>();
        var queries = names.Where(name => name % 100 == 0).ToArray();
        var expected = 0.0;
        for (var q = 0; q < queries.Length; q++)
        {
            var ranked = names.OrderBy(name => random.NextDouble() - (name / 100 == queries[q] / 100 ? 0.6 : 0)).Take(10).ToArray();
            expected += Formula(queries[q], ranked, names.Count(name => name / 100 == queries[q] / 100) - 1);
            lines.Add($"{queries[q]}.jpg " + string.Join(' ', ranked.Select((name, rank) => $"{rank} {name}.jpg").OrderBy(_ => random.Next())));
            pairs.AddRange(ranked.Select(name => $"{q} {Array.IndexOf(names, name)} 0.5"));
        }

        File.WriteAllLines(folder.File("images"), names.Select(name => $"/data/{name}.jpg"));
        File.WriteAllLines(folder.File("queries"), queries.Select(name => $"features/{name}.npy"));
        File.WriteAllLines(folder.File("result.dat"), lines);
        File.WriteAllLines(folder.File("pairs"), pairs);
        var images = NameList.Read(folder.File("images"));
        var fromFile = HolidaysBenchmark.EvaluateResults(folder.File("result.dat"), images);
        var fromPairs = HolidaysBenchmark.EvaluatePairs(folder.File("pairs"), images, NameList.Read(folder.File("queries")));
        Assert.That(fromFile.MeanAveragePrecision, Is.EqualTo(expected / 500).Within(1e-13));
        Assert.That(fromPairs.MeanAveragePrecision, Is.EqualTo(expected / 500).Within(1e-13));
        Assert.That(expected / 500, Is.InRange(0.2, 0.95), "the rankings are neither perfect nor empty");
        Assert.That(fromPairs.PerQuery, Is.EqualTo(fromFile.PerQuery));
    }

    [TestCase("100000.jpg 0 100001.jpg", "100100", TestName = "EvaluateResults_MissingQuery_NamesIt")]
    [TestCase("100000.jpg 0 100001.jpg\n100000.jpg 0 100001.jpg", "line 2", TestName = "EvaluateResults_RepeatedQuery_NamesTheLine")]
    [TestCase("100000.jpg 0 999999.jpg", "'999999.jpg'", TestName = "EvaluateResults_UnknownImage_NamesIt")]
    [TestCase("100200.jpg 0 100001.jpg", "'100200.jpg'", TestName = "EvaluateResults_UnknownQuery_NamesIt")]
    [TestCase("100001.jpg 0 100000.jpg", "no query", TestName = "EvaluateResults_ImageThatIsNoQuery_NamesIt")]
    [TestCase("100000.jpg 0 100001.jpg 1 100001.jpg", "repeats", TestName = "EvaluateResults_RepeatedImage_NamesIt")]
    [TestCase("100000.jpg 0", "2 words", TestName = "EvaluateResults_RankWithoutImage_CountsTheWords")]
    [TestCase("100000.jpg 999999999 100001.jpg", "rank 999999999", TestName = "EvaluateResults_HugeRank_IsRefusedBeforeAllocation")]
    public void EvaluateResults_Malformed(string lines, string expected)
    {
        File.WriteAllText(folder.File("images"), "100000.jpg\n100001.jpg\n100100.jpg\n100101.jpg");
        File.WriteAllText(folder.File("result.dat"), lines);
        Assert.That(() => HolidaysBenchmark.EvaluateResults(folder.File("result.dat"), NameList.Read(folder.File("images"))), Throws.TypeOf<InvalidDataException>().With.Message.Contains(expected).And.Message.Contains("result.dat"));
    }

    [Test]
    public void EvaluatePairs_NamesThatAreNoNumbers_NamesOne()
    {
        File.WriteAllText(folder.File("images"), "house.jpg");
        File.WriteAllText(folder.File("pairs"), "0 0 1");
        var images = NameList.Read(folder.File("images"));
        Assert.That(() => HolidaysBenchmark.EvaluatePairs(folder.File("pairs"), images, images), Throws.TypeOf<InvalidDataException>().With.Message.Contains("'house'"));
    }

    [Test]
    public void EvaluatePairs_RepeatedImage_NamesQueryAndImage()
    {
        File.WriteAllText(folder.File("images"), "100000.jpg\n100001.jpg\n100100.jpg");
        File.WriteAllText(folder.File("queries"), "100000.jpg");
        File.WriteAllText(folder.File("pairs"), "0 0 1\n0 1 0.9\n0 2 0.8\n0 1 0.7");
        Assert.That(
            () => HolidaysBenchmark.EvaluatePairs(folder.File("pairs"), NameList.Read(folder.File("images")), NameList.Read(folder.File("queries"))),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("query 100000 ranks the image 100001 twice").And.Message.Contains("pairs"));
    }

    // The publication's words: each positive adds the mean of the precisions just before and just after it, over the number of
    // positives; ranks count from 0 without the query once it was seen.
    private static double Formula(int query, int[] ranked, int positives)
    {
        var (sum, hits, passed) = (0.0, 0, 0);
        for (var place = 0; place < ranked.Length; place++)
        {
            if (ranked[place] == query)
            {
                passed++;
                continue;
            }

            if (ranked[place] / 100 == query / 100)
            {
                var rank = place - passed;
                var before = rank == 0 ? 1 : hits / (double)rank;
                hits++;
                sum += (before + (hits / (double)(rank + 1))) / 2 / positives;
            }
        }

        return sum;
    }
}
