// The eight EXIF orientations as one index mapping: the pixel (x, y) of the upright image lies at
// start + x * stepX + y * stepY in the stored one. Everything else is a loop over tiles that keeps both images in cache.

using System.Runtime.InteropServices;

namespace Mirror.Photographs;

/// <summary>Turns and mirrors pixels according to the EXIF orientation.</summary>
internal static class ExifOrientation
{
    private const int Tile = 32;

    /// <summary>Whether the orientation exchanges width and height.</summary>
    /// <param name="orientation">1..8.</param>
    internal static bool SwapsSides(int orientation) => orientation >= 5;

    /// <summary>Returns the upright copy of a stored image and disposes the stored one; for orientation 1 returns it as it is.</summary>
    /// <param name="stored">The image as the file has it, <see cref="PixelFormat.Gray8"/> or a format of four bytes.</param>
    /// <param name="orientation">EXIF value 1..8.</param>
    /// <exception cref="ArgumentOutOfRangeException">The orientation is not 1..8.</exception>
    internal static PixelImage Upright(PixelImage stored, int orientation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(orientation, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(orientation, 8);
        if (orientation == 1)
        {
            return stored;
        }

        using (stored)
        {
            bool swap = SwapsSides(orientation);
            var upright = new PixelImage(
                swap ? stored.Height : stored.Width, swap ? stored.Width : stored.Height, stored.Format);
            if (stored.Format == PixelFormat.Gray8)
            {
                Copy<byte>(stored, upright, orientation);
            }
            else
            {
                Copy<uint>(stored, upright, orientation);
            }

            return upright;
        }
    }

    private static void Copy<T>(PixelImage stored, PixelImage upright, int orientation)
        where T : unmanaged
    {
        ReadOnlySpan<T> source = MemoryMarshal.Cast<byte, T>(stored.Pixels);
        Span<T> target = MemoryMarshal.Cast<byte, T>(upright.Pixels);
        int size = Marshal.SizeOf<T>();
        int sourceStride = stored.Stride / size;
        int targetStride = upright.Stride / size;
        (int start, int stepX, int stepY) = Mapping(stored.Width, stored.Height, sourceStride, orientation);
        for (int top = 0; top < upright.Height; top += Tile)
        {
            int bottom = Math.Min(top + Tile, upright.Height);
            for (int left = 0; left < upright.Width; left += Tile)
            {
                int right = Math.Min(left + Tile, upright.Width);
                for (int y = top; y < bottom; y++)
                {
                    int from = start + (left * stepX) + (y * stepY);
                    foreach (ref T pixel in target.Slice((y * targetStride) + left, right - left))
                    {
                        pixel = source[from];
                        from += stepX;
                    }
                }
            }
        }
    }

    private static (int Start, int StepX, int StepY) Mapping(int width, int height, int stride, int orientation)
    {
        int lastColumn = width - 1;
        int lastRow = (height - 1) * stride;
        return orientation switch
        {
            1 => (0, 1, stride),
            2 => (lastColumn, -1, stride),
            3 => (lastRow + lastColumn, -1, -stride),
            4 => (lastRow, 1, -stride),
            5 => (0, stride, 1),
            6 => (lastRow, -stride, 1),
            7 => (lastRow + lastColumn, -stride, -1),
            _ => (lastColumn, stride, -1),
        };
    }
}
