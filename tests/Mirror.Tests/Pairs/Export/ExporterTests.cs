// Every exporter's files against golden ones written by hand, and against the restated readers.

using System.Text;
using Mirror.Pairs.Export;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pairs.Export;

/// <summary>What is written for each program.</summary>
public sealed class ExporterTests
{
    private static readonly uint?[] AliceVisionIds = [4000000001, 17, 900, 23, null, 4294967294];
    private static readonly uint?[] OpenMvgIds = [5, 0, 3, 2, null, 1];

    private static IEnumerable<string> NameFormats => ["colmap", "hloc", "opensfm", "micmac", "metashape", "kapture", "tsv", "json"];

    [TestCaseSource(nameof(NameFormats))]
    public void Write_SmallSurvey_IsTheGoldenFile(string format) => RequireGolden(format, SmallSurvey.First(format, new PairExport(SmallSurvey.Table())));

    [Test]
    public void Write_Ids_AreTheGoldenFiles()
    {
        RequireGolden("openmvg", SmallSurvey.First("openmvg", new PairExport(SmallSurvey.Table()) { Ids = OpenMvgIds }));
        RequireGolden("alicevision", SmallSurvey.First("alicevision", new PairExport(SmallSurvey.Table()) { Ids = AliceVisionIds }));
    }

    [Test]
    public void Write_AnyFormat_HasNoByteOrderMarkNoCarriageReturnAndNoBlankLine()
    {
        foreach (var format in PairExporters.Names)
        {
            var file = SmallSurvey.First(format, new PairExport(SmallSurvey.Table()) { Ids = OpenMvgIds });
            Assert.That(file[0], Is.LessThan(0x80), format);
            Assert.That(file, Does.Not.Contain((byte)'\r'), format);
            var text = Encoding.UTF8.GetString(file);
            Assert.That(text.EndsWith('\n'), Is.EqualTo(format != "hloc"), format);
            Assert.That(text.EndsWith("\n\n", StringComparison.Ordinal), Is.False, format);
        }
    }

    [Test]
    public void Write_NameLists_AreReadAsTheChosenPairs()
    {
        var export = new PairExport(SmallSurvey.Table());
        var expected = SmallSurvey.Chosen.Select(pair => (SmallSurvey.Names[pair.Item1], SmallSurvey.Names[pair.Item2])).ToArray();
        var errors = new List<string>();
        Assert.That(Readers.Colmap(SmallSurvey.First("colmap", export), SmallSurvey.Names, errors), Is.EqualTo(expected));
        Assert.That(errors, Is.Empty);
        Assert.That(Readers.Hloc(SmallSurvey.First("hloc", export)), Is.EqualTo(expected));
        Assert.That(Readers.Kapture(SmallSurvey.First("kapture", export)).Select(row => (row.Item1, row.Item2)), Is.EqualTo(expected));
        Assert.That(Readers.Kapture(SmallSurvey.First("kapture", export)).Select(row => (float)row.Item3), Is.EqualTo(new[] { 0.875f, 0.25f, 0.5f, 0.93f, 0 }));
        Assert.That(Readers.MicMac(SmallSurvey.First("micmac", export)), Is.EqualTo(expected.Select(pair => (Path.GetFileName(pair.Item1), Path.GetFileName(pair.Item2)))));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public void Write_IdLists_AreReadAsTheChosenPairs(int limit)
    {
        var alice = Readers.AliceVision(SmallSurvey.First("alicevision", new PairExport(SmallSurvey.Table()) { Ids = AliceVisionIds, LineLimit = limit }));
        Assert.That(alice, Is.EquivalentTo(Expected(AliceVisionIds)));
        var openMvg = Readers.OpenMvg(SmallSurvey.First("openmvg", new PairExport(SmallSurvey.Table()) { Ids = OpenMvgIds }), 6);
        Assert.That(openMvg, Is.EquivalentTo(Expected(OpenMvgIds)));

        static IEnumerable<(ulong, ulong)> Expected(uint?[] ids) =>
            SmallSurvey.Chosen.Select(pair => ((ulong)Math.Min(ids[pair.Item1]!.Value, ids[pair.Item2]!.Value), (ulong)Math.Max(ids[pair.Item1]!.Value, ids[pair.Item2]!.Value)));
    }

    // The pairs and the text of AliceVision's own test of its writer.
    [Test]
    public void AliceVision_ReferencePairs_PrintAsTheReferenceText() => Assert.That(
        string.Concat(AliceVisionExporter.Lines([(0, 2), (0, 4), (0, 5), (8, 2), (0, 1), (5, 9)], 0).Select(line => line + "\n")),
        Is.EqualTo("0 1 2 4 5\n5 9\n8 2\n"));

    [Test]
    public void AliceVision_LineLimit_SplitsLines() => Assert.That(
        AliceVisionExporter.Lines([(0, 2), (0, 4), (0, 5), (8, 2), (0, 1)], 3),
        Is.EqualTo(new[] { "0 1 2 4", "0 5", "8 2" }));

    [Test]
    public void OpenSfm_Positions_GoIntoOverrides()
    {
        var export = new PairExport(SmallSurvey.Table())
        {
            Positions = new Dictionary<int, GeoPosition> { [5] = new(47.5, -8.25, null), [0] = new(-1, 2, 410.5) },
        };
        var files = PairExporters.ByName("opensfm").Files(export);
        Assert.That(files.Select(file => file.Name), Is.EqualTo(new[] { "match_pairs.opensfm.py", "exif_overrides.json" }));
        using var stream = new MemoryStream();
        files[1].Write(stream);
        using var json = System.Text.Json.JsonDocument.Parse(stream.ToArray());
        var gps = json.RootElement.GetProperty("001.jpg").GetProperty("gps");
        Assert.That((gps.GetProperty("latitude").GetDouble(), gps.GetProperty("longitude").GetDouble(), gps.GetProperty("altitude").GetDouble()), Is.EqualTo((-1.0, 2.0, 410.5)));
        Assert.That(json.RootElement.GetProperty("over.jpg").GetProperty("gps").TryGetProperty("altitude", out _), Is.False);
    }

    private static void RequireGolden(string format, byte[] written) => Assert.That(
        Encoding.UTF8.GetString(written),
        Is.EqualTo(Encoding.UTF8.GetString(File.ReadAllBytes(Paths.InRoot($"tests/Mirror.Tests/Pairs/Export/golden/{PairExporters.FileName(format)}")))));
}
