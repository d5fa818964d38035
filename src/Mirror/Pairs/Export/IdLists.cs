// Lists of id pairs: openMVG's and AliceVision's. Their readers take any third number of a line for one more neighbour, so that scores stand elsewhere.

using System.Globalization;
using System.Text;

namespace Mirror.Pairs.Export;

/// <summary>openMVG's pair list, for <c>openMVG_main_ComputeMatches -p</c>: "I J" lines, I below J, sorted.</summary>
internal sealed class OpenMvgExporter : IPairExporter
{
    public string Format => "openmvg";

    public string FileName => "pairs.openmvg.txt";

    public NameHazards Refuses => NameHazards.None;

    public IdSource Ids => IdSource.OpenMvg;

    public IReadOnlyList<ExportFile> Files(PairExport export) => [new ExportFile(FileName, stream => ExportText.WriteLines(
        stream,
        export.Pairs.Select(pair => (First: export.Id(pair.First), Second: export.Id(pair.Second)))
            .Select(pair => (Low: Math.Min(pair.First, pair.Second), High: Math.Max(pair.First, pair.Second)))
            .Order()
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Low} {pair.High}"))))];
}

/// <summary>AliceVision's <c>imageMatches.txt</c>: "I J K ..." lines, one for each first id.</summary>
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
