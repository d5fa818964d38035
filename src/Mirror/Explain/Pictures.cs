// Decoded pixels as a Skia image, for drawing and for writing: opaque, since the network drops alpha too.

using SkiaSharp;

namespace Mirror.Explain;

internal static class Pictures
{
    /// <summary>A copy of the pixels as Rgba8888 without transparency; the caller disposes it.</summary>
    public static SKImage Opaque(PixelImage image)
    {
        var channels = PixelImage.BytesPerPixel(image.Format);
        var (red, green, blue) = image.Format switch { PixelFormat.Gray8 => (0, 0, 0), PixelFormat.Bgra8 => (2, 1, 0), _ => (0, 1, 2) };
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var target = bitmap.GetPixelSpan();
        var source = image.Pixels;
        for (int from = 0, to = 0; from < source.Length; from += channels, to += 4)
        {
            (target[to], target[to + 1], target[to + 2], target[to + 3]) = (source[from + red], source[from + green], source[from + blue], byte.MaxValue);
        }

        bitmap.SetImmutable();
        return SKImage.FromBitmap(bitmap);
    }
}
