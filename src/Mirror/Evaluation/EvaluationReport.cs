// The files an evaluation leaves: every query as CSV and JSON, with what is known of how its ranking was made. Settings are copied
// from the files that `mirror extract` and `mirror match` wrote; what no file tells is null, never guessed.

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mirror.Formats;
using Mirror.Pipeline;

namespace Mirror.Evaluation;

/// <summary>How a ranking was made, as far as files beside it tell.</summary>
public sealed record RankingOrigin
{
    private const long MaxBytes = 64L << 20;

    /// <summary>SHA-256 of the model file; null: unknown.</summary>
    public string? ModelSha256 { get; init; }

    /// <summary>The settings of the extraction, as in <c>extraction.json</c>; null: unknown.</summary>
    public JsonElement? Extraction { get; init; }

    /// <summary>The settings of the extraction of the queries, where they are no database images; null: unknown, or none.</summary>
    public JsonElement? QueryExtraction { get; init; }

    /// <summary>The summary of <c>mirror match</c> or <c>mirror query</c>, as in <c>summary.json</c>; null: unknown.</summary>
    public JsonElement? Summary { get; init; }

    /// <summary>
    /// Looks for <c>summary.json</c> beside the ranking, and for <c>extraction.json</c> in a folder of descriptors: the given one, else what the summary
    /// of <c>mirror query</c> names, else, without such a summary, beside the ranking or in <c>features</c> there.
    /// </summary>
    /// <param name="ranking">The ranking.</param>
    /// <param name="features">Folder of the descriptors; null: look beside the ranking.</param>
    /// <exception cref="FileNotFoundException">The folder of descriptors has no settings.</exception>
    /// <exception cref="InvalidDataException">A file that is there is no JSON object.</exception>
    public static RankingOrigin Find(string ranking, string? features)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(ranking))!;
        var summary = Read(Path.Combine(folder, MatchResults.SummaryName));
        var extraction = features is not null
            ? Read(Path.Combine(features, ExtractionSettings.FileName)) ?? throw new FileNotFoundException($"--features {features} holds no {ExtractionSettings.FileName}: it is no folder that mirror extract wrote")
            : summary?.TryGetProperty("features", out _) == true ? Named("features")
            : Read(Path.Combine(folder, "features", ExtractionSettings.FileName)) ?? Read(Path.Combine(folder, ExtractionSettings.FileName));
        return new RankingOrigin
        {
            ModelSha256 = extraction is { } settings && settings.TryGetProperty("model_sha256", out var hash) && hash.ValueKind == JsonValueKind.String ? hash.GetString() : null,
            Extraction = extraction,
            QueryExtraction = Named("query_features"),
            Summary = summary,
        };

        JsonElement? Named(string property) =>
            summary is { } known && known.TryGetProperty(property, out var place) && place.ValueKind == JsonValueKind.String
                ? Read(Path.Combine(folder, place.GetString()!, ExtractionSettings.FileName))
                : null;
    }

    /// <summary>
    /// One line of JSON, <c>{"extraction": ..., "query_extraction": ..., "summary": ...}</c>, without what is unknown; the summary without the extraction, again, and the
    /// names of photographs that were skipped. Empty where nothing is known.
    /// </summary>
    internal string ToSettings()
    {
        if (Extraction is null && QueryExtraction is null && Summary is null)
        {
            return "";
        }

        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            if (Extraction is { } extraction)
            {
                json.WritePropertyName("extraction");
                extraction.WriteTo(json);
            }

            if (QueryExtraction is { } queries)
            {
                json.WritePropertyName("query_extraction");
                queries.WriteTo(json);
            }

            if (Summary is { } summary)
            {
                json.WriteStartObject("summary");
                foreach (var property in summary.EnumerateObject().Where(property => property.Name is not ("extraction" or "skipped")))
                {
                    property.WriteTo(json);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static JsonElement? Read(string path)
    {
        if (new FileInfo(path) is not { Exists: true, Length: var bytes })
        {
            return null;
        }

        if (bytes > MaxBytes)
        {
            throw new InvalidDataException($"{path}: {bytes} bytes are no settings (the limit is {MaxBytes})");
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new InvalidDataException($"{path} is no JSON object");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{path} is no JSON: {failure.Message}", failure);
        }
    }
}

/// <summary>One evaluation, as written and printed.</summary>
public sealed record EvaluationReport
{
    /// <summary>overlap, oxford, roxford or holidays.</summary>
    public required string Benchmark { get; init; }

    /// <summary>"double", or "float, printed with 6 digits" for the original's.</summary>
    public required string Arithmetic { get; init; }

    /// <summary>Mean average precision, 0..1; null where there are <see cref="Levels"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MeanAveragePrecision { get; init; }

    /// <summary>Queries over which the mean is taken; null where there are <see cref="Levels"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Queries { get; init; }

    /// <summary>Queries left out of the mean; null where there are <see cref="Levels"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? WithoutPositives { get; init; }

    /// <summary>The means of each level, of a protocol that has levels.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<EvaluationLevel>? Levels { get; init; }

    /// <summary>What the reader should know.</summary>
    public required IReadOnlyList<string> Notices { get; init; }

    /// <summary>The ranking's file name.</summary>
    public required string Ranking { get; init; }

    /// <summary>How the ranking was made.</summary>
    public required RankingOrigin Origin { get; init; }

    /// <summary>Version of Mirror that evaluated.</summary>
    public required string Version { get; init; }

    /// <summary>Every query; null in a summary.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<EvaluatedQuery>? PerQuery { get; init; }

    /// <summary>Puts a report together.</summary>
    /// <param name="benchmark">Name of the protocol.</param>
    /// <param name="asPublished">Whether the original's float arithmetic was used.</param>
    /// <param name="scores">One score, or one per level.</param>
    /// <param name="ranking">Path of the ranking.</param>
    /// <param name="origin">How it was made.</param>
    /// <param name="version">Version of Mirror.</param>
    public static EvaluationReport Create(string benchmark, bool asPublished, IReadOnlyList<RankingScore> scores, string ranking, RankingOrigin origin, string version)
    {
        ArgumentNullException.ThrowIfNull(scores);
        var only = scores is [{ Level: null }] ? scores[0] : null;
        return new EvaluationReport
        {
            Benchmark = benchmark,
            Arithmetic = asPublished ? "float, printed with 6 digits" : "double",
            MeanAveragePrecision = only?.MeanAveragePrecision,
            Queries = only?.Queries,
            WithoutPositives = only?.WithoutPositives,
            Levels = only is null ? [.. scores.Select(EvaluationLevel.Of)] : null,
            Notices = [.. scores.SelectMany(score => score.Notices)],
            Ranking = Path.GetFileName(ranking),
            Origin = origin,
            Version = version,
            PerQuery = [.. scores.SelectMany(score => score.PerQuery.Select(query => EvaluatedQuery.Of(score.Level, query)))],
        };
    }

    /// <summary>The report without its queries, on one line of JSON.</summary>
    public string ToSummaryJson() => JsonSerializer.Serialize(this with { PerQuery = null }, EvaluationJson.Default.EvaluationReport);

    /// <summary>
    /// Writes <c>BENCHMARK.csv</c> and <c>BENCHMARK.json</c>, each whole or not at all. In the CSV the model's hash, the settings (JSON) and the
    /// version are columns that hold the same on every line, so that lines of several files can be put together.
    /// </summary>
    /// <param name="folder">Where; created when absent.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(string folder)
    {
        AtomicFile.WriteText(Path.Combine(folder, Benchmark + ".json"), JsonSerializer.Serialize(this, EvaluationFileJson.Default.EvaluationReport) + "\n");
        const string header = "query,level,average_precision,positives,found,retrieved,precision_at_1,precision_at_5,precision_at_10,model_sha256,settings,version";
        string[] constants = [Origin.ModelSha256 ?? "", Origin.ToSettings(), Version];
        var end = string.Join(',', constants.Select(EvaluatedQuery.Quoted));
        AtomicFile.WriteLines(Path.Combine(folder, Benchmark + ".csv"), (PerQuery ?? []).Select(query => $"{query.ToCsv()},{end}").Prepend(header));
    }
}

/// <summary>The means of one level.</summary>
/// <param name="Level">easy, medium or hard.</param>
/// <param name="MeanAveragePrecision">0..1.</param>
/// <param name="MeanPrecisionAt1">Mean precision of the first result.</param>
/// <param name="MeanPrecisionAt5">Mean precision of the first five.</param>
/// <param name="MeanPrecisionAt10">Mean precision of the first ten.</param>
/// <param name="Queries">Queries over which the means are taken.</param>
/// <param name="WithoutPositives">Queries left out.</param>
public sealed record EvaluationLevel(
    string? Level, double MeanAveragePrecision, double? MeanPrecisionAt1, double? MeanPrecisionAt5, double? MeanPrecisionAt10, int Queries, int WithoutPositives)
{
    internal static EvaluationLevel Of(RankingScore score) => new(
        score.Level,
        score.MeanAveragePrecision,
        score.MeanPrecisionAt?[0],
        score.MeanPrecisionAt?[1],
        score.MeanPrecisionAt?[2],
        score.Queries,
        score.WithoutPositives);
}

/// <summary>One query of the results; what a protocol does not have is null, and empty in CSV.</summary>
/// <param name="Query">Name or index.</param>
/// <param name="Level">easy, medium or hard.</param>
/// <param name="AveragePrecision">0..1; null where there are no positives.</param>
/// <param name="Positives">Images that should be found.</param>
/// <param name="Found">Positives in the ranking.</param>
/// <param name="Retrieved">Ranked images that were judged.</param>
/// <param name="PrecisionAt1">Precision of the first result.</param>
/// <param name="PrecisionAt5">Precision of the first five.</param>
/// <param name="PrecisionAt10">Precision of the first ten.</param>
public sealed record EvaluatedQuery(
    string Query, string? Level, double? AveragePrecision, int Positives, int Found, int Retrieved, double? PrecisionAt1, double? PrecisionAt5, double? PrecisionAt10)
{
    internal static EvaluatedQuery Of(string? level, QueryScore score) => new(
        score.Query,
        level,
        score.AveragePrecision,
        score.Positives,
        score.Found,
        score.Retrieved,
        score.PrecisionAt?[0],
        score.PrecisionAt?[1],
        score.PrecisionAt?[2]);

    internal string ToCsv() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Quoted(Query)},{Level},{AveragePrecision:R},{Positives},{Found},{Retrieved},{PrecisionAt1:R},{PrecisionAt5:R},{PrecisionAt10:R}");

    // RFC 4180.
    internal static string Quoted(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EvaluationReport))]
internal sealed partial class EvaluationJson : JsonSerializerContext;

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EvaluationReport))]
internal sealed partial class EvaluationFileJson : JsonSerializerContext;
