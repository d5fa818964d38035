using System.Diagnostics;
using Mirror.Pairs.Export;
using Mirror.Photographs;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pairs.Export;

/// <summary>Names that programs cannot read, and links with safe ones.</summary>
public sealed class NameCheckTests
{
    [TestCase("a/b_1-ü.JPG", NameHazards.None)]
    [TestCase("a b", NameHazards.Space)]
    [TestCase("a\tb", NameHazards.Tab)]
    [TestCase("a\u00A0b", NameHazards.Tab)]
    [TestCase("a ", NameHazards.Space | NameHazards.OuterSpace)]
    [TestCase("#a", NameHazards.LeadingHash)]
    [TestCase("a#", NameHazards.None)]
    [TestCase("a\uFFFD", NameHazards.NotUnicode)]
    [TestCase("a\\b", NameHazards.Backslash)]
    [TestCase("a,b&c", NameHazards.Comma | NameHazards.Markup)]
    [TestCase("\U0001F600.jpg", NameHazards.None)]
    public void Of_Name_HasTheseHazards(string name, NameHazards expected) => Assert.That(NameCheck.Of(name), Is.EqualTo(expected));

    [Test]
    public void Of_HalfASurrogatePair_IsNoUnicode() => Assert.That(NameCheck.Of("a\uD83D.jpg"), Is.EqualTo(NameHazards.NotUnicode));

    [Test]
    public void Find_Clashes_NamesBothSides()
    {
        var findings = NameCheck.Find(["x/A.jpg", "x/a.jpg", "y/a.jpg", "b.jpg"]);
        Assert.That(findings.Select(finding => (finding.Hazard, string.Join(' ', finding.Images))), Is.EqualTo(new[]
        {
            (NameHazards.CaseClash, "0 1"),
            (NameHazards.BaseNameClash, "0 1 2"),
        }));
    }

    [Test]
    public void Describe_Findings_HaveCountsExamplesAndFormats()
    {
        string[] names = ["a b", "c d", "e f", "g h", "#i"];
        Assert.That(NameCheck.Describe(NameCheck.Find(names), names), Is.EqualTo(new[]
        {
            "4 names with a space ('a b', 'c d', 'e f', ...): colmap, hloc, micmac cannot carry them",
            "1 name beginning with # ('#i'): colmap, hloc, kapture cannot carry them",
        }));
    }

    [Test]
    public void Write_NamesOfPairs_AreRefusedAndOthersAreNot()
    {
        using var folder = Paths.NewTempFolder();
        var path = folder.File("list");
        var export = new PairExport(SmallSurvey.Table("a", "b", "c d", "e f", "not in a pair", "g h"));
        Assert.That(
            () => PairExporters.Write("colmap", path, export),
            Throws.InstanceOf<InvalidDataException>().With.Message.StartsWith("3 names with a space ('c d', 'e f', 'g h'): colmap cannot carry them: rename them"));
        Assert.That(path, Does.Not.Exist);
        PairExporters.Write("kapture", path, export);
        Assert.That(Readers.Kapture(File.ReadAllBytes(path))[1].Item2, Is.EqualTo("c d"));
        PairExporters.Write("colmap", path, new PairExport(SmallSurvey.Table("a", "b", "c", "d", "not in a pair", "e")));
        Assert.That(path, Does.Exist);
    }

    // Every format that claims to carry a name does: its reader gets the same pairs back.
    [Test]
    public void Write_AwkwardNames_AreReadBackOrRefused()
    {
        string[] characters = [" ", "\t", "#", "\\", ",", "&", "<", "\"", "'", "é", "\U0001F600", "  ", "\u00A0", "#a", "-"];
        foreach (var character in characters)
        {
            string[] names = [$"{character}1", $"x{character}2", $"y/{character}3", $"z{character}", "not in a pair", $"{character}{character}"];
            var export = new PairExport(SmallSurvey.Table(names));
            var expected = SmallSurvey.Chosen.Select(pair => (names[pair.Item1], names[pair.Item2])).ToArray();
            Check("colmap", file => Readers.Colmap(file, names, []));
            Check("hloc", Readers.Hloc);
            Check("kapture", file => [.. Readers.Kapture(file).Select(row => (row.Item1, row.Item2))]);
            Check("micmac", file => [.. Readers.MicMac(file).Select(pair => (Folder(pair.Item1), Folder(pair.Item2)))]);

            void Check(string format, Func<byte[], List<(string, string)>> read)
            {
                var refused = PairExporters.ByName(format).Refuses & NameCheck.Find(names).Aggregate(NameHazards.None, (all, finding) => all | finding.Hazard);
                if (refused == NameHazards.None)
                {
                    Assert.That(read(SmallSurvey.First(format, export)), Is.EqualTo(expected), $"{format}, '{character}'");
                }
            }

            string Folder(string bare) => Array.Find(names, name => Path.GetFileName(name) == bare)!;
        }
    }

    [Test]
    public void StageLinks_AwkwardNames_AreSafeForEveryFormat()
    {
        using var folder = Paths.NewTempFolder();
        string[] names = ["a b.jpg", "#c.jpg", "x/d.jpg", "y/D.jpg", "a_b.jpg", ".hidden,&.jpg", "ü/e.jpg"];
        var photos = names.Select((name, i) => new Photo(i, name, Path.Combine(folder.File("in"), name))).ToArray();
        foreach (var photo in photos)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(photo.Path)!);
            File.WriteAllText(photo.Path, photo.Name);
        }

        var report = StagedLinks.Create(photos, folder.File("in"), folder.File("out"));
        Assert.That((report.Links, report.Copies, report.Renamed), Is.EqualTo((7, 0, 5)));
        var map = File.ReadAllLines(Path.Combine(folder.File("out"), "names.tsv")).Select(line => line.Split('\t', 2)).ToArray();
        Assert.That(map.Select(row => row[1]), Is.EqualTo(names));
        Assert.That(map.Select(row => row[0]), Is.EqualTo(new[] { "a_b_2.jpg", "_c.jpg", "x/d.jpg", "y/D_2.jpg", "a_b.jpg", "_hidden__.jpg", "_/e.jpg" }));
        Assert.That(map.Select(row => File.ReadAllText(Path.Combine(folder.File("out"), row[0]))), Is.EqualTo(names));
        Assert.That(NameCheck.Find([.. map.Select(row => row[0])]), Is.Empty);
        Assert.That(() => StagedLinks.Create(photos, folder.File("in"), folder.File("out")), Throws.InstanceOf<IOException>().With.Message.Contains("not empty"));
    }

    [Test]
    [Platform("Linux")]
    public void StageLinks_NamesThatAreNoUtf8_AreLinkedToo()
    {
        using var folder = Paths.NewTempFolder();
        var images = folder.File("images");
        Directory.CreateDirectory(images);
        Bash(images, @"mkdir d && printf 1 >$'d/a\377.jpg' && printf 2 >$'b\376.jpg' && printf 3 >$'b\375.jpg' && printf 4 >c.jpg");
        try
        {
            var photos = PhotoCollection.FromDirectory(images).Photos;
            Assert.That(photos.Count(photo => !File.Exists(photo.Path)), Is.EqualTo(3), "such names cannot be opened as they are read");
            var report = StagedLinks.Create(photos, images, folder.File("out"));
            Assert.That((report.Links, report.Copies, report.Renamed), Is.EqualTo((4, 0, 3)));
            var staged = PhotoCollection.FromDirectory(folder.File("out")).Photos;
            Assert.That(staged.Select(photo => photo.Name), Is.EqualTo(new[] { "b_.jpg", "b__2.jpg", "c.jpg", "d/a_.jpg" }));
            var contents = staged.Select(photo => File.ReadAllText(photo.Path)).ToArray();
            Assert.That(contents[2..], Is.EqualTo(new[] { "4", "1" }));
            Assert.That(contents[..2], Is.EquivalentTo(new[] { "2", "3" }));
        }
        finally
        {
            // .NET cannot delete them either.
            Bash(folder.Root, "rm -r images");
        }
    }

    [Test]
    public void StageLinks_PhotographThatIsGone_MakesNothing()
    {
        using var folder = Paths.NewTempFolder();
        Assert.That(
            () => StagedLinks.Create([new Photo(0, "a\uFFFD.jpg", folder.File("a\uFFFD.jpg"))], folder.Root, folder.File("out")),
            Throws.InstanceOf<InvalidDataException>().With.Message.StartsWith("1 of 1 photographs are gone"));
        Assert.That(folder.File("out"), Does.Not.Exist);
    }

    private static void Bash(string folder, string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("bash", ["-c", command]) { WorkingDirectory = folder })!;
        shell.WaitForExit();
        Assert.That(shell.ExitCode, Is.Zero, command);
    }
}
