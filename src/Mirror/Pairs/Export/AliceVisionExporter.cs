// AliceVision's imageMatches.txt: "I J K ..." lines, one for each first id. No scores: its reader takes every number for an id.

using System.Globalization;
using System.Text;

namespace Mirror.Pairs.Export;

internal sealed class AliceVisionExporter : IPairExporter
{
    public string Format => "alicevision";

    public string FileName => "imageMatches.txt";

    public NameHazards Refuses => NameHazards.None;

    public IdSource Ids => IdSource.AliceVision;

    public IReadOnlyList<ExportFile> Files(PairExport export) =>
        [new ExportFile(FileName, stream => ExportText.WriteLines(stream, Lines(export.Pairs.Select(pair => (export.Id(pair.First), export.Id(pair.Second))), export.LineLimit)))];

    /// <summary>Sorted pairs, grouped by their first id. Pairs are not turned round.</summary>
    /// <param name="pairs">Ids.</param>
    /// <param name="limit">Most ids beside the first, as programs share out work by lines; 0: no limit.</param>
    internal static IEnumerable<string> Lines(IEnumerable<(uint First, uint Second)> pairs, int limit) => pairs
        .Order()
        .GroupBy(pair => pair.First)
        .SelectMany(group => group.Select(pair => pair.Second).Chunk(limit > 0 ? limit : int.MaxValue), (group, seconds) => Line(group.Key, seconds));

    private static string Line(uint first, uint[] seconds)
    {
        var line = new StringBuilder(first.ToString(CultureInfo.InvariantCulture));
        foreach (var second in seconds)
        {
            line.Append(CultureInfo.InvariantCulture, $" {second}");
        }

        return line.ToString();
    }
}
