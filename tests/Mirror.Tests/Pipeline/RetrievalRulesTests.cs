// What Retrieval decides by itself: the whitened dimension of small collections, the original's rules under compat, expansion
// and augmentation against plain sums.

using Mirror.Formats;
using Mirror.Pipeline;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pipeline;

[NonParallelizable]
public sealed class RetrievalRulesTests
{
    private const int Images = 12;
    private const int Regions = 4;
    private const int Dimension = 20;

    private TempFolder folder = null!;
    private Device device = null!;
    private string[] paths = [];
    private readonly List<string> notices = [];

    [SetUp]
    public void Prepare()
    {
        folder = Paths.NewTempFolder();
        device = Device.Open("cpu", 1);
        notices.Clear();
        WriteFeatures(Images, Regions, Dimension);
    }

    private void WriteFeatures(int images, int regions, int dimension)
    {
        var random = new Random(20261124);
        paths = [.. Enumerable.Range(0, images).Select(i =>
        {
            var values = Enumerable.Range(0, dimension * regions).Select(_ => random.NextSingle()).ToArray();
            NpyFile.Write(folder.File($"{i:00}.npy"), values, dimension, regions);
            return folder.File($"{i:00}.npy");
        })];
    }

    [TearDown]
    public void Clean()
    {
        device.Dispose();
        folder.Dispose();
    }

    [TestCase(256, 12190, 256)]
    [TestCase(256, 2048, 256)]
    [TestCase(256, 2047, 255)]
    [TestCase(256, 512, 64)]
    [TestCase(256, 511, 0)]
    [TestCase(63, 511, 63)]
    [TestCase(16, 265, 16)]
    [TestCase(1, 7, 0)]
    public void FittedDimension_EightRowsADimension_OrNone(int wanted, int rows, int expected) =>
        Assert.That(Retrieval.FittedDimension(wanted, rows), Is.EqualTo(expected));

    [Test]
    public void Rank_DimensionAboveWhatRowsCarry_IsLoweredAndSaid()
    {
        WriteFeatures(35, 16, 100);
        Assert.That(Rank(new RetrievalSettings { Dimension = 90 }).WhitenedDimension, Is.EqualTo(70));
        Assert.That(notices, Has.Some.Contains("70 dimensions instead of 90: 560 descriptor vectors"));
        notices.Clear();
        Assert.That(Rank(new RetrievalSettings { Dimension = 70 }).WhitenedDimension, Is.EqualTo(70));
        Assert.That(notices, Has.None.Contains("instead of"));
    }

    [Test]
    public void Rank_TooFewRows_WhitensNothingAndSaysSo()
    {
        Assert.That(Rank(new RetrievalSettings { Dimension = Dimension }).WhitenedDimension, Is.Null);
        Assert.That(notices, Has.Some.Contains("no whitening: 48 descriptor vectors are too few to fit 20"));
        Assert.That(
            () => Rank(new RetrievalSettings { Dimension = Dimension, SaveWhitening = folder.File("w") }),
            Throws.ArgumentException.With.Message.Contains("--save-whitening"));
        using var rows = FeatureSet.Load(paths, Aggregation.Regions);
        Assert.That(
            () => Retrieval.FitWhitening(device, rows, new RetrievalSettings { Dimension = Dimension }),
            Throws.ArgumentException.With.Message.Contains("at most --dim 6"));
    }

    [Test]
    public void FitWhitening_FewerRowsThanOneDimensionTakes_OffersNoDimension()
    {
        WriteFeatures(1, Regions, Dimension);
        using var rows = FeatureSet.Load(paths, Aggregation.Regions);
        Assert.That(
            () => Retrieval.FitWhitening(device, rows, new RetrievalSettings { Dimension = 2 }),
            Throws.ArgumentException.With.Message.Contains("4 descriptor vectors are too few to fit a whitening").And.Message.Contains("more images").And.Message.Not.Contains("--dim"));
    }

    [Test]
    public void CheckFits_VarianceOfFewerRowsThanOneDimensionTakes_IsRefusedAsRankWould()
    {
        WriteFeatures(1, Regions, Dimension);
        var settings = new RetrievalSettings { Variance = 0.5 };
        foreach (var refused in (Action[])[() => Retrieval.CheckFits(device, settings, 1, Regions, Dimension), () => Rank(settings)])
        {
            Assert.That(refused.Invoke, Throws.ArgumentException.With.Message.Contains("4 descriptor vectors are too few to fit a whitening"));
        }

        Assert.That(() => Retrieval.CheckFits(device, settings, 2, Regions, Dimension), Throws.Nothing);
    }

    // What is refused before extraction is exactly what would be refused after it.
    [TestCase(false, Aggregation.Regions, 6, null)]
    [TestCase(false, Aggregation.Regions, 7, "48 descriptor vectors are too few to fit 7")]
    [TestCase(false, Aggregation.Sum, 1, null)]
    [TestCase(false, Aggregation.Sum, 2, "12 descriptor vectors are too few to fit 2")]
    [TestCase(true, Aggregation.Regions, 11, null)]
    [TestCase(true, Aggregation.Regions, 12, "12 images are not more than 12")]
    public void CheckFits_WhiteningToSave_IsRefusedWhereRankWould(bool compat, Aggregation aggregation, int dimension, string? message)
    {
        var settings = new RetrievalSettings { Compat = compat, Aggregation = aggregation, Dimension = dimension, SaveWhitening = folder.File("whitening") };
        foreach (var refused in (Action[])[() => Retrieval.CheckFits(device, settings, Images, Regions, Dimension), () => Rank(settings)])
        {
            if (message is null)
            {
                Assert.That(refused.Invoke, Throws.Nothing);
            }
            else
            {
                Assert.That(refused.Invoke, Throws.ArgumentException.With.Message.Contains(message).And.Message.Contains("--save-whitening"));
            }
        }
    }

    [Test]
    public void Rank_CompatWithFewImages_IgnoresEvenAFileAndSaysSo()
    {
        var file = folder.File("whitening");
        Rank(new RetrievalSettings { Dimension = 3, SaveWhitening = file });
        notices.Clear();
        var ignored = new RetrievalSettings { Compat = true, WhiteningFile = file, Dimension = Images };
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Rank(ignored).WhitenedDimension, Is.Null);
            Assert.That(notices, Has.Some.Contains($"{Images} images are not more than {Images} dimensions").And.Some.Contains($"{file} is ignored"));
            Assert.That(Rank(ignored with { Dimension = Images - 1 }).WhitenedDimension, Is.EqualTo(3));
        }
    }

    [Test]
    public void Rank_CompatExpansionWithoutTimes_DoesNothingAndSaysSo()
    {
        var plain = Rank(new RetrievalSettings { Compat = true });
        var none = Rank(new RetrievalSettings { Compat = true, ExpandNeighbours = 3, ExpandTimes = 0 });
        Assert.That(none.Result.Scores, Is.EqualTo(plain.Result.Scores));
        Assert.That(notices, Has.Some.Contains("--expand 3 does nothing"));
    }

    [Test]
    public void Rank_Augmented_SearchesImagesExpandedWithTheirOthers()
    {
        const int neighbours = 3;
        using var rows = FeatureSet.Load(paths, Aggregation.Regions);
        rows.Normalize(device);
        var original = rows.Rows.Slice(0, Images * Regions * Dimension).ToArray();
        var scores = new float[Images * Images];
        Operations.SimilarityScores(device, original, original, Regions, Dimension, Similarity.PrMac, Metric.Dot, scores);
        var augmented = new float[original.Length];
        for (var image = 0; image < Images; image++)
        {
            var others = Enumerable.Range(0, Images).Where(i => i != image).OrderByDescending(i => scores[(image * Images) + i]).Take(neighbours).ToArray();
            for (var r = 0; r < Regions; r++)
            {
                var at = ((image * Regions) + r) * Dimension;
                var sums = Enumerable.Range(0, Dimension)
                    .Select(c => original[at + c] + others.Sum(other => Math.Pow(scores[(image * Images) + other] / (double)Regions, 2) * original[(((other * Regions) + r) * Dimension) + c]))
                    .ToArray();
                var norm = Math.Sqrt(sums.Sum(x => x * x));
                Enumerable.Range(0, Dimension).ToList().ForEach(c => augmented[at + c] = (float)(sums[c] / norm));
            }
        }

        Operations.SimilarityScores(device, original, augmented, Regions, Dimension, Similarity.PrMac, Metric.Dot, scores);
        var ranking = Rank(new RetrievalSettings { Augment = neighbours, ExpandAlpha = 2, ExpandPairing = RegionPairing.Same });
        for (var query = 0; query < Images; query++)
        {
            for (var rank = 0; rank < Images; rank++)
            {
                var expected = scores[(query * Images) + ranking.Id(query, rank)] / (double)Regions;
                Assert.That(ranking.Score(query, rank), Is.EqualTo(expected).Within(1e-6));
            }
        }
    }

    [Test]
    public void Rank_AugmentedOneImage_IsItself()
    {
        paths = [paths[0]];
        var ranking = Rank(new RetrievalSettings { Augment = 5 });
        Assert.That((ranking.Id(0, 0), ranking.Score(0, 0)), Is.EqualTo((0, 1.0)).Using<(int, double)>((a, b) => a.Item1 == b.Item1 && Math.Abs(a.Item2 - b.Item2) < 1e-6));
    }

    [Test]
    public void Validate_OptionsWithoutMeaning_AreRefused()
    {
        using (Assert.EnterMultipleScope())
        {
            Refused(new RetrievalSettings { ExpandAlpha = 2 }, "do nothing without --expand");
            Refused(new RetrievalSettings { ExpandPairing = RegionPairing.Best }, "do nothing without --expand");
            Refused(new RetrievalSettings { ExpandNeighbours = 2, ExpandAlpha = -1 }, "--expand-alpha is -1");
            Refused(new RetrievalSettings { Augment = -2 }, "--augment is -2");
            Refused(new RetrievalSettings { Augment = 2, Metric = Metric.Euclidean }, "--augment");
            Refused(new RetrievalSettings { Compat = true, Augment = 2 }, "--compat mirror");
            Refused(new RetrievalSettings { ExpandNeighbours = 2, ExpandTimes = 0 }, "--expand-times is 0, expected at least 1");
            Refused(new RetrievalSettings { Dimension = 2, Variance = 0.5 }, "exclude each other");
            Refused(new RetrievalSettings { SaveWhitening = "w" }, "--save-whitening w: no whitening is asked for");
            Assert.That(() => new RetrievalSettings { Compat = true, Dimension = 2, Variance = 0.5 }.Validate(), Throws.Nothing);
        }
    }

    [Test]
    public void WithDefaults_Expansion_SpellsOutWeightsAndPairing()
    {
        var own = new RetrievalSettings { Augment = 2 }.WithDefaults();
        var original = new RetrievalSettings { Compat = true, ExpandNeighbours = 2 }.WithDefaults();
        Assert.That((own.ExpandAlpha, own.ExpandPairing), Is.EqualTo(((double?)0, (RegionPairing?)RegionPairing.Best)));
        Assert.That((original.ExpandAlpha, original.ExpandPairing), Is.EqualTo(((double?)1, (RegionPairing?)RegionPairing.Same)));
        Assert.That(new RetrievalSettings().WithDefaults(), Is.EqualTo(new RetrievalSettings()));
    }

    private static void Refused(RetrievalSettings settings, string message) =>
        Assert.That(settings.Validate, Throws.ArgumentException.With.Message.Contains(message));

    private Ranking Rank(RetrievalSettings settings)
    {
        using var rows = FeatureSet.Load(paths, settings.Aggregation);
        return Retrieval.Rank(device, rows, null, settings, notices.Add);
    }
}
