// Lists of name pairs: COLMAP's and hloc's.

namespace Mirror.Pairs.Export;

/// <summary>
/// COLMAP's match list, for <c>matches_importer --match_type pairs</c>: "name name" lines. One space exactly: at another its reader takes an empty name.
/// The name says what it is, as <c>vocab_tree_matcher</c> reads a list of single images.
/// </summary>
internal sealed class ColmapExporter : IPairExporter
{
    public string Format => "colmap";

    public string FileName => "pairs.colmap.txt";

    public NameHazards Refuses => NameHazards.Space | NameHazards.Tab | NameHazards.LeadingHash | NameHazards.NotUnicode | NameHazards.Backslash;

    public IdSource Ids => IdSource.None;

    public IReadOnlyList<ExportFile> Files(PairExport export) =>
        [new ExportFile(FileName, stream => ExportText.WriteLines(stream, export.Pairs.Select(pair => $"{export.Names[pair.First]} {export.Names[pair.Second]}")))];
}

/// <summary>
/// hloc's pairs: as COLMAP's, but no newline at the end, as its own writer leaves it. Names go through Python's split(), which knows more white space than the space,
/// and on to COLMAP's reader.
/// </summary>
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
