// Tables with scores: kapture's pairsfile, plain TSV and JSON.

using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mirror.Pairs.Export;

/// <summary>kapture's pairsfile: CSV with a score. A pair whose similarity was not measured has score 0: the format has no empty score.</summary>
internal sealed class KaptureExporter : IPairExporter
{
    public string Format => "kapture";

    public string FileName => "pairsfile.kapture.txt";

    // A space within is no hazard: columns end at commas.
    public NameHazards Refuses => NameHazards.Comma | NameHazards.OuterSpace | NameHazards.Tab | NameHazards.LeadingHash | NameHazards.NotUnicode | NameHazards.Backslash;

    public IdSource Ids => IdSource.None;

    public IReadOnlyList<ExportFile> Files(PairExport export) => [new ExportFile(FileName, stream => ExportText.WriteLines(
        stream,
        export.Pairs.Select(pair => $"{export.Names[pair.First]}, {export.Names[pair.Second]}, {ExportText.Number(float.IsNaN(pair.Score) ? 0 : pair.Score)}")
            .Prepend("# query_image, map_image, score")
            .Prepend("# kapture format: 1.1")))];
}

/// <summary>Tab-separated, after a line of column names; what was not measured is empty.</summary>
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
            ExportText.Number(pair.Score),
            ExportText.Rank(pair.RankOfSecond),
            ExportText.Rank(pair.RankOfFirst),
            ExportText.Sources(pair.Sources)))
            .Prepend("first\tsecond\tscore\trank_of_second\trank_of_first\tsources")))];
}

/// <summary>One JSON object: the number of images, and an array of pairs, one a line; what was not measured is null.</summary>
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

            yield return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + (i + 1 < export.Pairs.Count ? "," : "");
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
        foreach (var source in ExportText.SourceNames(pair.Sources))
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
