using NUnit.Framework;
using System.Text.Json;
using Mirror.Evaluation;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Golden;

/// <summary>The original's compute_overlap_benchmark.py.</summary>
public sealed class EvaluationGoldenTests
{
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
        Assert.That(score, Is.EqualTo(new OverlapScore(0.5 + (0.5 * ((1.0 / 2) + (2.0 / 3)) / 2), 1)));
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
