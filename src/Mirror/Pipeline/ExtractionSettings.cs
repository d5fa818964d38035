// What decides the numbers in a descriptor: everything that must be equal for two descriptors to be comparable.
// Written beside the descriptors, so that an interrupted run goes on and a changed one is refused instead of mixed.

using System.Text.Json;
using System.Text.Json.Serialization;
using Mirror.Evaluation;
using Mirror.Photographs;

namespace Mirror.Pipeline;

/// <summary>Settings that determine a photograph's descriptors.</summary>
public sealed record ExtractionSettings
{
    private const int WholeLayout = 2;

    /// <summary>Network name, e.g. <c>half_googlenet</c>.</summary>
    public required string Network { get; init; }

    /// <summary>SHA-256 of the model file, lower-case hexadecimal.</summary>
    public required string ModelSha256 { get; init; }

    /// <summary>Side of the square network input in pixels; with <see cref="FitMode.Whole"/> that of the square of equal area.</summary>
    public required int Size { get; init; }

    /// <summary>Whether a photograph is cropped to the square or seen whole, in its own proportions.</summary>
    public FitMode Fit { get; init; }

    /// <summary>
    /// Version of how <see cref="FitMode.Whole"/> lays out its regions, which descriptors of another (or of none, the first) are not comparable with;
    /// null with <see cref="FitMode.Crop"/>, whose layout is the original's.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RegionLayout => Fit == FitMode.Whole ? WholeLayout : null;

    /// <summary>Region grid steps of the original's <c>--rmac_step</c>, each at least 1.</summary>
    public required IReadOnlyList<int> Regions { get; init; }

    /// <summary>How a region is pooled.</summary>
    public required RegionPooling Pooling { get; init; }

    /// <summary>p of <see cref="RegionPooling.Gem"/>, 1 to 32; null with the others.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public float? GemPower { get; init; }

    /// <summary>Whether the input is also seen subsampled by 2 and 4.</summary>
    public required bool MultiScale { get; init; }

    /// <summary>Arithmetic of the network.</summary>
    public required Precision Precision { get; init; }

    /// <summary>Whether EXIF orientation is applied.</summary>
    public required ExifMode Exif { get; init; }

    /// <summary>How JPEG files are decoded.</summary>
    public DecodeMode Decode { get; init; } = DecodeMode.Fast;

    /// <summary>What the descriptors are of, where they are of the queries of Oxford5k or Paris6k; null: of photographs.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public OxfordQueryPicture? OxfordQueries { get; init; }

    /// <summary>Region steps where none are given: 1, 3, 5, and 1 at 224, as the original forces: the map is too small for more to help.</summary>
    /// <param name="size">See <see cref="Size"/>.</param>
    public static IReadOnlyList<int> DefaultRegions(int size) => size == 224 ? [1] : [1, 3, 5];

    /// <summary>The network input of an upright photograph.</summary>
    /// <param name="least">The smallest side that the network admits, in pixels.</param>
    /// <param name="width">Of the photograph, in pixels, at least 1.</param>
    /// <param name="height">Of the photograph, in pixels, at least 1.</param>
    public InputShape ShapeOf(int least, int width, int height) =>
        Fit == FitMode.Crop ? InputShape.Square(Size) : InputShape.Whole(Size, LeastSide(least), width, height);

    /// <summary>The settings as the extractor takes them.</summary>
    /// <param name="shape">Of the network's input.</param>
    /// <param name="batch">Images the network runs at once, at least 1; does not change results.</param>
    public ExtractorOptions ToExtractorOptions(InputShape shape, int batch) => new()
    {
        Width = shape.Width,
        Height = shape.Height,
        Batch = batch,
        Precision = Precision,
        Pooling = Pooling,
        GemPower = GemPower ?? 3,
        Fit = Fit,
        MultiScale = MultiScale,
        Steps = Regions,
    };

    /// <summary>How photographs are decoded, and how much of them the network sees.</summary>
    /// <param name="least">The smallest side that the network admits, in pixels.</param>
    public DecodeOptions ToDecodeOptions(int least) => new()
    {
        Exif = Exif,
        Mode = Decode,
        ResizeFactor = (width, height) =>
        {
            var shape = ShapeOf(least, width, height);
            return Math.Max(shape.Width / (double)width, shape.Height / (double)height);
        },
    };

    /// <summary>Refuses what cannot be carried out, before hours of work.</summary>
    /// <param name="least">The smallest side that the network admits, in pixels.</param>
    /// <exception cref="ArgumentException">Settings that contradict each other, or the network.</exception>
    /// <exception cref="DllNotFoundException">libturbojpeg is asked for and not installed.</exception>
    public void Require(int least)
    {
        if (GemPower is not null && Pooling != RegionPooling.Gem)
        {
            throw new ArgumentException($"--gem-p belongs to --pool gem, not to {Pooling.ToString().ToLowerInvariant()}");
        }

        // Photographs in other proportions would be enlarged to the minimum; a size that even a square cannot have is refused as with crop.
        if (Fit == FitMode.Whole && Size < LeastSide(least))
        {
            throw new ArgumentException($"size {Size} is too small for {Network} on whole photographs{(MultiScale ? " at three scales" : "")}: at least {LeastSide(least)}");
        }

        if (Decode != DecodeMode.Ifast)
        {
            return;
        }

        if (Exif == ExifMode.Apply)
        {
            throw new ArgumentException("decoding as the original did (--compat mirror) ignores the EXIF orientation: leave --exif apply out");
        }

        TurboJpeg.Require();
    }

    // At three scales the network must admit a quarter of the input too.
    private int LeastSide(int least) => MultiScale ? 4 * least : least;

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
