using NUnit.Framework;
using System.Text.Json;
using Mirror.Formats;
using Mirror.Pipeline;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Golden;

/// <summary>The original's deep_query.py on 40 images and 6 queries, every option: scores to 2e-6, ranks equal. With --compat mirror, and without where that means the same.</summary>
[NonParallelizable]
public sealed class DeepQueryGoldenTests
{
    private TempFolder folder = null!;
    private Device device = null!;
    private string[] database = [];
    private string[] queries = [];

    [OneTimeSetUp]
    public void WriteFeatures()
    {
        folder = Paths.NewTempFolder();
        device = Device.Open("cpu");
        var features = Npz.Open(Paths.Data("deep_query/features.npz"));
        database = WriteEach(features["features"], "d");
        queries = WriteEach(features["queries"], "q");
    }

    [OneTimeTearDown]
    public void Clean()
    {
        device.Dispose();
        folder.Dispose();
    }

    [TestCaseSource(nameof(CompactCases))]
    public void Rank_CompactSet_EqualsTheOriginal(string name, bool compat) => AssertCase(Paths.Data("deep_query"), name, compat);

    [TestCaseSource(nameof(FullCases))]
    public void Rank_FullSet_EqualsTheOriginal(string name, bool compat) => AssertCase(Paths.SharedOrSkip("golden/deep_query"), name, compat);

    [Test]
    public void Cases_FullSet_AreAllFiftySix()
    {
        Paths.SharedOrSkip("golden/deep_query/index.json");
        Assert.That(FullCases().Count(item => (bool)item[1]), Is.EqualTo(56));
    }

    private static IEnumerable<object[]> CompactCases() => Runs(Paths.Data("deep_query/index.json"));

    private static IEnumerable<object[]> FullCases()
    {
        var index = Path.Combine(Paths.Shared, "golden", "deep_query", "index.json");
        return File.Exists(index) ? Runs(index) : [["absent", true]];
    }

    // Every case as the original (scikit-learn's solver), and without compat where Mirror's own rules lead to the same.
    private static IEnumerable<object[]> Runs(string index)
    {
        foreach (var (name, item) in Cases(index))
        {
            yield return [name, true];
            var options = item.GetProperty("options");
            var rows = 40 * item.GetProperty("num_regions").GetInt32();
            var lowered = Number(options, "out_dim") is { } dim && (dim != Retrieval.FittedDimension(dim, rows) || !item.GetProperty("use_pca").GetBoolean());
            if (!lowered && !(Flag(options, "euclidean") && Number(options, "qe") is > 0))
            {
                yield return [name, false];
            }
        }
    }

    private void AssertCase(string golden, string name, bool compat)
    {
        var item = Cases(Path.Combine(golden, "index.json"))[name];
        var file = item.TryGetProperty(compat ? "sklearn" : "exact", out var solver) ? solver : item.GetProperty("file");
        var expected = new ExpectedRanking(Path.Combine(golden, file.GetString()!));
        var settings = Settings(item.GetProperty("options"), compat);
        using var rows = FeatureSet.Load(database, settings.Aggregation);
        using var asked = item.GetProperty("query_list").GetBoolean() ? FeatureSet.Load(queries, settings.Aggregation) : null;

        var ranking = Retrieval.Rank(device, rows, asked, settings);

        Assert.That(ranking.WhitenedDimension is not null, Is.EqualTo(item.GetProperty("use_pca").GetBoolean()));
        TestContext.Out.WriteLine($"{name}: largest score difference {expected.AssertEqual(ranking):E1}");
    }

    private static RetrievalSettings Settings(JsonElement options, bool compat)
    {
        var rounds = Number(options, "et") ?? 0;
        return new RetrievalSettings
        {
            Compat = compat,
            Aggregation = Flag(options, "use_rmac") ? Aggregation.Sum : Flag(options, "use_mac") ? Aggregation.First : Aggregation.Regions,
            Similarity = Flag(options, "aml") ? Similarity.Aml : Similarity.PrMac,
            Metric = Flag(options, "euclidean") ? Metric.Euclidean : Metric.Dot,
            Dimension = Number(options, "out_dim"),
            Variance = options.TryGetProperty("pca_thresh", out var threshold) ? threshold.GetDouble() : null,
            WhiteningFile = options.TryGetProperty("pca", out _) ? Paths.Data("deep_query/pca_24d.safetensors") : null,
            Top = Number(options, "top") ?? 200,
            ExpandNeighbours = compat || rounds > 0 ? Number(options, "qe") ?? 0 : 0,
            ExpandTimes = compat ? rounds : Math.Max(rounds, 1),
            ExpandAlpha = compat || rounds == 0 ? null : 1,
            ExpandPairing = compat || rounds == 0 ? null : RegionPairing.Same,
        };
    }

    private string[] WriteEach(NpyArray features, string prefix)
    {
        var (count, dimension, regions) = ((int)features.Shape[0], features.Shape[1], features.Shape[2]);
        var (values, size) = (features.ToFloat32(), (int)(dimension * regions));
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var path = folder.File($"{prefix}{i:00}.npy");
            NpyFile.Write(path, values.AsSpan(i * size, size), dimension, regions);
            return path;
        })];
    }

    private static Dictionary<string, JsonElement> Cases(string index)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(index));
        return document.RootElement.GetProperty("cases").EnumerateArray().ToDictionary(item => item.GetProperty("name").GetString()!, item => item.Clone());
    }

    private static bool Flag(JsonElement options, string name) => options.TryGetProperty(name, out var value) && value.GetBoolean();

    private static int? Number(JsonElement options, string name) => options.TryGetProperty(name, out var value) ? value.GetInt32() : null;
}
