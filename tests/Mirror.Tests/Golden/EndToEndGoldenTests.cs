using System.Text.Json;
using Mirror.Evaluation;
using Mirror.Formats;
using Mirror.Photographs;
using Mirror.Pipeline;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Golden;

/// <summary>
/// The original end to end: its checkpoint file, 12 pictures, three settings, rankings and mAP. Features decoded as TensorFlow did, and those of the PNG,
/// are compared exactly; those of accurately decoded JPEGs by the cosine. Rankings start from the golden features.
/// </summary>
[NonParallelizable]
public sealed class EndToEndGoldenTests
{
    private const string Png = "scene1_05.png";
    private const double Tolerance = 1e-5;
    private const double LeastJpegCosine = 0.9998;

    [TestCase("224", 224, false, new[] { 1 }, DecodeMode.Exact)]
    [TestCase("256_1-2-3", 256, false, new[] { 1, 2, 3 }, DecodeMode.Exact)]
    [TestCase("448_1-2_ms", 448, true, new[] { 1, 2 }, DecodeMode.Exact)]
    [TestCase("224", 224, false, new[] { 1 }, DecodeMode.Ifast)]
    [TestCase("256_1-2-3", 256, false, new[] { 1, 2, 3 }, DecodeMode.Ifast)]
    [TestCase("448_1-2_ms", 448, true, new[] { 1, 2 }, DecodeMode.Ifast)]
    public void Extract_OriginalsCheckpoint_EqualsTheOriginalsFeatures(string name, int size, bool multiScale, int[] regions, DecodeMode decode)
    {
        if (decode == DecodeMode.Ifast)
        {
            Requirements.TurboJpegOrSkip();
        }

        var golden = Paths.SharedOrSkip("golden/e2e");
        using var folder = Paths.NewTempFolder();
        var model = folder.File("model.safetensors");
        ModelImporter.Import(Path.Combine(Paths.SharedOrSkip("golden/models"), "model.ckpt"), "half_googlenet", 400000, model, null);
        using var device = Device.Open("cpu");
        using var loaded = Model.Load(model);
        var settings = new ExtractionSettings
        {
            Network = "half_googlenet",
            ModelSha256 = "",
            Size = size,
            Regions = regions,
            Pooling = RegionPooling.Max,
            MultiScale = multiScale,
            Precision = Precision.Fp32,
            Exif = ExifMode.Ignore,
            Decode = decode,
        };
        var photos = PhotoCollection.FromList(Path.Combine(golden, "image_list")).Photos;
        var report = Extraction.Run(device, loaded, settings, photos, folder.File("features"), new ExtractionRun());

        var expected = Npz.Open(Path.Combine(golden, "features.npz"))["features_" + name];
        Assert.That(expected.Shape, Is.EqualTo(new long[] { photos.Count, report.Info.Dimension, report.Info.Regions }));
        var wanted = expected.ToFloat32();
        var length = report.Info.Dimension * report.Info.Regions;
        var least = 1.0;
        for (var i = 0; i < photos.Count; i++)
        {
            var actual = NpyFile.ReadFloat32(Path.Combine(folder.File("features"), report.Features[i]), out _);
            var reference = wanted.AsSpan(i * length, length).ToArray();
            if (photos[i].Name == Png || decode == DecodeMode.Ifast)
            {
                var error = actual.Zip(reference, (a, b) => Math.Abs((double)a - b)).Max() / reference.Max(Math.Abs);
                TestContext.Out.WriteLine($"{photos[i].Name}: largest error {error:E1} of the largest feature");
                Assert.That(error, Is.LessThanOrEqualTo(Tolerance));
            }

            least = Math.Min(least, LeastCosine(actual, reference, report.Info.Regions));
        }

        TestContext.Out.WriteLine($"{name}: least regional cosine {least:F5}");
        Assert.That(least, Is.GreaterThanOrEqualTo(LeastJpegCosine));
        if (decode == DecodeMode.Ifast)
        {
            using var rows = FeatureSet.Load([.. report.Features.Select(feature => Path.Combine(folder.File("features"), feature))], Aggregation.Regions);
            var worst = new ExpectedRanking(Path.Combine(golden, $"match_pairs_{name}_plain")).AssertEqual(Retrieval.Rank(device, rows, null, new RetrievalSettings()));
            TestContext.Out.WriteLine($"{name}: match_pairs from JPEG files, largest score difference {worst:E1}");
        }
    }

    [Test]
    public void Query_GoldenFeatures_EqualsTheOriginalsRankings(
        [Values("224", "256_1-2-3", "448_1-2_ms")] string name,
        [Values("plain", "out_dim_8", "out_dim_8_sklearn", "qe3_et2", "rmac")] string options)
    {
        var golden = Paths.SharedOrSkip("golden/e2e");
        using var folder = Paths.NewTempFolder();
        var features = Npz.Open(Path.Combine(golden, "features.npz"))["features_" + name];
        var (count, dimension, regions) = ((int)features.Shape[0], (int)features.Shape[1], (int)features.Shape[2]);
        var values = features.ToFloat32();
        var paths = Enumerable.Range(0, count).Select(i =>
        {
            NpyFile.Write(folder.File($"{i:00}.npy"), values.AsSpan(i * dimension * regions, dimension * regions), dimension, regions);
            return folder.File($"{i:00}.npy");
        }).ToArray();
        var settings = new RetrievalSettings
        {
            Aggregation = options == "rmac" ? Aggregation.Sum : Aggregation.Regions,
            Compat = options == "out_dim_8_sklearn",
            Dimension = options == "out_dim_8_sklearn" ? 8 : null,
            WhiteningFile = options == "out_dim_8" ? folder.File("whitening") : null,
            ExpandNeighbours = options == "qe3_et2" ? 3 : 0,
            ExpandTimes = options == "qe3_et2" ? 2 : 1,
            ExpandAlpha = options == "qe3_et2" ? 1 : null,
            ExpandPairing = options == "qe3_et2" ? RegionPairing.Same : null,
        };
        using var device = Device.Open("cpu");
        if (settings.WhiteningFile is { } file)
        {
            // More dimensions than Mirror itself would fit on twelve images.
            using var fitted = FeatureSet.Load(paths, settings.Aggregation);
            fitted.Normalize(device);
            using var whitening = Whitening.Fit(device, fitted.Rows, dimension, 8);
            whitening.Save(file);
        }

        using var rows = FeatureSet.Load(paths, settings.Aggregation);
        var ranking = Retrieval.Rank(device, rows, null, settings);

        var worst = new ExpectedRanking(Path.Combine(golden, $"match_pairs_{name}_{options}")).AssertEqual(ranking);
        PairFiles.WriteMatchPairs(folder.File("match_pairs"), ranking);
        var score = OverlapBenchmark.Evaluate(folder.File("match_pairs"), Path.Combine(golden, "gt_pairs"));
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(golden, $"expected_{name}.json")));
        TestContext.Out.WriteLine($"{name} {options}: largest score difference {worst:E1}, mAP {score.MeanAveragePrecision:F6}");
        Assert.That(score.MeanAveragePrecision, Is.EqualTo(expected.RootElement.GetProperty(options).GetProperty("overlap_map").GetDouble()).Within(1e-9));
    }

    [Test]
    public void Match_CompatMirror_WritesTheOriginalsMatchPairs()
    {
        var golden = Paths.SharedOrSkip("golden/e2e");
        Requirements.TurboJpegOrSkip();
        using var folder = Paths.NewTempFolder();
        var model = folder.File("model.safetensors");
        var import = MirrorProcess.Run("model", "import", Path.Combine(Paths.SharedOrSkip("golden/models"), "model.ckpt"), "--step", "400000", "--net", "half_googlenet", "-o", model);
        Assert.That(import.ExitCode, Is.Zero, import.Error);
        var match = MirrorProcess.Run(
            "match", "--images", Path.Combine(golden, "image_list"), "--out", folder.File("out"), "--model", model, "--compat", "mirror", "--size", "256", "--regions", "1,2,3", "--dim", "8");
        Assert.That(match.ExitCode, Is.Zero, match.Error);

        var worst = new ExpectedRanking(Path.Combine(golden, "match_pairs_256_1-2-3_out_dim_8_sklearn")).AssertEqual(new ExpectedRanking(Path.Combine(folder.File("out"), "match_pairs")));
        TestContext.Out.WriteLine($"largest score difference {worst:E1}");
    }

    // Files hold [D, R]: region r is every R-th value from r on.
    private static double LeastCosine(float[] a, float[] b, int regions)
    {
        var least = 1.0;
        for (var r = 0; r < regions; r++)
        {
            double dot = 0, aa = 0, bb = 0;
            for (var i = r; i < a.Length; i += regions)
            {
                (dot, aa, bb) = (dot + ((double)a[i] * b[i]), aa + ((double)a[i] * a[i]), bb + ((double)b[i] * b[i]));
            }

            least = Math.Min(least, dot / Math.Sqrt(aa * bb));
        }

        return least;
    }
}
