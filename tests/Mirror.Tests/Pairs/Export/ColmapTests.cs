// COLMAP itself: its matcher takes our list and matches exactly our pairs. Debian's package colmap; skipped where it is absent.

using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Mirror.Formats;
using Mirror.Pairs;
using Mirror.Pairs.Export;
using Mirror.Synthesis;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pairs.Export;

/// <summary>COLMAP's database and match list.</summary>
public sealed class ColmapTests
{
    private static readonly string[] Trouble = ["WARNING", "ERROR", "E20", "W20", "does not exist"];

    [Test]
    public void MatchesImporter_OurList_MatchesExactlyOurPairs()
    {
        using var folder = Paths.NewTempFolder();
        // Later versions call the options otherwise.
        var (extraction, matching) = Colmap(["feature_extractor", "--help"]).Contains("FeatureExtraction.use_gpu", StringComparison.Ordinal)
            ? ("--FeatureExtraction.use_gpu", "--FeatureMatching.use_gpu")
            : ("--SiftExtraction.use_gpu", "--SiftMatching.use_gpu");
        var images = folder.File("images");
        SyntheticSurvey.Render(new SynthOptions { Scenes = 2, ViewsPerScene = 4, Width = 320, Height = 240, Seed = 7 }, images, null, CancellationToken.None);
        string[] names = [.. Mirror.Photographs.PhotoCollection.FromDirectory(images).Photos.Select(photo => photo.Name)];
        Assert.That(names, Has.Length.EqualTo(8));
        (int, int)[] chosen = [(0, 1), (0, 2), (1, 3), (2, 3), (4, 5), (4, 7), (5, 6), (3, 7)];
        CandidatePair[] all = [.. from i in Enumerable.Range(0, 8) from j in Enumerable.Range(i + 1, 7 - i) select new CandidatePair(i, j) { Score = 1, Rule = chosen.Contains((i, j)) ? PairRule.Best : PairRule.Budget }];
        AtomicFile.WriteLines(folder.File("images.txt"), names);
        PairTableFile.Write(folder.File("candidates.tsv"), new PairTable(names, all));
        var database = folder.File("database.db");
        Colmap(["feature_extractor", "--database_path", database, "--image_path", images, extraction, "0", "--SiftExtraction.max_num_features", "500"]);

        var export = MirrorProcess.Run("export", "colmap", folder.Root, "--database", database);
        Assert.That(export.ExitCode, Is.Zero, export.Error);
        Assert.That(export.Error, Does.Contain("the database has all 8 images of the pairs, and 8 in all").And.Not.Contain("key points").And.Not.Contain("already"));
        var log = Colmap(["matches_importer", "--database_path", database, "--match_list_path", folder.File("pairs.colmap.txt"), "--match_type", "pairs", matching, "0"]);
        Assert.That(Array.Find(Trouble, word => log.Contains(word, StringComparison.Ordinal)), Is.Null, log);

        Assert.That(MatchedPairs(database), Is.EquivalentTo(chosen.Select(pair => (names[pair.Item1], names[pair.Item2]))));
        var again = MirrorProcess.Run("export", "colmap", folder.Root, "--database", database);
        Assert.That(again.Error, Does.Contain("8 of 8 pairs are matched in it already"));
    }

    [Test]
    public void Check_DatabaseOfAnotherProject_IsRefusedWithCountsAndExamples()
    {
        using var folder = Paths.NewTempFolder();
        SmallSurvey.Write(folder.Root);
        Database(folder.File("other.db"), "CREATE TABLE images(image_id INTEGER, name TEXT); CREATE TABLE keypoints(image_id INTEGER, rows INTEGER); CREATE TABLE matches(pair_id INTEGER);"
            + "INSERT INTO images VALUES (1, 'other.jpg'), (2, 'over.jpg');");
        var result = MirrorProcess.Run("export", "colmap", folder.Root, "--database", folder.File("other.db"));
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("it lacks 4 of 5 images ('cam0/001.jpg', 'cam0/002.jpg', 'cam1/101.jpg', ...), and has 2 itself ('other.jpg', 'over.jpg')"));
        Assert.That(folder.File("pairs.colmap.txt"), Does.Not.Exist);
    }

    [Test]
    public void Check_FileThatIsNoDatabase_IsRefused()
    {
        using var folder = Paths.NewTempFolder();
        var export = new PairExport(SmallSurvey.Table());
        File.WriteAllText(folder.File("text.db"), new string('x', 4096));
        Database(folder.File("empty.db"), "CREATE TABLE photographs(name TEXT);");
        foreach (var name in (string[])["text.db", "empty.db"])
        {
            Assert.That(() => ColmapDatabase.Check(folder.File(name), export), Throws.InstanceOf<InvalidDataException>().With.Message.Contains("is no COLMAP database"));
        }

        Assert.That(() => ColmapDatabase.Check(folder.File("absent.db"), export), Throws.InstanceOf<FileNotFoundException>());
        Assert.That(folder.File("absent.db"), Does.Not.Exist);
    }

    [Test]
    public void Check_ImagesWithoutKeyPointsAndMatchedPairs_AreCounted()
    {
        using var folder = Paths.NewTempFolder();
        var images = string.Join(", ", SmallSurvey.Names.Select((name, i) => $"({i + 1}, '{name}')"));
        Database(folder.File("d.db"), "CREATE TABLE images(image_id INTEGER, name TEXT); CREATE TABLE keypoints(image_id INTEGER, rows INTEGER); CREATE TABLE matches(pair_id INTEGER);"
            + $"INSERT INTO images VALUES {images}; INSERT INTO keypoints VALUES (1, 10), (2, 0), (3, 4); INSERT INTO matches VALUES ({2147483647L + 2}), ({(2L * 2147483647) + 5});");
        Assert.That(ColmapDatabase.Check(folder.File("d.db"), new PairExport(SmallSurvey.Table())), Is.EqualTo(new DatabaseCheck(6, 3, 1)));
    }

    private static void Database(string path, string script)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Texts of this file.
        command.CommandText = script;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    // From COLMAP's documentation of pair ids, not through Mirror's own function.
    private static List<(string, string)> MatchedPairs(string database)
    {
        using var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT a.name, b.name FROM matches JOIN images a ON a.image_id = pair_id / 2147483647 JOIN images b ON b.image_id = pair_id % 2147483647";
        using var reader = command.ExecuteReader();
        var pairs = new List<(string, string)>();
        while (reader.Read())
        {
            var (first, second) = (reader.GetString(0), reader.GetString(1));
            pairs.Add(string.CompareOrdinal(first, second) < 0 ? (first, second) : (second, first));
        }

        return pairs;
    }

    private static string Colmap(string[] arguments)
    {
        var start = new ProcessStartInfo("colmap", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["QT_QPA_PLATFORM"] = "offscreen";
        Process? process;
        try
        {
            process = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            Assert.Ignore($"skipped: colmap is not installed ({failure.Message})");
            throw;
        }

        using (process)
        {
            var error = process!.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.That(process.ExitCode, Is.Zero, output + error.Result);
            return output + error.Result;
        }
    }
}
