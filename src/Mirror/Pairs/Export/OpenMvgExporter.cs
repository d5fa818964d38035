// openMVG's pair list, for openMVG_main_ComputeMatches -p: "I J" lines, I below J, sorted. Its reader takes a third number for one more neighbour: scores stand
// elsewhere.

using System.Globalization;

namespace Mirror.Pairs.Export;

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
