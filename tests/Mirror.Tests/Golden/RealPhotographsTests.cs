using NUnit.Framework;
using Mirror.Evaluation;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Golden;

/// <summary>Real photographs with ground truth: the default model reproduces the figures of its card within 0.002, through the command.</summary>
[NonParallelizable]
public sealed class RealPhotographsTests
{
    private const double Tolerance = 0.002;

    private TempFolder? folder;
    private string data = "";

    [OneTimeSetUp]
    public void ExtractOnce()
    {
        data = Paths.SharedOrSkip("data");
        folder = Paths.NewTempFolder();
        var result = MirrorProcess.Run(
            "match", "--images", Path.Combine(data, "image_list.txt"), "--root", Path.Combine(data, "images"), "--out", folder.Root, "--size", "448", "--fit", "crop");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
    }

    [OneTimeTearDown]
    public void Clean() => folder?.Dispose();

    [Test]
    public void Match_CroppedAt448_ReachesTheCardsFigure() =>
        AssertMap(Path.Combine(folder!.Root, "match_pairs"), 0.9154);

    [TestCase(0.8799)]
    [TestCase(0.9127, "--dim", "128")]
    [TestCase(0.9280, "--dim", "256", "--expand", "5", "--expand-pairing", "same", "--expand-alpha", "1")]
    [TestCase(0.7715, "--similarity", "r-mac")]
    [TestCase(0.8225, "--similarity", "mac")]
    public void Query_OtherSettings_ReachesTheCardsFigure(double expected, params string[] options)
    {
        using var output = Paths.NewTempFolder();
        var result = MirrorProcess.Run(["query", "--features", Path.Combine(folder!.Root, "features"), "--out", output.Root, .. options]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        AssertMap(output.File("match_pairs"), expected);
    }

    [Test]
    public void Match_OneRegionAt224_ReachesTheCardsFigure()
    {
        using var output = Paths.NewTempFolder();
        var result = MirrorProcess.Run(
            "match", "--images", Path.Combine(data, "image_list.txt"), "--root", Path.Combine(data, "images"), "--out", output.Root, "--size", "224", "--fit", "crop", "--no-whitening");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        AssertMap(output.File("match_pairs"), 0.7983);
    }

    [Test]
    public void Match_DefaultSettings_ReachesTheCardsFigure()
    {
        using var output = Paths.NewTempFolder();
        var result = MirrorProcess.Run("match", "--images", Path.Combine(data, "image_list.txt"), "--root", Path.Combine(data, "images"), "--out", output.Root);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        AssertMap(output.File("match_pairs"), 0.9371);
    }

    private void AssertMap(string matchPairs, double expected)
    {
        var score = OverlapBenchmark.Evaluate(matchPairs, Path.Combine(data, "gt_pairs.txt"));
        TestContext.Out.WriteLine($"mAP {score.MeanAveragePrecision:F4}, the card says {expected:F4}");
        Assert.That(score.Queries, Is.EqualTo(190));
        Assert.That(score.MeanAveragePrecision, Is.EqualTo(expected).Within(Tolerance));
    }
}
