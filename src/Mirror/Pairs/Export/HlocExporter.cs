// hloc's pairs: as COLMAP's, but no newline at the end, as its own writer leaves it. Names go through Python's split(), which knows more white space than
// the space, and on to COLMAP's reader.

namespace Mirror.Pairs.Export;

internal sealed class HlocExporter : IPairExporter
{
    public string Format => "hloc";

    public string FileName => "pairs.hloc.txt";

    public NameHazards Refuses => NameHazards.Space | NameHazards.Tab | NameHazards.LeadingHash | NameHazards.NotUnicode | NameHazards.Backslash;

    public IdSource Ids => IdSource.None;

    public IReadOnlyList<ExportFile> Files(PairExport export) => [new ExportFile(FileName, stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        for (var i = 0; i < export.Pairs.Count; i++)
        {
            var pair = export.Pairs[i];
            writer.Write($"{(i == 0 ? "" : "\n")}{export.Names[pair.First]} {export.Names[pair.Second]}");
        }
    })];
}
