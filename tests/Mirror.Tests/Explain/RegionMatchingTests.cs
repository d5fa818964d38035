using NUnit.Framework;
using Mirror.Explain;
using Mirror.Tests.Core;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Explain;

public sealed class RegionMatchingTests : NativeFixture
{
    private const int Dimension = 24;

    private Device device = null!;

    [SetUp]
    public void OpenDevice() => device = Device.Open("cpu", 1);

    [TearDown]
    public void CloseDevice() => device.Dispose();

    [TestCase(3)]
    [TestCase(4)]
    public void Create_SeededRows_EqualsBruteForceInDouble(int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        float[] a = UnitRows(14, Dimension, seed), b = UnitRows(9, Dimension, seed + 100);
        var matching = RegionMatching.Create(device, a, b, Dimension);
        Assert.That(matching.Forward.Select(match => match.To), Is.EqualTo(Enumerable.Range(0, 14).Select(row => BestOf(a, row, b, 9))));
        Assert.That(matching.Backward.Select(match => match.To), Is.EqualTo(Enumerable.Range(0, 9).Select(row => BestOf(b, row, a, 14))));
        Assert.That(matching.Mutual.Select(match => (match.From, match.To)), Is.EquivalentTo(
            Enumerable.Range(0, 14).Select(row => (row, BestOf(a, row, b, 9))).Where(pair => BestOf(b, pair.Item2, a, 14) == pair.row)));
        Assert.That(matching.Mutual.Select(match => match.Similarity), Is.Ordered.Descending.And.Not.Empty);
    }

    [Test]
    public void Scores_SeededRows_AreThoseOfTheSearch()
    {
        float[] a = UnitRows(14, Dimension, 8), b = UnitRows(14, Dimension, 9);
        var scores = new float[1];
        var matching = RegionMatching.Create(device, a, b, Dimension);
        Operations.SimilarityScores(device, a, b, 14, Dimension, Similarity.PrMac, Metric.Dot, scores);
        Assert.That(matching.ForwardScore, Is.EqualTo(scores[0] / 14).Within(1e-6));
        Operations.SimilarityScores(device, b, a, 14, Dimension, Similarity.PrMac, Metric.Dot, scores);
        Assert.That(matching.BackwardScore, Is.EqualTo(scores[0] / 14).Within(1e-6));
        Assert.That(matching.ForwardScore, Is.Not.EqualTo(matching.BackwardScore).Within(1e-4), "PR-MAC has a direction");
    }

    [Test]
    public void Create_EqualRegions_TakesTheFirst()
    {
        float[] rows = UnitRows(3, Dimension, 1);
        float[] twice = [.. rows, .. rows];
        Assert.That(RegionMatching.Create(device, rows, twice, Dimension).Forward.Select(match => match.To), Is.EqualTo([0, 1, 2]));
    }

    [Test]
    public void Of_KnownSimilarities_MutualLeadRowAndColumnBestFirst()
    {
        var matching = RegionMatching.Of([0.1f, 0.5f, 0.2f, 0.3f, 0.4f, 0.4f, 0.9f, 0.9f, 0.4f], 3, 3);
        Assert.That(matching.Mutual.Select(match => (match.From, match.To)), Is.EqualTo([(2, 0)]), "of equal ones the first, in rows and columns");
        matching = RegionMatching.Of([0.1f, 0.6f, 0.2f, 0.9f, 0.3f, 0.4f], 2, 3);
        Assert.That(matching.Mutual, Is.EqualTo([new RegionMatch(1, 0, 0.9f), new RegionMatch(0, 1, 0.6f)]));
        Assert.That(() => RegionMatching.Of([0.1f, 0.2f], 2, 2), Throws.ArgumentException.With.Message.Contains("similarities"));
    }

    [Test]
    public void Mask_GoldenRegions_EqualsTheOriginalsMaskPred()
    {
        var golden = Npz.Open(Paths.SharedOrSkip("golden/deep_query/mask.npz"));
        var geometry = new RegionGeometry(896, 896, [(28, 28)], [1, 3, 5]);
        var matching = RegionMatching.Create(device, golden["rv0"].ToFloat32(), golden["rv1"].ToFloat32(), 16);
        Assert.That(RegionMask.Create(matching.Backward, geometry), Is.EqualTo(golden["mask0"].Bytes.ToArray()));
        Assert.That(RegionMask.Create(matching.Forward, geometry), Is.EqualTo(golden["mask1"].Bytes.ToArray()));
    }

    // The original's function once more: regions of 28, 14 and 8 cells at multiples of 7 and 5, levels by the source's scale.
    [TestCase(11)]
    [TestCase(12)]
    public void Mask_SeededMatches_EqualsTheOriginalsRectangles(int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var matches = Enumerable.Range(0, 35).Select(from => new RegionMatch(from, random.Next(1, 35), 0.80f + (0.15f * random.NextSingle()))).ToArray();
        var expected = new byte[28 * 28];
        foreach (var match in matches)
        {
            if (match.Similarity > 0.90)
            {
                var (side, top, left) = match.To < 10
                    ? (14, 7 * ((match.To - 1) / 3), 7 * ((match.To - 1) % 3))
                    : (8, 5 * ((match.To - 10) / 5), 5 * ((match.To - 10) % 5));
                for (var cell = 0; cell < side * side; cell++)
                {
                    expected[((top + (cell / side)) * 28) + left + (cell % side)] = (byte)(85 * (match.From == 0 ? 1 : match.From < 10 ? 2 : 3));
                }
            }
        }

        Assert.That(RegionMask.Create(matches, new RegionGeometry(896, 896, [(28, 28)], [1, 3, 5])), Is.EqualTo(expected));
        Assert.That(expected.Distinct().Count(), Is.GreaterThan(2), "several levels");
    }

    [Test]
    public void Mask_OtherLayout_FillsTheBestRegionByTheLevelOfTheSource()
    {
        // Steps 1 and 2 on 14 x 14 cells: regions 0 (all), then 8 x 8 cells at 0 or 6.
        var geometry = new RegionGeometry(448, 448, [(14, 14)], [1, 2]);
        var mask = RegionMask.Create([new RegionMatch(0, 0, 0.95f), new RegionMatch(3, 1, 0.91f), new RegionMatch(4, 4, 0.90f)], geometry, 0.905);
        for (var cell = 0; cell < 14 * 14; cell++)
        {
            var inFirst = cell / 14 < 8 && cell % 14 < 8;
            Assert.That(mask[cell], Is.EqualTo(inFirst ? 255 : 127), $"cell {cell}");
        }

        Assert.That(RegionMask.Coverage(mask), Is.EqualTo(1));
        Assert.That(RegionMask.Coverage(RegionMask.Create([new RegionMatch(0, 1, 0.95f)], geometry)), Is.EqualTo(64 / 196.0).Within(1e-15));
        Assert.That(RegionMask.Coverage(RegionMask.Create([new RegionMatch(0, 1, 0.89f)], geometry)), Is.Zero);
    }

    private static int BestOf(float[] from, int row, float[] to, int count) =>
        Enumerable.Range(0, count).MaxBy(other => Enumerable.Range(0, Dimension).Sum(d => (double)from[(row * Dimension) + d] * to[(other * Dimension) + d]));
}
