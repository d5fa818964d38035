// The published Oxford program is written again here, statement by statement in float, with C++'s six digits by exact integers:
// nothing is shared with the code under test but the files.

using NUnit.Framework;
using System.Numerics;
using Mirror.Evaluation;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Evaluation;

public sealed class OxfordBenchmarkTests
{
    private const int Images = 5063;
    private const int QueryCount = 55;

    private TempFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = Paths.NewTempFolder();

    [TearDown]
    public void Clean() => folder.Dispose();

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void Evaluate_FiftyFiveQueriesAsPublished_EqualsThePublishedProgram(int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var names = Enumerable.Range(0, Images).Select(i => $"image_{i:D6}").ToArray();
        var pairs = new List<string>();
        var expected = new List<double>();
        for (var query = 0; query < QueryCount; query++)
        {
            // Positives are likelier early, some never come; the shape of a real ranking.
            var order = Enumerable.Range(0, Images).OrderBy(i => random.NextDouble() + (i % 97 == query ? -0.7 : 0)).ToArray();
            var good = order.Where(i => i % 97 == query && random.Next(3) > 0).ToArray();
            var ok = order.Where(i => i % 97 == query).Except(good).Append(good[0]).ToArray();
            var junk = order.Take(400).Where(_ => random.Next(9) == 0).Except(good).Except(ok).ToArray();
            WriteTruth($"query_{query}", good.Select(i => names[i]), ok.Select(i => names[i]), junk.Select(i => names[i]));
            var ranked = order.Take(seed == 3 ? 200 : Images).ToArray();
            pairs.AddRange(ranked.Select((image, rank) => $"{query} {image} {-rank}"));
            var printed = Cout(ComputeAp(good.Concat(ok).Select(i => names[i]), junk.Select(i => names[i]), ranked.Select(i => names[i])));
            expected.Add(double.Parse(printed, System.Globalization.CultureInfo.InvariantCulture));
        }

        var score = Evaluate(pairs, names, Enumerable.Range(0, QueryCount).Select(query => $"query_{query}"), asPublished: true);

        Assert.That(score.PerQuery.Select(query => query.AveragePrecision!.Value), Is.EqualTo(expected));
        var sum = 0.0;
        expected.ForEach(ap => sum += ap);
        Assert.That(score.MeanAveragePrecision, Is.EqualTo(sum / QueryCount));
        Assert.That(expected.Distinct().Count(), Is.GreaterThan(QueryCount / 2), "the rankings differ");
        var exact = Evaluate(pairs, names, Enumerable.Range(0, QueryCount).Select(query => $"query_{query}"), asPublished: false);
        Assert.That(exact.MeanAveragePrecision, Is.EqualTo(score.MeanAveragePrecision).Within(2e-6).And.Not.EqualTo(score.MeanAveragePrecision));
    }

    // Ties of the seventh digit go to the even sixth, as in glibc; away from zero would give 0.101563 and 0.000976563.
    [TestCase(0.1015625f, 0.101562)]
    [TestCase(0.8984375f, 0.898438)]
    [TestCase(0.0009765625f, 0.000976562)]
    [TestCase(0.33333334f, 0.333333)]
    [TestCase(0.99999994f, 1)]
    [TestCase(1f, 1)]
    [TestCase(0f, 0)]
    public void SixDigits_KnownValues_AreThoseOfC(float value, double expected)
    {
        Assert.That(AveragePrecision.SixDigits(value), Is.EqualTo(expected));
        Assert.That(double.Parse(Cout(value), System.Globalization.CultureInfo.InvariantCulture), Is.EqualTo(expected), "the reference of this file");
    }

    [Test]
    public void Evaluate_JunkFirst_DoesNotCostAnything()
    {
        WriteTruth("q", ["a"], ["b"], ["j"]);
        var score = Evaluate(["0 2", "0 0", "0 1"], ["a.jpg", "x/b.npy", "j.png"], ["q.npy"], asPublished: false);
        Assert.That(score.PerQuery, Is.EqualTo([new QueryScore("q", 1.0, Positives: 2, Found: 2, Retrieved: 2)]));
    }

    [Test]
    public void Evaluate_QueryWithoutPositives_IsLeftOutAndToldNotNaN()
    {
        WriteTruth("q", ["a"], [], []);
        WriteTruth("empty", [], [], ["b"]);
        var score = Evaluate(["0 0", "1 0"], ["a", "b"], ["q", "empty"], asPublished: true);
        Assert.That((score.MeanAveragePrecision, score.Queries, score.WithoutPositives), Is.EqualTo((1.0, 1, 1)));
        Assert.That(score.PerQuery[1].AveragePrecision, Is.Null);
        Assert.That(score.Notices, Has.One.Contains("1 of 2 queries have no positives"));
    }

    [Test]
    public void Evaluate_NoQueryHasPositives_IsAnError()
    {
        WriteTruth("q", [], [], []);
        Assert.That(() => Evaluate(["0 0"], ["a"], ["q"], asPublished: true), Throws.TypeOf<InvalidDataException>().With.Message.Contains("positives"));
    }

    [Test]
    public void Evaluate_QueryNotRanked_CountsAsZero()
    {
        WriteTruth("q", ["a"], [], []);
        WriteTruth("r", ["a"], [], []);
        Assert.That(Evaluate(["0 0"], ["a"], ["q", "r"], asPublished: true).MeanAveragePrecision, Is.EqualTo(0.5));
    }

    [Test]
    public void Evaluate_GroundTruthOfAnotherCollection_IsAnErrorThatNamesAnImage()
    {
        WriteTruth("q", ["elsewhere"], [], []);
        Assert.That(() => Evaluate(["0 0"], ["a"], ["q"], asPublished: false), Throws.TypeOf<InvalidDataException>().With.Message.Contains("elsewhere"));
    }

    [Test]
    public void Evaluate_NoGroundTruthFile_NamesIt() =>
        Assert.That(() => Evaluate(["0 0"], ["a"], ["q"], asPublished: false), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("q_good.txt"));

    [Test]
    public void Evaluate_IndexBeyondTheList_NamesLineAndIndex()
    {
        WriteTruth("q", ["a"], [], []);
        Assert.That(() => Evaluate(["0 0", "0 7"], ["a"], ["q"], asPublished: false), Throws.TypeOf<InvalidDataException>().With.Message.Contains("line 2: image 7"));
    }

    [Test]
    public void Evaluate_TwoImagesOfOneName_IsAnError()
    {
        WriteTruth("q", ["a"], [], []);
        Assert.That(() => Evaluate(["0 0"], ["x/a.jpg", "y/a.jpg"], ["q"], asPublished: false), Throws.TypeOf<InvalidDataException>().With.Message.Contains("both 'a'"));
    }

    private RankingScore Evaluate(IEnumerable<string> pairs, IEnumerable<string> images, IEnumerable<string> queries, bool asPublished)
    {
        File.WriteAllLines(folder.File("pairs"), pairs);
        File.WriteAllLines(folder.File("images"), images);
        File.WriteAllLines(folder.File("queries"), queries);
        return OxfordBenchmark.Evaluate(folder.File("pairs"), NameList.Read(folder.File("images")), NameList.Read(folder.File("queries")), folder.Root, asPublished);
    }

    private void WriteTruth(string query, IEnumerable<string> good, IEnumerable<string> ok, IEnumerable<string> junk)
    {
        File.WriteAllLines(folder.File(query + "_good.txt"), good);
        File.WriteAllLines(folder.File(query + "_ok.txt"), ok);
        File.WriteAllLines(folder.File(query + "_junk.txt"), junk);
    }

    private static float ComputeAp(IEnumerable<string> positives, IEnumerable<string> ambiguous, IEnumerable<string> ranked)
    {
        var pos = new SortedSet<string>(positives, StringComparer.Ordinal);
        var amb = new SortedSet<string>(ambiguous, StringComparer.Ordinal);
        float oldRecall = 0.0f, oldPrecision = 1.0f, ap = 0.0f;
        ulong hits = 0, j = 0;
        foreach (var name in ranked)
        {
            if (amb.Contains(name))
            {
                continue;
            }

            if (pos.Contains(name))
            {
                hits++;
            }

            float recall = (float)hits / (float)pos.Count;
            float precision = (float)(hits / (j + 1.0));
            float width = (float)(recall - oldRecall);
            float height = (float)(oldPrecision + precision);
            ap = (float)((double)ap + ((double)width * ((double)height / 2.0)));
            oldRecall = recall;
            oldPrecision = precision;
            j++;
        }

        return ap;
    }

    // %g: six significant digits of the exact binary value m * 2^-e, ties to even.
    private static string Cout(float value)
    {
        if (value == 0)
        {
            return "0";
        }

        var bits = BitConverter.SingleToInt32Bits(value);
        var mantissa = new BigInteger((bits & 0x7FFFFF) | 0x800000);
        var shift = 150 - (bits >> 23);
        for (var decimals = 0; ; decimals++)
        {
            var scaled = mantissa * BigInteger.Pow(10, decimals);
            var (whole, rest) = BigInteger.DivRem(scaled, BigInteger.One << shift);
            if (whole < 100000)
            {
                continue;
            }

            var half = (BigInteger.One << shift) / 2;
            var digits = rest > half || (rest == half && !whole.IsEven) ? whole + 1 : whole;
            return $"{digits}e-{decimals}";
        }
    }
}
