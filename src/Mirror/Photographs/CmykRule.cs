// CMYK to RGB as TensorFlow's JPEG reader has it: r = C K / 255, and so on, of the inks' absence.

namespace Mirror.Photographs;

internal static class CmykRule
{
    /// <summary>Turns pixels of four inks into RGBA in place.</summary>
    /// <param name="pixels">Four bytes a pixel: C, M, Y, K.</param>
    /// <param name="absence">Whether the bytes tell the absence of ink (Adobe's files), not ink.</param>
    internal static void ToRgba(Span<byte> pixels, bool absence)
    {
        int flip = absence ? 0 : 255;
        for (int i = 0; i + 3 < pixels.Length; i += 4)
        {
            int black = pixels[i + 3] ^ flip;
            pixels[i] = (byte)((pixels[i] ^ flip) * black / 255);
            pixels[i + 1] = (byte)((pixels[i + 1] ^ flip) * black / 255);
            pixels[i + 2] = (byte)((pixels[i + 2] ^ flip) * black / 255);
            pixels[i + 3] = 255;
        }
    }
}
