// What exporters write from: the table's chosen pairs in the order of their images, and what only some need.

namespace Mirror.Pairs.Export;

/// <summary>The chosen pairs, and what exporters need beside them.</summary>
public sealed class PairExport
{
    /// <summary>Takes the chosen pairs of a table, sorted by image, as matchers keep the images of neighbouring pairs in memory.</summary>
    /// <param name="table">The candidates.</param>
    public PairExport(PairTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        Names = table.Names;
        Pairs = [.. table.Kept.OrderBy(pair => pair.First).ThenBy(pair => pair.Second)];
        Used = [.. Pairs.Select(pair => pair.First).Concat(Pairs.Select(pair => pair.Second)).Distinct().Order()];
    }

    /// <summary>Names of all images of the collection, in the order of their indices.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The chosen pairs, the lower index first.</summary>
    public IReadOnlyList<CandidatePair> Pairs { get; }

    /// <summary>The program's id of each image, null where it knows none; null: ids were not asked for.</summary>
    public IReadOnlyList<uint?>? Ids { get; init; }

    /// <summary>Positions of images by index.</summary>
    public IReadOnlyDictionary<int, GeoPosition> Positions { get; init; } = new Dictionary<int, GeoPosition>();

    /// <summary>Most ids on a line of AliceVision's list beside the first; 0: no limit.</summary>
    public int LineLimit { get; init; }

    /// <summary>Indices of the images that are in a pair, ascending.</summary>
    public IReadOnlyList<int> Used { get; }

    /// <summary>The name of an image without its folders.</summary>
    internal string BaseName(int image) => Names[image][(Names[image].LastIndexOf('/') + 1)..];

    /// <summary>The id of an image that is in a pair.</summary>
    internal uint Id(int image) =>
        Ids?[image] ?? throw new InvalidOperationException($"image {image} has no id: ids are checked before anything is written");
}

/// <summary>Where a photograph was taken, WGS 84.</summary>
/// <param name="Latitude">Degrees, -90 to 90, north is positive.</param>
/// <param name="Longitude">Degrees, -180 to 180, east is positive.</param>
/// <param name="Altitude">Metres above the ellipsoid; null: unknown.</param>
public readonly record struct GeoPosition(double Latitude, double Longitude, double? Altitude);
