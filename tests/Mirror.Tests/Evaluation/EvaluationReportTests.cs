using NUnit.Framework;
using System.Text.Json;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Evaluation;

/// <summary>What <c>mirror eval</c> writes and prints, and what it knows of the ranking's origin.</summary>
public sealed class EvaluationReportTests
{
    private TempFolder folder = null!;

    [SetUp]
    public void MakeRanking()
    {
        folder = Paths.NewTempFolder();
        File.WriteAllText(folder.File("match_pairs"), "0 0 1.0\n0 1 0.9\n1 1 1.0\n1 2 0.5\n1 0 0.4");
        File.WriteAllText(folder.File("gt"), "0 1\n1 0\n");
        File.WriteAllText(folder.File("names"), "a, with \"quotes\".jpg\nb.jpg\nc.jpg\n");
    }

    [TearDown]
    public void Clean() => folder.Dispose();

    [Test]
    public void EvalOverlap_Out_WritesEveryQueryWithModelAndSettings()
    {
        Directory.CreateDirectory(folder.File("features"));
        File.WriteAllText(Path.Combine(folder.File("features"), "extraction.json"), """{"model_sha256": "abc", "size": 448}""");
        File.WriteAllText(folder.File("summary.json"), """{"whitened": true, "skipped": [{"name": "d.jpg"}], "extraction": {"size": 448}}""");
        var result = MirrorProcess.Run("eval", "overlap", folder.File("match_pairs"), folder.File("gt"), "--images", folder.File("names"), "--out", folder.File("out"), "--json");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        using var summary = JsonDocument.Parse(result.Output);
        Assert.That(summary.RootElement.GetProperty("mean_average_precision").GetDouble(), Is.EqualTo((1 + 0.25) / 2));
        Assert.That(summary.RootElement.GetProperty("queries").GetInt32(), Is.EqualTo(2));
        Assert.That(summary.RootElement.TryGetProperty("per_query", out _), Is.False);
        var settings = """{"extraction":{"model_sha256":"abc","size":448},"summary":{"whitened":true}}""";
        var constants = $",abc,\"{settings.Replace("\"", "\"\"", StringComparison.Ordinal)}\",{MirrorLibrary.Version}";
        Assert.That(File.ReadAllLines(Path.Combine(folder.File("out"), "overlap.csv")), Is.EqualTo([
            "query,level,average_precision,positives,found,retrieved,precision_at_1,precision_at_5,precision_at_10,model_sha256,settings,version",
            "\"a, with \"\"quotes\"\"\",,1,1,1,1,,," + constants,
            "b,,0.25,1,1,2,,," + constants,
        ]));
        using var written = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.File("out"), "overlap.json")));
        var origin = written.RootElement.GetProperty("origin");
        Assert.That(origin.GetProperty("model_sha256").GetString(), Is.EqualTo("abc"));
        Assert.That(origin.GetProperty("extraction").GetProperty("size").GetInt32(), Is.EqualTo(448));
        Assert.That(origin.GetProperty("summary").GetProperty("whitened").GetBoolean(), Is.True);
        Assert.That(written.RootElement.GetProperty("version").GetString(), Is.EqualTo(MirrorLibrary.Version));
        Assert.That(written.RootElement.GetProperty("per_query").GetArrayLength(), Is.EqualTo(2));
    }

    [Test]
    public void EvalOverlap_QueriesExtractedOtherwise_CsvSettingsTellThemApart()
    {
        Directory.CreateDirectory(folder.File("queries"));
        File.WriteAllText(folder.File("summary.json"), """{"features": null, "query_features": "queries"}""");
        var settings = new List<string>();
        foreach (var kind in (string[])["Whole", "Cropped"])
        {
            File.WriteAllText(Path.Combine(folder.File("queries"), "extraction.json"), $$"""{"oxford_queries": "{{kind}}"}""");
            var result = MirrorProcess.Run("eval", "overlap", folder.File("match_pairs"), folder.File("gt"), "--out", folder.File(kind));
            Assert.That(result.ExitCode, Is.Zero, result.Error);
            settings.Add(File.ReadAllLines(Path.Combine(folder.File(kind), "overlap.csv"))[1]);
            Assert.That(settings[^1], Does.Contain($"\"\"query_extraction\"\":{{\"\"oxford_queries\"\":\"\"{kind}\"\"}}"));
        }

        Assert.That(settings[0], Is.Not.EqualTo(settings[1]));
    }

    [Test]
    public void EvalOverlap_NothingBesideTheRanking_OriginIsNullAndSaidSo()
    {
        var result = MirrorProcess.Run("eval", "overlap", folder.File("match_pairs"), folder.File("gt"), "--out", folder.File("out"));

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Is.EqualTo("mAP 0.6250 over 2 queries\n"));
        Assert.That(result.Error, Does.Contain("no extraction.json beside the ranking"));
        using var written = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.File("out"), "overlap.json")));
        Assert.That(written.RootElement.GetProperty("origin").GetProperty("model_sha256").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(File.ReadAllLines(Path.Combine(folder.File("out"), "overlap.csv"))[1], Is.EqualTo($"0,,1,1,1,1,,,,,,{MirrorLibrary.Version}"));
    }

    [Test]
    public void EvalOxford_Compat_PrintsSixDigitArithmetic()
    {
        string[] golden = [.. new[] { "oxford_pairs", "oxford_images", "oxford_queries", "gt" }.Select(name => Paths.SharedOrSkip("golden/eval/" + name))];
        var result = MirrorProcess.Run("eval", "oxford", golden[0], "--images", golden[1], "--queries", golden[2], "--gt", golden[3], "--compat", "mirror", "--json");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        using var summary = JsonDocument.Parse(result.Output);
        Assert.That(summary.RootElement.GetProperty("arithmetic").GetString(), Does.StartWith("float"));
        Assert.That(summary.RootElement.GetProperty("mean_average_precision").GetDouble(), Is.EqualTo(0.5949666).Within(1e-15));
    }

    [Test]
    public void EvalHolidays_ResultFile_PrintsFiveDecimals()
    {
        var result = MirrorProcess.Run("eval", "holidays", Paths.SharedOrSkip("golden/eval/holidays_result.dat"), "--images", Paths.SharedOrSkip("golden/eval/holidays_images.dat"));
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((0, "mAP 0.60278 over 3 queries\n")), result.Error);
    }

    [Test]
    public void EvalRoxford_Levels_PrintsOneLineEach()
    {
        File.WriteAllText(folder.File("gnd.json"), """{"imlist": ["b", "c"], "qimlist": ["q"], "gnd": [{"easy": [0], "hard": [1], "junk": [], "bbx": [0, 0, 1, 1]}]}""");
        File.WriteAllText(folder.File("images"), "b\nc\n");
        File.WriteAllText(folder.File("queries"), "q\n");
        File.WriteAllText(folder.File("match_pairs"), "0 0 1.0\n0 1 0.9");
        var result = MirrorProcess.Run("eval", "roxford", folder.File("match_pairs"), "--images", folder.File("images"), "--queries", folder.File("queries"), "--gt", folder.File("gnd.json"), "--out", folder.File("out"));

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.EqualTo([
            "easy   mAP 1.0000, mP@1 1.0000, mP@5 1.0000, mP@10 1.0000 over 1 queries",
            "medium mAP 1.0000, mP@1 1.0000, mP@5 1.0000, mP@10 1.0000 over 1 queries",
            "hard   mAP 1.0000, mP@1 1.0000, mP@5 1.0000, mP@10 1.0000 over 1 queries",
        ]));
        Assert.That(File.ReadAllLines(Path.Combine(folder.File("out"), "roxford.csv"))[3], Is.EqualTo($"q,hard,1,1,1,1,1,1,1,,,{MirrorLibrary.Version}"));
    }

    [Test]
    public void EvalOverlap_FeaturesFolderWithoutSettings_IsAnErrorThatNamesIt()
    {
        var result = MirrorProcess.Run("eval", "overlap", folder.File("match_pairs"), folder.File("gt"), "--features", folder.Root);
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("extraction.json"));
    }
}
