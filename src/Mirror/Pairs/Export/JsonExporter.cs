// One JSON object: the number of images, and an array of pairs, one a line; what was not measured is null.

using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mirror.Pairs.Export;

internal sealed class JsonExporter : IPairExporter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Format => "json";

    public string FileName => "pairs.json";

    public NameHazards Refuses => NameHazards.NotUnicode;

    public IdSource Ids => IdSource.None;

    public IReadOnlyList<ExportFile> Files(PairExport export) => [new ExportFile(FileName, stream => ExportText.WriteLines(stream, Lines(export)))];

    private static IEnumerable<string> Lines(PairExport export)
    {
        yield return string.Create(CultureInfo.InvariantCulture, $"{{\"version\":1,\"images\":{export.Names.Count},\"pairs\":[");
        using var buffer = new MemoryStream();
        for (var i = 0; i < export.Pairs.Count; i++)
        {
            buffer.SetLength(0);
            using (var writer = new Utf8JsonWriter(buffer, Options))
            {
                Write(writer, export, export.Pairs[i]);
            }

            yield return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + (i + 1 < export.Pairs.Count ? "," : "");
        }

        yield return "]}";
    }

    private static void Write(Utf8JsonWriter writer, PairExport export, CandidatePair pair)
    {
        writer.WriteStartObject();
        writer.WriteString("first", export.Names[pair.First]);
        writer.WriteString("second", export.Names[pair.Second]);
        if (float.IsNaN(pair.Score))
        {
            writer.WriteNull("score");
        }
        else
        {
            writer.WriteNumber("score", pair.Score);
        }

        WriteRank("rank_of_second", pair.RankOfSecond);
        WriteRank("rank_of_first", pair.RankOfFirst);
        writer.WriteStartArray("sources");
        foreach (var source in PairTableFile.Text(pair.Sources).Split(','))
        {
            writer.WriteStringValue(source);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();

        void WriteRank(string name, int rank)
        {
            if (rank == CandidatePair.Unranked)
            {
                writer.WriteNull(name);
            }
            else
            {
                writer.WriteNumber(name, rank);
            }
        }
    }
}
