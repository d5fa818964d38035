// MicMac's pairs, for mm3d Tapioca File: XML with one element a pair. MicMac works in one folder: names have none.

namespace Mirror.Pairs.Export;

internal sealed class MicMacExporter : IPairExporter
{
    public string Format => "micmac";

    public string FileName => "pairs.micmac.xml";

    // Its reader of XML is its own: names that would need entities are refused.
    public NameHazards Refuses =>
        NameHazards.Space | NameHazards.Tab | NameHazards.NotUnicode | NameHazards.Backslash | NameHazards.Markup | NameHazards.CaseClash | NameHazards.BaseNameClash;

    public IdSource Ids => IdSource.None;

    public IReadOnlyList<ExportFile> Files(PairExport export) => [new ExportFile(FileName, stream => ExportText.WriteLines(
        stream,
        export.Pairs.Select(pair => $"\t<Cple>{export.BaseName(pair.First)} {export.BaseName(pair.Second)}</Cple>")
            .Prepend("<SauvegardeNamedRel>")
            .Prepend("<?xml version=\"1.0\" ?>")
            .Append("</SauvegardeNamedRel>")))];
}
