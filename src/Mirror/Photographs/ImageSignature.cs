// Tells a file's format from its first bytes. Names lie, and a decoder must never be chosen by a file about which
// nothing is known: only the formats listed here reach a decoder at all.

using System.Text;

namespace Mirror.Photographs;

/// <summary>The raster formats that Mirror reads.</summary>
internal enum ImageKind
{
    Unknown,
    Jpeg,
    Png,
    WebP,
    Bmp,
    Gif,
    Tiff,
    Jpeg2000,
    Heif,
    Avif,
    JpegXl,
    Pnm,
    Psd,
}

/// <summary>Recognises image formats by their magic bytes.</summary>
internal static class ImageSignature
{
    private const int Shown = 8;

    /// <summary>The format of a file that starts with these bytes.</summary>
    /// <param name="head">The first bytes of the file, 16 are enough.</param>
    internal static ImageKind Detect(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
        {
            return ImageKind.Jpeg;
        }

        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]))
        {
            return ImageKind.Png;
        }

        if (head.StartsWith("GIF87a"u8) || head.StartsWith("GIF89a"u8))
        {
            return ImageKind.Gif;
        }

        if (head.Length >= 12 && head.StartsWith("RIFF"u8) && head[8..].StartsWith("WEBP"u8))
        {
            return ImageKind.WebP;
        }

        if (head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8) || head.StartsWith("II+\0"u8)
            || head.StartsWith("MM\0+"u8))
        {
            return ImageKind.Tiff;
        }

        if (head.StartsWith("8BPS"u8))
        {
            return ImageKind.Psd;
        }

        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A])
            || head.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L', (byte)' ']))
        {
            return ImageKind.JpegXl;
        }

        if (head.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'j', (byte)'P', (byte)' ', (byte)' ']))
        {
            return ImageKind.Jpeg2000;
        }

        if (head.Length >= 12 && head[4..].StartsWith("ftyp"u8))
        {
            return DetectHeif(head.Slice(8, 4));
        }

        // "P6" and "BM" are two letters that ordinary text may start with: a third condition guards both.
        if (head.Length >= 3 && head[0] == (byte)'P' && head[1] is >= (byte)'1' and <= (byte)'6'
            && head[2] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            return ImageKind.Pnm;
        }

        bool reservedIsZero = head.Length >= 10 && head.Slice(6, 4).IndexOfAnyExcept((byte)0) < 0;
        return reservedIsZero && head.StartsWith("BM"u8) ? ImageKind.Bmp : ImageKind.Unknown;
    }

    /// <summary>The first bytes as hexadecimal and as text, for an error message.</summary>
    /// <param name="head">The first bytes of the file.</param>
    internal static string Describe(ReadOnlySpan<byte> head)
    {
        head = head[..Math.Min(head.Length, Shown)];
        var text = new StringBuilder(head.Length);
        foreach (byte value in head)
        {
            text.Append(value is >= 0x20 and < 0x7F ? (char)value : '.');
        }

        return $"{Convert.ToHexString(head)} \"{text}\"";
    }

    private static ImageKind DetectHeif(ReadOnlySpan<byte> brand)
    {
        if (brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8))
        {
            return ImageKind.Avif;
        }

        bool heif = brand.SequenceEqual("heic"u8) || brand.SequenceEqual("heix"u8) || brand.SequenceEqual("mif1"u8)
            || brand.SequenceEqual("msf1"u8) || brand.SequenceEqual("hevc"u8);
        return heif ? ImageKind.Heif : ImageKind.Unknown;
    }
}
