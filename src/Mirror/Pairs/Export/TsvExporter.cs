// Tab-separated, after a line of column names; what was not measured is empty.

namespace Mirror.Pairs.Export;

internal sealed class TsvExporter : IPairExporter
{
    public string Format => "tsv";

    public string FileName => "pairs.tsv";

    public NameHazards Refuses => NameHazards.Tab | NameHazards.NotUnicode;

    public IdSource Ids => IdSource.None;

    public IReadOnlyList<ExportFile> Files(PairExport export) => [new ExportFile(FileName, stream => ExportText.WriteLines(
        stream,
        export.Pairs.Select(pair => string.Join(
            '\t',
            export.Names[pair.First],
            export.Names[pair.Second],
            PairTableFile.Text(pair.Score),
            PairTableFile.Text(pair.RankOfSecond),
            PairTableFile.Text(pair.RankOfFirst),
            PairTableFile.Text(pair.Sources)))
            .Prepend("first\tsecond\tscore\trank_of_second\trank_of_first\tsources")))];
}
