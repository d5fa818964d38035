// COLMAP's match list, for matches_importer --match_type pairs: "name name" lines, one space exactly: at another its reader takes an empty name. The
// file's name says what it is, as vocab_tree_matcher reads a list of single images.

namespace Mirror.Pairs.Export;

internal sealed class ColmapExporter : IPairExporter
{
    public string Format => "colmap";

    public string FileName => "pairs.colmap.txt";

    public NameHazards Refuses => NameHazards.Space | NameHazards.Tab | NameHazards.LeadingHash | NameHazards.NotUnicode | NameHazards.Backslash;

    public IdSource Ids => IdSource.None;

    public IReadOnlyList<ExportFile> Files(PairExport export) =>
        [new ExportFile(FileName, stream => ExportText.WriteLines(stream, export.Pairs.Select(pair => $"{export.Names[pair.First]} {export.Names[pair.Second]}")))];
}
