// What decides the numbers in a descriptor: everything that must be equal for two descriptors to be comparable.
// Written beside the descriptors, so that an interrupted run goes on and a changed one is refused instead of mixed.

using System.Text.Json;
using System.Text.Json.Serialization;
using Mirror.Photographs;

namespace Mirror.Pipeline;

/// <summary>Settings that determine a photograph's descriptors.</summary>
public sealed record ExtractionSettings
{
    /// <summary>Network name, e.g. <c>half_googlenet</c>.</summary>
    public required string Network { get; init; }

    /// <summary>SHA-256 of the model file, lower-case hexadecimal.</summary>
    public required string ModelSha256 { get; init; }

    /// <summary>Side of the square network input in pixels.</summary>
    public required int Size { get; init; }

    /// <summary>Region grid steps of the original's <c>--rmac_step</c>, each at least 1.</summary>
    public required IReadOnlyList<int> Regions { get; init; }

    /// <summary>How a region is pooled.</summary>
    public required RegionPooling Pooling { get; init; }

    /// <summary>Whether the input is also seen subsampled by 2 and 4.</summary>
    public required bool MultiScale { get; init; }

    /// <summary>Arithmetic of the network.</summary>
    public required Precision Precision { get; init; }

    /// <summary>Whether EXIF orientation is applied.</summary>
    public required ExifMode Exif { get; init; }

    /// <summary>The settings as the extractor takes them.</summary>
    /// <param name="batch">Images the network runs at once, at least 1; does not change results.</param>
    public ExtractorOptions ToExtractorOptions(int batch) => new()
    {
        Width = Size,
        Height = Size,
        Batch = batch,
        Precision = Precision,
        Pooling = Pooling,
        MultiScale = MultiScale,
        Steps = Regions,
    };

    /// <summary>Name of the settings file in a folder of descriptors.</summary>
    public const string FileName = "extraction.json";

    /// <summary>The settings as JSON text, ending with a newline: equal settings give equal text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ExtractionJson.Default.ExtractionSettings) + "\n";
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ExtractionSettings))]
internal sealed partial class ExtractionJson : JsonSerializerContext;
