// OpenSfM has no option for a list of pairs: its own functions are called by a script that carries the list. It knows photographs by their
// names without folders.

using System.Text.Json;

namespace Mirror.Pairs.Export;

internal sealed class OpenSfmExporter : IPairExporter
{
    private const string Head = """
        # Matches the pairs that Mirror chose and no others, in place of: opensfm match_features DATASET
        #
        #   python3 match_pairs.opensfm.py DATASET
        #
        # Run it with the Python of OpenSfM, after extract_metadata and detect_features.

        import sys

        from opensfm import matching
        from opensfm.dataset import DataSet


        """;

    private const string Body = """


        def main(path):
            data = DataSet(path)
            images = data.images()
            missing = sorted(set(NAMES) - set(images))
            if missing:
                sys.exit(f"{len(missing)} of {len(NAMES)} photographs are not in {path}, such as {', '.join(missing[:3])}")
            exifs = {image: data.load_exif(image) for image in images}
            pairs = [tuple(NAMES[int(i)] for i in pair.split()) for pair in PAIRS]
            matched = matching.match_images_with_pairs(data, {}, exifs, pairs)
            matching.save_matches(data, images, matched)
            print(f"{len(pairs)} pairs of {len(NAMES)} photographs matched")


        if __name__ == "__main__":
            if len(sys.argv) != 2:
                sys.exit("usage: match_pairs.opensfm.py DATASET")
            main(sys.argv[1])

        """;

    public string Format => "opensfm";

    public string FileName => "match_pairs.opensfm.py";

    public NameHazards Refuses => NameHazards.Tab | NameHazards.NotUnicode | NameHazards.Backslash | NameHazards.CaseClash | NameHazards.BaseNameClash;

    public IdSource Ids => IdSource.None;

    public IReadOnlyList<ExportFile> Files(PairExport export)
    {
        var script = new ExportFile(FileName, stream => ExportText.WriteText(stream, Head + PythonText.Tables(export, export.BaseName) + Body));
        return export.Positions.Count == 0 ? [script] : [script, new ExportFile("exif_overrides.json", stream => WritePositions(stream, export))];
    }

    private static void WritePositions(Stream stream, PairExport export)
    {
        using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        writer.WriteStartObject();
        foreach (var (image, position) in export.Positions.OrderBy(entry => entry.Key))
        {
            writer.WriteStartObject(export.BaseName(image));
            writer.WriteStartObject("gps");
            writer.WriteNumber("latitude", position.Latitude);
            writer.WriteNumber("longitude", position.Longitude);
            if (position.Altitude is { } altitude)
            {
                writer.WriteNumber("altitude", altitude);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }
}
