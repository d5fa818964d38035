// Where a region lies in the photograph: cells of a feature map -> pixels of the network's input -> pixels of the photograph. The
// one place that undoes the resize and crop of the preprocessing (semantics as native/src/backend/resize.h, float32 included).

namespace Mirror.Explain;

/// <summary>A rectangle in pixels, edges between pixels: the whole of a w x h picture is (0, 0, w, h).</summary>
/// <param name="Left">Left edge.</param>
/// <param name="Top">Top edge.</param>
/// <param name="Right">Right edge.</param>
/// <param name="Bottom">Bottom edge.</param>
public readonly record struct PixelRectangle(double Left, double Top, double Right, double Bottom)
{
    /// <summary>Right minus left.</summary>
    public double Width => Right - Left;

    /// <summary>Bottom minus top.</summary>
    public double Height => Bottom - Top;
}

/// <summary>A region and the scale it was pooled at.</summary>
/// <param name="Scale">1, 2 or 4: the input was subsampled by it.</param>
/// <param name="Cells">The rectangle in cells of that scale's map.</param>
public readonly record struct ScaledRegion(int Scale, Region Cells);

/// <summary>The regions of one extraction, in the order of its descriptors, and their place in any photograph.</summary>
public sealed class RegionGeometry
{
    /// <summary>Input pixels in a cell: every network halves five times.</summary>
    public const int CellSide = 32;

    private readonly int width;
    private readonly int height;
    private readonly FitMode fit;
    private readonly int[] lost;

    /// <summary>Lays the regions out.</summary>
    /// <param name="width">Width of the network's input in pixels.</param>
    /// <param name="height">Height of it.</param>
    /// <param name="maps">(height, width) in cells of each scale's map, the full scale first, then subsampled by 2 and by 4.</param>
    /// <param name="steps">Grid steps of the extraction.</param>
    /// <param name="fit">Whether photographs were cropped to the input's proportions or scaled to them.</param>
    /// <exception cref="ArgumentException">No step fits a map, or there are not one to three maps.</exception>
    public RegionGeometry(int width, int height, IReadOnlyList<(int Height, int Width)> maps, IReadOnlyList<int> steps, FitMode fit = FitMode.Crop)
    {
        ArgumentNullException.ThrowIfNull(maps);
        ArgumentNullException.ThrowIfNull(steps);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (maps.Count is < 1 or > 3)
        {
            throw new ArgumentException($"{maps.Count} maps, expected one to three", nameof(maps));
        }

        (this.width, this.height, this.fit) = (width, height, fit);
        var all = steps.ToArray();
        Regions = [.. maps.SelectMany((map, scale) => Operations.RegionLayout(map.Height, map.Width, all, fit).Select(cells => new ScaledRegion(1 << scale, cells)))];

        // The ResNets end with 7 x 7 averages without padding: each cell of their maps sees 6 more cells to the right and below.
        lost = [.. maps.SelectMany((map, scale) => new[] { Cells(width, 1 << scale) - map.Width, Cells(height, 1 << scale) - map.Height })];
        if (Array.Exists(lost, cells => cells < 0))
        {
            throw new ArgumentException($"a map is larger than its input of {width} x {height} pixels", nameof(maps));
        }

        Steps = [.. Regions.Select(region => region.Cells.Step).Distinct().Order()];
    }

    /// <summary>The regions, in the order of the descriptors' rows.</summary>
    public IReadOnlyList<ScaledRegion> Regions { get; }

    /// <summary>The steps that have regions, coarse to fine.</summary>
    public IReadOnlyList<int> Steps { get; }

    /// <summary>Cells of the input, (height, width): what a mask is made of.</summary>
    public (int Height, int Width) Grid => (Cells(height), Cells(width));

    /// <summary>What a region covers of the network's input, in pixels of it.</summary>
    /// <param name="region">Index into <see cref="Regions"/>.</param>
    public PixelRectangle InInput(int region)
    {
        var (scale, cells) = Regions[region];
        var first = 2 * int.Log2(scale);
        var side = (double)CellSide * scale;
        return Clip(new PixelRectangle(
            cells.X * side,
            cells.Y * side,
            (cells.X + cells.Width + lost[first]) * side,
            (cells.Y + cells.Height + lost[first + 1]) * side));
    }

    /// <summary>What a region covers of a photograph, in pixels of it as the network saw it: upright where the orientation was applied.</summary>
    /// <param name="region">Index into <see cref="Regions"/>.</param>
    /// <param name="photoWidth">Width of the photograph.</param>
    /// <param name="photoHeight">Height of it.</param>
    public PixelRectangle InPhotograph(int region, int photoWidth, int photoHeight) => ToPhotograph(InInput(region), photoWidth, photoHeight);

    /// <summary>The part of a photograph that the network saw.</summary>
    /// <param name="photoWidth">Width of the photograph.</param>
    /// <param name="photoHeight">Height of it.</param>
    public PixelRectangle Seen(int photoWidth, int photoHeight) => ToPhotograph(new PixelRectangle(0, 0, width, height), photoWidth, photoHeight);

    /// <summary>The part of a rectangle that lies in the input: the last cells may stick out of it.</summary>
    internal PixelRectangle Clip(PixelRectangle input) =>
        input with { Right = Math.Min(input.Right, width), Bottom = Math.Min(input.Bottom, height) };

    /// <summary>A rectangle of the input, in pixels of a photograph.</summary>
    internal PixelRectangle ToPhotograph(PixelRectangle input, int photoWidth, int photoHeight)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(photoWidth, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(photoHeight, 1);
        var across = Resize(photoWidth, photoHeight, photoWidth, width);
        var down = Resize(photoWidth, photoHeight, photoHeight, height);
        return new PixelRectangle(
            (input.Left + across.Cut) * across.Scale,
            (input.Top + down.Cut) * down.Scale,
            (input.Right + across.Cut) * across.Scale,
            (input.Bottom + down.Cut) * down.Scale);
    }

    // Whole: each side is scaled to the input's. Else the short side is, and what is longer is cut off evenly; float32 as in the preprocessing: 720 -> 897.
    private (int Cut, double Scale) Resize(int photoWidth, int photoHeight, int photoSide, int side)
    {
        if (fit == FitMode.Whole)
        {
            return (0, photoSide / (double)side);
        }

        var ratio = MathF.Max(height / (float)photoHeight, width / (float)photoWidth);
        var resized = (int)MathF.Ceiling(photoSide * ratio);
        return ((resized - side) / 2, photoSide / (double)resized);
    }

    private static int Cells(int side, int scale = 1) => (side + (CellSide * scale) - 1) / (CellSide * scale);
}
