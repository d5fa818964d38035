// A photograph as an extraction with given settings sees it - decoded, described region by region - and where in its file each region lies.

using Mirror.Photographs;
using Mirror.Pipeline;

namespace Mirror.Explain;

/// <summary>A decoded photograph with the vectors and places of its regions. Owns its pixels: dispose it.</summary>
public sealed class DescribedPhoto : IDisposable
{
    private readonly DecodedPhoto photo;
    private readonly float[] rows;

    private DescribedPhoto(DecodedPhoto photo, bool upright, RegionGeometry geometry, float[] rows, int dimension)
    {
        (this.photo, Geometry, this.rows, Dimension) = (photo, geometry, rows, dimension);

        // From 5 on the orientation exchanges width and height.
        (Width, Height) = upright && photo.Orientation >= 5 ? (photo.StoredHeight, photo.StoredWidth) : (photo.StoredWidth, photo.StoredHeight);
    }

    /// <summary>The pixels that the network was given; with <see cref="DecodeMode.Fast"/> fewer than the file has.</summary>
    public PixelImage Image => photo.Image;

    /// <summary>Width of the file's picture in pixels, upright where the orientation was applied.</summary>
    public int Width { get; }

    /// <summary>Height of it.</summary>
    public int Height { get; }

    /// <summary>The regions in the network's input.</summary>
    public RegionGeometry Geometry { get; }

    /// <summary>[R, <see cref="Dimension"/>]: a row of unit length for each region, whitened where a whitening was given.</summary>
    public ReadOnlySpan<float> Rows => rows;

    /// <summary>Length of a row.</summary>
    public int Dimension { get; }

    /// <summary>Describes photographs, each at the input shape that the settings give it.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="model">Network and weights.</param>
    /// <param name="settings">As of an extraction.</param>
    /// <param name="whitening">Applied to the unit-length rows; null: none.</param>
    /// <param name="paths">The files.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>One for each path, in order; the caller disposes them.</returns>
    /// <exception cref="ArgumentException">Settings that contradict each other, or the network.</exception>
    /// <exception cref="PhotoException">A photograph cannot be decoded.</exception>
    /// <exception cref="DllNotFoundException">libturbojpeg is asked for and not installed.</exception>
    public static IReadOnlyList<DescribedPhoto> Describe(
        Device device, Model model, ExtractionSettings settings, Whitening? whitening, IReadOnlyList<string> paths, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(paths);
        var least = model.Info.MinSize;
        settings.Require(least);
        var photos = new List<DecodedPhoto>();
        try
        {
            // All are decoded first: a file that cannot be read is told before any network is prepared.
            photos.AddRange(paths.Select(path => PhotoDecoder.Decode(path, settings.ToDecodeOptions(least))));
            using var pool = new ExtractorPool(device, model, settings, batch: 1);
            var geometries = new Dictionary<InputShape, RegionGeometry>();
            return [.. photos.ConvertAll(photo =>
            {
                var shape = settings.ShapeOf(least, photo.Image.Width, photo.Image.Height);
                var extractor = pool.For(shape);
                if (!geometries.TryGetValue(shape, out var geometry))
                {
                    geometries.Add(shape, geometry = GeometryOf(device, model, settings, shape, extractor.Info));
                }

                var (rows, dimension) = Describe(device, extractor, photo.Image, whitening, cancellationToken);
                return new DescribedPhoto(photo, settings.Exif == ExifMode.Apply, geometry, rows, dimension);
            })];
        }
        catch
        {
            photos.ForEach(photo => photo.Dispose());
            throw;
        }
    }

    /// <summary>Where a region lies, in pixels of the file's picture: of <see cref="Width"/> x <see cref="Height"/>.</summary>
    /// <param name="region">Index of the region.</param>
    public PixelRectangle Place(int region)
    {
        var area = Geometry.InPhotograph(region, Image.Width, Image.Height);
        double across = Width / (double)Image.Width, down = Height / (double)Image.Height;
        return new PixelRectangle(area.Left * across, area.Top * down, area.Right * across, area.Bottom * down);
    }

    /// <inheritdoc/>
    public void Dispose() => photo.Dispose();

    private static (float[] Rows, int Dimension) Describe(Device device, Extractor extractor, PixelImage image, Whitening? whitening, CancellationToken cancellationToken)
    {
        var (regions, dimension) = (extractor.Info.Regions, extractor.Info.Dimension);
        var rows = new float[checked(regions * dimension)];
        extractor.Run([image], rows, null, cancellationToken);
        Operations.L2Normalize(device, rows, dimension, rows);
        if (whitening is null)
        {
            return (rows, dimension);
        }

        var whitened = new float[checked(regions * whitening.OutputDimension)];
        whitening.Apply(device, rows, whitened);
        return (whitened, whitening.OutputDimension);
    }

    // The map of a smaller scale has the shape that an extractor of that input has.
    private static RegionGeometry GeometryOf(Device device, Model model, ExtractionSettings settings, InputShape shape, ExtractorInfo info)
    {
        var maps = Enumerable.Range(0, info.Scales).Select(scale =>
        {
            if (scale == 0)
            {
                return (info.MapHeight, info.MapWidth);
            }

            using var smaller = new Extractor(device, model, settings.ToExtractorOptions(shape.Subsampled(1 << scale), batch: 1) with { MultiScale = false });
            return (smaller.Info.MapHeight, smaller.Info.MapWidth);
        });
        return new RegionGeometry(shape.Width, shape.Height, [.. maps], settings.Regions, settings.Fit);
    }
}
