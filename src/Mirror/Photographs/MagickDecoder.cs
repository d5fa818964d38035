// Magick.NET for what Skia refuses: TIFF, CMYK JPEG, JPEG 2000, HEIF, AVIF, JPEG XL, PNM, PSD. Its native library is loaded at the
// first use of this class. The format is always named, so ImageMagick never guesses one that runs a program or opens a URL,
// and its resource limits hold whatever a hostile header claims.

using ImageMagick;

namespace Mirror.Photographs;

/// <summary>Decodes the formats that Skia does not.</summary>
internal static class MagickDecoder
{
    private const string Name = "Magick.NET";
    private const int RowsAtOnce = 64;

    private static readonly Lazy<bool> Limits = new(SetLimits);

    /// <summary>Decodes the first image of a file, as stored.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="file">Its bytes.</param>
    /// <param name="kind">Its format.</param>
    /// <returns>The pixels as Rgba8, the EXIF orientation 1..8 and the decoder's name.</returns>
    /// <exception cref="PhotoException">ImageMagick refuses the file, or it is too large.</exception>
    internal static Stored Decode(
        string path, ReadOnlySpan<byte> file, ImageKind kind)
    {
        using MagickImage source = Read(path, file, kind);
        PixelImage image = Guarded(path, kind, () =>
        {
            if (source.ColorSpace is not (ColorSpace.sRGB or ColorSpace.Gray))
            {
                source.ColorSpace = ColorSpace.sRGB;
            }

            return Copy(source, "RGBA");
        });
        return new Stored(image, image.Width, image.Height, OrientationOf(source), Name);
    }

    /// <summary>Decodes a JPEG of four components by the original's rule: r = C K / 255, and so on, of the inks' absence.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="file">Its bytes.</param>
    /// <param name="inverted">Whether the file stores the absence of ink (Adobe) or ink.</param>
    /// <returns>The pixels as Rgba8, the EXIF orientation 1..8 and the decoder's name.</returns>
    /// <exception cref="PhotoException">ImageMagick refuses the file, or it is too large.</exception>
    internal static Stored DecodeCmykJpeg(
        string path, ReadOnlySpan<byte> file, bool inverted)
    {
        using MagickImage source = Read(path, file, ImageKind.Jpeg);
        PixelImage image = Guarded(path, ImageKind.Jpeg, () => Copy(source, "CMYK"));

        // ImageMagick takes every CMYK file for Adobe's and hands out 255 minus the stored value.
        CmykRule.ToRgba(image.Pixels, absence: !inverted);
        return new Stored(image, image.Width, image.Height, OrientationOf(source), Name);
    }

    /// <summary>Width and height of an image as stored, from its header alone.</summary>
    /// <exception cref="MagickException">It is none of this format.</exception>
    internal static (int Width, int Height) SizeOf(Stream file, ImageKind kind)
    {
        _ = Limits.Value;
        using var image = new MagickImage();
        image.Ping(file, new MagickReadSettings { Format = FormatOf(kind), FrameIndex = 0, FrameCount = 1 });
        return ((int)image.Width, (int)image.Height);
    }

    private static MagickImage Read(string path, ReadOnlySpan<byte> file, ImageKind kind)
    {
        MagickReadSettings settings;
        MagickImage image;
        try
        {
            settings = new MagickReadSettings { Format = FormatOf(kind), FrameIndex = 0, FrameCount = 1 };
            image = new MagickImage();
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException)
        {
            throw new PhotoException(path, $"{kind} files need Magick.NET, whose native library does not load: {e.GetBaseException().Message}", e);
        }

        MagickException? damage = null;
        image.Warning += (_, e) => damage ??= IsDamage(e.Exception) ? e.Exception : null;
        try
        {
            _ = Limits.Value;
            image.Ping(file, settings);
            PhotoDecoder.CheckSize(path, image.Width, image.Height, file.Length);
            image.Read(file, settings);
            if (damage is not null)
            {
                throw new PhotoException(path, $"corrupt {kind} file: {damage.Message}", damage);
            }

            return image;
        }
        catch (MagickException e)
        {
            image.Dispose();
            throw new PhotoException(path, $"{kind} file that ImageMagick cannot decode: {e.Message}", e);
        }
        catch (PhotoException)
        {
            image.Dispose();
            throw;
        }
    }

    private static bool SetLimits()
    {
        ResourceLimits.Width = PhotoDecoder.MaxSide;
        ResourceLimits.Height = PhotoDecoder.MaxSide;
        ResourceLimits.Area = (ulong)PhotoDecoder.MaxPixels;
        ResourceLimits.Memory = 8UL << 30;
        ResourceLimits.MaxMemoryRequest = 8UL << 30;
        ResourceLimits.MaxProfileSize = 64UL << 20;
        ResourceLimits.ListLength = 16;
        ResourceLimits.Disk = 0; // Never spill pixels to a file.
        ResourceLimits.Thread = 1; // Photographs are decoded side by side already.
        return true;
    }

    private static PixelImage Guarded(string path, ImageKind kind, Func<PixelImage> decode)
    {
        try
        {
            return decode();
        }
        catch (MagickException e)
        {
            throw new PhotoException(path, $"{kind} file that ImageMagick cannot decode: {e.Message}", e);
        }
    }

    // Unknown tags and the like are warnings too, and harmless; missing pixels are not.
    private static bool IsDamage(MagickException warning) =>
        warning is MagickCorruptImageWarningException or MagickCorruptImageErrorException;

    private static PixelImage Copy(MagickImage source, string channels)
    {
        int width = (int)source.Width;
        int height = (int)source.Height;
        var image = new PixelImage(width, height, PixelFormat.Rgba8);
        try
        {
            CopyRows(source, channels, image);
            return image;
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    private static void CopyRows(MagickImage source, string channels, PixelImage image)
    {
        (int width, int height) = (image.Width, image.Height);
        using IUnsafePixelCollection<byte> pixels = source.GetPixelsUnsafe();
        for (int y = 0; y < height; y += RowsAtOnce)
        {
            int rows = Math.Min(RowsAtOnce, height - y);
            byte[] strip = pixels.ToByteArray(0, y, (uint)width, (uint)rows, channels)
                ?? throw new InvalidOperationException($"ImageMagick gave no {channels} pixels for rows {y}..{y + rows}.");
            for (int row = 0; row < rows; row++)
            {
                strip.AsSpan(row * width * 4, width * 4).CopyTo(image.Pixels[((y + row) * image.Stride)..]);
            }
        }
    }

    // Values that EXIF does not know mean upright.
    private static int OrientationOf(MagickImage source) => (int)source.Orientation is >= 1 and <= 8 and var known ? known : 1;

    private static MagickFormat FormatOf(ImageKind kind) => kind switch
    {
        ImageKind.Jpeg => MagickFormat.Jpeg,
        ImageKind.Png => MagickFormat.Png,
        ImageKind.WebP => MagickFormat.WebP,
        ImageKind.Bmp => MagickFormat.Bmp,
        ImageKind.Gif => MagickFormat.Gif,
        ImageKind.Tiff => MagickFormat.Tiff,
        ImageKind.Jpeg2000 => MagickFormat.Jp2,
        ImageKind.Heif => MagickFormat.Heic,
        ImageKind.Avif => MagickFormat.Avif,
        ImageKind.JpegXl => MagickFormat.Jxl,
        ImageKind.Pnm => MagickFormat.Pnm,
        ImageKind.Psd => MagickFormat.Psd,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no ImageMagick format"),
    };
}
