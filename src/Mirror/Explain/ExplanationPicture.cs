// The drawing of an explanation: two photographs side by side, the regions that are each other's best in matching colours, joined by
// lines. Laid out once, in pixels of the drawing, then written as PNG or as SVG (which embeds the photographs as JPEG).

using System.Globalization;
using System.Text;
using Mirror.Formats;
using SkiaSharp;

namespace Mirror.Explain;

/// <summary>A photograph of an explanation, as the network saw it.</summary>
/// <param name="Image">Its pixels; the caller disposes them.</param>
/// <param name="Geometry">Its regions.</param>
/// <param name="Mask">Cells found by the other photograph (<see cref="RegionMask"/>), to be shown bright; null: no mask is drawn.</param>
public sealed record ExplainedPhoto(PixelImage Image, RegionGeometry Geometry, byte[]? Mask);

/// <summary>Draws two photographs with their matching regions.</summary>
public sealed class ExplanationPicture
{
    private const int PhotoHeight = 640;
    private const int MaxPhotoWidth = 1280;
    private const int Gap = 16;
    private const float Stroke = 4;
    private const float Knot = 8;
    private const int JpegQuality = 88;
    private const byte Shade = 160;

    // Told apart by hue and by lightness; the first is the best pair.
    private static readonly SKColor[] s_colors =
    [
        new(0xFF, 0xD4, 0x00), new(0x00, 0xB4, 0xFF), new(0xFF, 0x4B, 0x4B), new(0x3D, 0xE0, 0x6A), new(0xFF, 0x7B, 0xF2),
        new(0xFF, 0x9A, 0x2E), new(0x8C, 0x7B, 0xFF), new(0xC8, 0xF0, 0x4A), new(0x2A, 0xE0, 0xD0), new(0xFF, 0xFF, 0xFF),
    ];

    private readonly ExplainedPhoto[] photos;
    private readonly SKRect[] frames;
    private readonly IReadOnlyList<RegionMatch> pairs;

    /// <summary>Lays the drawing out.</summary>
    /// <param name="first">Photograph A, drawn at the left.</param>
    /// <param name="second">Photograph B.</param>
    /// <param name="pairs">Pairs (region of A, region of B), best first.</param>
    public ExplanationPicture(ExplainedPhoto first, ExplainedPhoto second, IReadOnlyList<RegionMatch> pairs)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentNullException.ThrowIfNull(pairs);
        this.pairs = pairs;
        photos = [first, second];
        frames = [Frame(first.Image, 0), default];
        frames[1] = Frame(second.Image, frames[0].Right + Gap);
        Width = (int)frames[1].Right;
        Height = (int)Math.Max(frames[0].Bottom, frames[1].Bottom);
    }

    /// <summary>Width of the drawing in pixels.</summary>
    public int Width { get; }

    /// <summary>Height of the drawing in pixels.</summary>
    public int Height { get; }

    /// <summary>Colour of a pair as <c>#RRGGBB</c>; they repeat after ten.</summary>
    /// <param name="pair">0 is the best.</param>
    public static string ColorOf(int pair)
    {
        var color = s_colors[pair % s_colors.Length];
        return $"#{color.Red:X2}{color.Green:X2}{color.Blue:X2}";
    }

    /// <summary>Whether a file name asks for a format this class writes.</summary>
    /// <param name="path">A name that ends with .png or .svg, in any case.</param>
    public static bool CanWrite(string path) => IsSvg(path) || Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase);

    /// <summary>A region's rectangle in the drawing.</summary>
    /// <param name="photo">0: A, 1: B.</param>
    /// <param name="region">Index of the region.</param>
    public PixelRectangle Place(int photo, int region) =>
        InFrame(photo, photos[photo].Geometry.InPhotograph(region, photos[photo].Image.Width, photos[photo].Image.Height));

    /// <summary>Writes the drawing as its extension says, whole or not at all.</summary>
    /// <param name="path">See <see cref="CanWrite"/>.</param>
    /// <exception cref="ArgumentException">Another extension.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path)
    {
        if (!CanWrite(path))
        {
            throw new ArgumentException($"{path}: a drawing is a .png or .svg file");
        }

        if (IsSvg(path))
        {
            AtomicFile.WriteText(path, Svg());
            return;
        }

        using var surface = NewSurface(Width, Height);
        Draw(surface.Canvas);
        using var image = surface.Snapshot();
        using var data = image.Encode(SKEncodedImageFormat.Png, 100);
        AtomicFile.Write(path, data.SaveTo);
    }

    private static bool IsSvg(string path) => Path.GetExtension(path).Equals(".svg", StringComparison.OrdinalIgnoreCase);

    private static SKSurface NewSurface(int width, int height) =>
        SKSurface.Create(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul))
        ?? throw new InsufficientMemoryException($"no memory for a drawing of {width} x {height} pixels");

    private static SKRect Frame(PixelImage image, float left)
    {
        var scale = Math.Min(PhotoHeight / (double)image.Height, MaxPhotoWidth / (double)image.Width);
        return SKRect.Create(left, 0, Math.Max(1, (float)Math.Round(image.Width * scale)), Math.Max(1, (float)Math.Round(image.Height * scale)));
    }

    private PixelRectangle InFrame(int photo, PixelRectangle pixels)
    {
        var (frame, image) = (frames[photo], photos[photo].Image);
        double across = frame.Width / image.Width, down = frame.Height / image.Height;
        return new PixelRectangle(frame.Left + (pixels.Left * across), pixels.Top * down, frame.Left + (pixels.Right * across), pixels.Bottom * down);
    }

    private void Draw(SKCanvas canvas)
    {
        canvas.Clear(SKColors.White);
        for (var photo = 0; photo < photos.Length; photo++)
        {
            using var image = Shown(photo);
            canvas.DrawImage(image, frames[photo].Left, frames[photo].Top);
        }

        using var paint = new SKPaint { IsAntialias = true, StrokeWidth = Stroke };
        for (var pair = pairs.Count - 1; pair >= 0; pair--)
        {
            var (a, b) = (Outline(0, pairs[pair].From, pair), Outline(1, pairs[pair].To, pair));
            (paint.Color, paint.Style) = (s_colors[pair % s_colors.Length], SKPaintStyle.Stroke);
            canvas.DrawRect(Rect(a), paint);
            canvas.DrawRect(Rect(b), paint);
            var (from, to) = Ends(a, b, pair);
            canvas.DrawLine(from, to, paint);
            paint.Style = SKPaintStyle.Fill;
            canvas.DrawCircle(from, Knot, paint);
            canvas.DrawCircle(to, Knot, paint);
        }
    }

    private string Svg()
    {
        var svg = new StringBuilder();
        Line($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{Height}\" viewBox=\"0 0 {Width} {Height}\">");
        for (var photo = 0; photo < photos.Length; photo++)
        {
            using var image = Shown(photo);
            using var jpeg = image.Encode(SKEncodedImageFormat.Jpeg, JpegQuality);
            var frame = frames[photo];
            Line($"<image x=\"{frame.Left}\" y=\"{frame.Top}\" width=\"{frame.Width}\" height=\"{frame.Height}\" href=\"data:image/jpeg;base64,{Convert.ToBase64String(jpeg.AsSpan())}\"/>");
        }

        for (var pair = pairs.Count - 1; pair >= 0; pair--)
        {
            var (a, b) = (Outline(0, pairs[pair].From, pair), Outline(1, pairs[pair].To, pair));
            var (from, to) = Ends(a, b, pair);
            Line($"<g fill=\"none\" stroke=\"{ColorOf(pair)}\" stroke-width=\"{Stroke}\"><title>{pair + 1}: {pairs[pair].Similarity:F4}</title>");
            foreach (var area in (PixelRectangle[])[a, b])
            {
                Line($"<rect x=\"{area.Left:F2}\" y=\"{area.Top:F2}\" width=\"{area.Width:F2}\" height=\"{area.Height:F2}\"/>");
            }

            Line($"<line x1=\"{from.X:F2}\" y1=\"{from.Y:F2}\" x2=\"{to.X:F2}\" y2=\"{to.Y:F2}\"/></g>");
        }

        return svg.Append("</svg>\n").ToString();

        void Line(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    // A stroke lies inside its region; further pairs step inwards, so that equal regions of several pairs all show.
    private PixelRectangle Outline(int photo, int region, int pair)
    {
        var area = Place(photo, region);
        var inset = Math.Min((Stroke / 2) + (pair % s_colors.Length * (Stroke + 1)), Math.Min(area.Width, area.Height) / 3);
        return new PixelRectangle(area.Left + inset, area.Top + inset, area.Right - inset, area.Bottom - inset);
    }

    private static SKRect Rect(PixelRectangle area) => new((float)area.Left, (float)area.Top, (float)area.Right, (float)area.Bottom);

    // Lines run between the facing edges, each pair at a height of its own: lines that share their ends would hide each other.
    private (SKPoint From, SKPoint To) Ends(PixelRectangle a, PixelRectangle b, int pair)
    {
        var share = (pair + 1.0) / (pairs.Count + 1);
        return (new((float)a.Right, (float)(a.Top + (share * a.Height))), new((float)b.Left, (float)(b.Top + (share * b.Height))));
    }

    // The photograph at the size of its frame. With a mask, what the other photograph does not show is shaded, the rest the less the
    // brighter the mask is.
    private SKImage Shown(int photo)
    {
        var frame = frames[photo];
        using var surface = NewSurface((int)frame.Width, (int)frame.Height);
        using var pixels = Pictures.Opaque(photos[photo].Image);
        surface.Canvas.DrawImage(pixels, SKRect.Create(frame.Width, frame.Height), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        if (photos[photo].Mask is { } mask)
        {
            var (rows, columns) = photos[photo].Geometry.Grid;
            using var paint = new SKPaint();
            using var seen = new SKPath { FillType = SKPathFillType.EvenOdd };
            seen.AddRect(SKRect.Create(frame.Width, frame.Height));
            seen.AddRect(InPicture(0, 0, rows, columns));
            paint.Color = SKColors.Black.WithAlpha(Shade);
            surface.Canvas.DrawPath(seen, paint);
            for (var cell = 0; cell < rows * columns; cell++)
            {
                var (row, column) = (cell / columns, cell % columns);
                paint.Color = SKColors.Black.WithAlpha((byte)(Shade * (byte.MaxValue - mask[cell]) / byte.MaxValue));
                surface.Canvas.DrawRect(InPicture(row, column, row + 1, column + 1), paint);
            }
        }

        return surface.Snapshot();

        SKRect InPicture(int top, int left, int bottom, int right)
        {
            const int side = RegionGeometry.CellSide;
            var (image, geometry) = (photos[photo].Image, photos[photo].Geometry);
            var area = Rect(InFrame(photo, geometry.ToPhotograph(geometry.Clip(new PixelRectangle(left * side, top * side, right * side, bottom * side)), image.Width, image.Height)));
            area.Offset(-frame.Left, 0);
            return area;
        }
    }
}
