using NUnit.Framework;
using System.Text.Json;
using Mirror.Formats;
using Mirror.Pipeline;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Cli;

/// <summary>What <c>mirror query</c> tells of a ranking, and how an evaluation finds it.</summary>
public sealed class QuerySummaryTests
{
    private const int Images = 6;

    private TempFolder folder = null!;

    [SetUp]
    public void MakeDescriptors()
    {
        folder = Paths.NewTempFolder();
        var random = new Random(11);
        foreach (var (name, hash) in (ReadOnlySpan<(string, string)>)[("database", "abc"), ("queries", "def")])
        {
            Directory.CreateDirectory(folder.File(name));
            File.WriteAllText(Path.Combine(folder.File(name), "extraction.json"), $$"""{"model_sha256": "{{hash}}"}""");
            for (var i = 0; i < Images; i++)
            {
                NpyFile.Write(Path.Combine(folder.File(name), $"{i}.npy"), Enumerable.Range(0, 8).Select(_ => random.NextSingle()).ToArray(), 4, 2);
            }
        }
    }

    [TearDown]
    public void Clean() => folder.Dispose();

    [Test]
    public void Query_SummaryFile_NamesSettingsAndFoldersAndEvaluationsFollow()
    {
        var output = folder.File("results/one");
        var query = MirrorProcess.Run(
            "query", "--features", folder.File("database"), "--queries", folder.File("queries"), "--out", output, "--top", "3", "--augment", "2", "--dim", "1", "--save-whitening", folder.File("w"), "--json");
        Assert.That(query.ExitCode, Is.Zero, query.Error);
        Assert.That(File.ReadAllText(Path.Combine(output, "summary.json")), Is.EqualTo(query.Output));
        using var summary = JsonDocument.Parse(query.Output);
        var retrieval = summary.RootElement.GetProperty("retrieval");
        Assert.That((retrieval.GetProperty("top").GetInt32(), retrieval.GetProperty("augment").GetInt32(), retrieval.GetProperty("dimension").GetInt32()), Is.EqualTo((3, 2, 1)));
        Assert.That(retrieval.GetProperty("expand_pairing").GetString(), Is.EqualTo("Best"));
        Assert.That(summary.RootElement.GetProperty("features").GetString(), Is.EqualTo(Path.Combine("..", "..", "database")));
        Assert.That(summary.RootElement.GetProperty("whitening_sha256").ValueKind, Is.EqualTo(JsonValueKind.Null));

        File.WriteAllText(folder.File("gt"), "0 1\n1 0\n");
        var eval = MirrorProcess.Run("eval", "overlap", Path.Combine(output, "match_pairs"), folder.File("gt"), "--json");
        Assert.That(eval.ExitCode, Is.Zero, eval.Error);
        using var evaluated = JsonDocument.Parse(eval.Output);
        var origin = evaluated.RootElement.GetProperty("origin");
        Assert.That(origin.GetProperty("model_sha256").GetString(), Is.EqualTo("abc"));
        Assert.That(origin.GetProperty("query_extraction").GetProperty("model_sha256").GetString(), Is.EqualTo("def"));
        Assert.That(origin.GetProperty("summary").GetProperty("retrieval").GetProperty("top").GetInt32(), Is.EqualTo(3));

        File.Delete(Path.Combine(folder.File("database"), "extraction.json"));
        File.WriteAllText(Path.Combine(output, "extraction.json"), """{"model_sha256": "of other descriptors"}""");
        eval = MirrorProcess.Run("eval", "overlap", Path.Combine(output, "match_pairs"), folder.File("gt"), "--json");
        Assert.That(eval.Output, Does.Contain("\"model_sha256\":null"), "what the summary names is never replaced by what lies nearer");

        var again = MirrorProcess.Run("query", "--features", folder.File("database"), "--out", output, "--whitening", folder.File("w"), "--json");
        Assert.That(again.ExitCode, Is.Zero, again.Error);
        using var other = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "summary.json")));
        Assert.That(other.RootElement.GetProperty("whitening_sha256").GetString(), Has.Length.EqualTo(64));
        Assert.That(other.RootElement.GetProperty("query_features").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [Test]
    public void WriteMatchPairs_SummaryOfAnEarlierRanking_IsRemoved()
    {
        File.WriteAllText(folder.File("summary.json"), "{}");
        PairFiles.WriteMatchPairs(folder.File("match_pairs"), new Ranking(new SearchResult(1, 1, [0], [1f]), 1, null));
        Assert.That(File.ReadAllText(folder.File("match_pairs")), Is.EqualTo("0 0 1.0"));
        Assert.That(folder.File("summary.json"), Does.Not.Exist);
    }

    [Test]
    public void Query_ListBesideTheDescriptors_EvaluationStillFindsTheModel()
    {
        File.WriteAllLines(folder.File("list"), Enumerable.Range(0, Images).Select(i => $"database/{i}.npy"));
        File.WriteAllText(folder.File("gt"), "0 1\n1 0\n");
        var query = MirrorProcess.Run("query", "--features", folder.File("list"), "--out", folder.File("results"));
        Assert.That(query.ExitCode, Is.Zero, query.Error);
        var eval = MirrorProcess.Run("eval", "overlap", folder.File("results/match_pairs"), folder.File("gt"), "--json");
        Assert.That(eval.Output, Does.Contain("\"model_sha256\":\"abc\""), eval.Error);
    }

    [Test]
    public void FolderOf_ClimbsToTheSettings_ButOnlyAboveAllFiles()
    {
        string[] deep = [folder.File("database/a/b/0.npy"), folder.File("database/a/c/1.npy")];
        Assert.That(FeatureList.FolderOf(deep, folder.Root), Is.EqualTo("database"));
        Assert.That(FeatureList.FolderOf([folder.File("database/0.npy"), folder.File("database2/0.npy")], folder.Root), Is.Null);
    }
}
