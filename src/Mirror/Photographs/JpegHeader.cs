// Walks the markers of a JPEG file up to the first scan, for the two facts that choose how its colours are read:
// the number of components, and whether Adobe wrote it (then CMYK values are stored inverted).

using System.Buffers.Binary;

namespace Mirror.Photographs;

/// <summary>What the markers of a JPEG file say before its first scan.</summary>
/// <param name="Components">1 grey, 3 YCbCr or RGB, 4 CMYK or YCCK; 0 if no frame header was found.</param>
/// <param name="HasAdobeMarker">Whether an Adobe APP14 segment was found.</param>
internal readonly record struct JpegHeader(int Components, bool HasAdobeMarker)
{
    private const byte StartOfScan = 0xDA;
    private const byte Adobe = 0xEE;

    /// <summary>Reads the markers. Never fails: what is damaged is left to the decoder, which names the reason.</summary>
    /// <param name="file">The whole file.</param>
    internal static JpegHeader Read(ReadOnlySpan<byte> file)
    {
        int components = 0;
        bool adobe = false;
        int at = 2;
        while (at + 4 <= file.Length && file[at] == 0xFF)
        {
            byte marker = file[at + 1];
            if (marker == 0xFF)
            {
                at++; // Any marker may be preceded by fill bytes.
                continue;
            }

            int length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (marker == StartOfScan || length < 2 || at + 2 + length > file.Length)
            {
                break;
            }

            ReadOnlySpan<byte> body = file.Slice(at + 4, length - 2);
            if (marker == Adobe && body.StartsWith("Adobe"u8))
            {
                adobe = true;
            }
            else if (IsFrame(marker) && body.Length >= 6)
            {
                components = body[5];
            }

            at += 2 + length;
        }

        return new JpegHeader(components, adobe);
    }

    // SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC), which share the range.
    private static bool IsFrame(byte marker) => marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC);
}
