using NUnit.Framework;
using System.Text.Json;
using Mirror.Evaluation;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Golden;

/// <summary>The original's evaluation programs, on its golden sets.</summary>
public sealed class EvaluationGoldenTests
{
    private static string Eval(string name) => Paths.SharedOrSkip("golden/eval/" + name);

    [Test]
    public void Oxford_GoldenSetAsPublished_EqualsEveryPrintedFigure()
    {
        using var expected = JsonDocument.Parse(File.ReadAllText(Eval("expected.json")));
        var score = OxfordBenchmark.Evaluate(Eval("oxford_pairs"), NameList.Read(Eval("oxford_images")), NameList.Read(Eval("oxford_queries")), Eval("gt"), asPublished: true);
        Assert.That(score.PerQuery.Select(query => query.AveragePrecision), Is.EqualTo(expected.RootElement.GetProperty("oxford_aps").EnumerateArray().Select(ap => (double?)ap.GetDouble())));
        Assert.That(score.MeanAveragePrecision, Is.EqualTo(expected.RootElement.GetProperty("oxford_map").GetDouble()).Within(1e-15));
    }

    [Test]
    public void Oxford_GoldenSetInDouble_EqualsThePrintedFiguresToTheirDigits()
    {
        using var expected = JsonDocument.Parse(File.ReadAllText(Eval("expected.json")));
        var score = OxfordBenchmark.Evaluate(Eval("oxford_pairs"), NameList.Read(Eval("oxford_images")), NameList.Read(Eval("oxford_queries")), Eval("gt"), asPublished: false);
        Assert.That(score.MeanAveragePrecision, Is.EqualTo(expected.RootElement.GetProperty("oxford_map").GetDouble()).Within(1e-6));
    }

    [Test]
    public void Holidays_GoldenResultFile_EqualsTheOriginal()
    {
        using var expected = JsonDocument.Parse(File.ReadAllText(Eval("expected.json")));
        var score = HolidaysBenchmark.EvaluateResults(Eval("holidays_result.dat"), NameList.Read(Eval("holidays_images.dat")));
        Assert.That(score.MeanAveragePrecision, Is.EqualTo(expected.RootElement.GetProperty("holidays_map_full").GetDouble()).Within(1e-15));
        Assert.That(score.MeanAveragePrecision.ToString("F5", System.Globalization.CultureInfo.InvariantCulture), Is.EqualTo(expected.RootElement.GetProperty("holidays_map").GetString()));
    }

    [Test]
    public void Holidays_GoldenMatchPairs_EqualsTheOriginal()
    {
        using var expected = JsonDocument.Parse(File.ReadAllText(Eval("expected.json")));
        var score = HolidaysBenchmark.EvaluatePairs(Eval("holidays_pairs"), NameList.Read(Eval("holidays_db")), NameList.Read(Eval("holidays_queries")));
        Assert.That(score.MeanAveragePrecision, Is.EqualTo(expected.RootElement.GetProperty("holidays_map_full").GetDouble()).Within(1e-15));
    }

    [Test]
    public void Overlap_GoldenSet_EqualsTheOriginal()
    {
        using var expected = JsonDocument.Parse(File.ReadAllText(Paths.SharedOrSkip("golden/eval/expected.json")));
        var score = OverlapBenchmark.Evaluate(Paths.SharedOrSkip("golden/eval/overlap_pairs"), Paths.SharedOrSkip("golden/eval/overlap_gt"));
        Assert.That(score.MeanAveragePrecision, Is.EqualTo(expected.RootElement.GetProperty("overlap_map").GetDouble()).Within(1e-12));
        Assert.That(score.Queries, Is.EqualTo(expected.RootElement.GetProperty("overlap_tests").GetInt32()));
    }

    [Test]
    public void Overlap_HandMadeRanking_EqualsTheFormula()
    {
        using var folder = Paths.NewTempFolder();
        File.WriteAllText(folder.File("gt"), "0 1\n0 2\n3 3\n");
        File.WriteAllText(folder.File("pairs"), "0 0 1.0\n0 1 0.9\n0 3 0.8\n0 2 0.7");
        // Hits at ranks 1 and 3 of [1, 3, 2]: 0.5 * (1 + 1) / 2 + 0.5 * (1/2 + 2/3) / 2.
        var score = OverlapBenchmark.Evaluate(folder.File("pairs"), folder.File("gt"));
        Assert.That(score.MeanAveragePrecision, Is.EqualTo(0.5 + (0.5 * ((1.0 / 2) + (2.0 / 3)) / 2)));
        Assert.That(score.PerQuery, Is.EqualTo([new QueryScore("0", score.MeanAveragePrecision, Positives: 2, Found: 2, Retrieved: 3)]));
    }

    [Test]
    public void Overlap_NoGroundTruth_IsAnErrorThatNamesTheFile()
    {
        using var folder = Paths.NewTempFolder();
        File.WriteAllText(folder.File("gt"), "0 0\n");
        File.WriteAllText(folder.File("pairs"), "0 1 0.9");
        Assert.That(() => OverlapBenchmark.Evaluate(folder.File("pairs"), folder.File("gt")), Throws.TypeOf<InvalidDataException>().With.Message.Contains("gt"));
    }
}
