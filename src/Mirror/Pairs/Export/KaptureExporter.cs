// kapture's pairsfile: CSV with a score. A pair whose similarity was not measured has score 0: the format has no empty score.

namespace Mirror.Pairs.Export;

internal sealed class KaptureExporter : IPairExporter
{
    public string Format => "kapture";

    public string FileName => "pairsfile.kapture.txt";

    // A space within is no hazard: columns end at commas.
    public NameHazards Refuses => NameHazards.Comma | NameHazards.OuterSpace | NameHazards.Tab | NameHazards.LeadingHash | NameHazards.NotUnicode | NameHazards.Backslash;

    public IdSource Ids => IdSource.None;

    public IReadOnlyList<ExportFile> Files(PairExport export) => [new ExportFile(FileName, stream => ExportText.WriteLines(
        stream,
        export.Pairs.Select(pair => $"{export.Names[pair.First]}, {export.Names[pair.Second]}, {PairTableFile.Text(float.IsNaN(pair.Score) ? 0 : pair.Score)}")
            .Prepend("# query_image, map_image, score")
            .Prepend("# kapture format: 1.1")))];
}
