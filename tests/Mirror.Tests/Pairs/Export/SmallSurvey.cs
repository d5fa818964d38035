// Six photographs in two folders, five chosen pairs and one that was not, as candidates.tsv could hold them.

using Mirror.Formats;
using Mirror.Pairs;
using Mirror.Pairs.Export;

namespace Mirror.Tests.Pairs.Export;

internal static class SmallSurvey
{
    public static readonly string[] Names = ["cam0/001.jpg", "cam0/002.jpg", "cam1/101.jpg", "cam1/102_é.jpg", "cam1/103.jpg", "over.jpg"];

    /// <summary>Not in the order of the images: exporters sort.</summary>
    public static PairTable Table(params string[] names) => new(names.Length > 0 ? names : Names,
    [
        new(2, 3) { Score = 0.93f, RankOfSecond = 0, RankOfFirst = 0, Sources = PairSources.Retrieval | PairSources.Sequence, Rule = PairRule.SpanningForest },
        new(0, 1) { Score = 0.875f, RankOfSecond = 0, RankOfFirst = 1, Sources = PairSources.Retrieval, Rule = PairRule.SpanningForest },
        new(1, 4) { Score = 0.1f, Sources = PairSources.Retrieval, Rule = PairRule.Budget },
        new(0, 5) { Score = 0.5f, RankOfSecond = 3, Sources = PairSources.Retrieval | PairSources.Gps, Rule = PairRule.Best },
        new(0, 2) { Score = 0.25f, RankOfSecond = 7, RankOfFirst = 4, Sources = PairSources.Retrieval, Rule = PairRule.Best },
        new(3, 5) { Sources = PairSources.List, Rule = PairRule.Listed },
    ]);

    public static (int, int)[] Chosen => [(0, 1), (0, 2), (0, 5), (2, 3), (3, 5)];

    /// <summary>A folder as mirror match leaves it.</summary>
    public static void Write(string folder, params string[] names)
    {
        var table = Table(names);
        AtomicFile.WriteLines(Path.Combine(folder, "images.txt"), table.Names);
        PairTableFile.Write(Path.Combine(folder, PairTableFile.FileName), table);
    }

    /// <summary>The first file of a format.</summary>
    public static byte[] First(string format, PairExport export)
    {
        using var stream = new MemoryStream();
        PairExporters.ByName(format).Files(export)[0].Write(stream);
        return stream.ToArray();
    }
}
