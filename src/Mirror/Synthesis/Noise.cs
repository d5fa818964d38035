// Value noise on an integer lattice, and sums of it. All textures come from here: no image is ever loaded. Octaves finer than
// two pixels are left out, which is what keeps distant ground from shimmering between views.

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Mirror.Synthesis;

/// <summary>Hashes and smooth noise; every function is a pure function of its arguments.</summary>
internal static class Noise
{
    /// <summary>A well mixed hash of a lattice point.</summary>
    internal static uint Hash(int x, int y, uint seed)
    {
        uint h = ((uint)x * 0x8DA6B343u) ^ ((uint)y * 0xD8163841u) ^ (seed * 0xCB1AB31Fu);
        h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
        h = (h ^ (h >> 12)) * 0x297A2D39u;
        return h ^ (h >> 15);
    }

    /// <summary>The hash as a number in [0, 1).</summary>
    internal static float Unit(int x, int y, uint seed) => (Hash(x, y, seed) >> 8) * (1f / (1 << 24));

    /// <summary>Another number in [0, 1) from an already mixed hash, by index.</summary>
    internal static float Unit(uint hash, int index) => Unit((int)hash, index, 0x51ED270Bu);

    /// <summary>Smooth noise in [-1, 1] with features of size 1.</summary>
    internal static float Value(float x, float y, uint seed)
    {
        int ix = (int)MathF.Floor(x);
        int iy = (int)MathF.Floor(y);
        return (2 * Blend(Corners(ix, iy, seed), Fade(x - ix), Fade(y - iy))) - 1;
    }

    /// <summary>Smooth noise in [-1, 1] in space.</summary>
    internal static float Value(Vector3 p, uint seed)
    {
        int ix = (int)MathF.Floor(p.X);
        int iy = (int)MathF.Floor(p.Y);
        int iz = (int)MathF.Floor(p.Z);
        Vector128<float> low = Corners(ix, iy, seed + ((uint)iz * 0x9E3779B9u));
        Vector128<float> high = Corners(ix, iy, seed + ((uint)(iz + 1) * 0x9E3779B9u));
        Vector128<float> between = low + ((high - low) * Fade(p.Z - iz));
        return (2 * Blend(between, Fade(p.X - ix), Fade(p.Y - iy))) - 1;
    }

    /// <summary>A sum of octaves in about [-1, 1].</summary>
    /// <param name="p">The point, in metres.</param>
    /// <param name="wavelength">Size of the largest features, in metres.</param>
    /// <param name="seed">Which noise.</param>
    /// <param name="octaves">How many, each of half the wavelength and 0.55 of the amplitude.</param>
    /// <param name="footprint">Size of a pixel on the surface in metres; finer octaves are left out.</param>
    internal static float Sum(Vector2 p, float wavelength, uint seed, int octaves, float footprint = 0)
    {
        float sum = 0;
        float amplitude = 0.5f;
        for (int octave = 0; octave < octaves && wavelength > 1.5f * footprint; octave++)
        {
            sum += amplitude * Value(p.X / wavelength, p.Y / wavelength, seed + (uint)octave);
            amplitude *= 0.55f;
            wavelength *= 0.5f;
        }

        return sum;
    }

    /// <summary>0 below <paramref name="low"/>, 1 above <paramref name="high"/>, smooth between.</summary>
    internal static float Step(float low, float high, float value)
    {
        float t = Math.Clamp((value - low) / (high - low), 0, 1);
        return t * t * (3 - (2 * t));
    }

    /// <summary>How much of a stripe pattern's detail a pixel can still show: 1 where it is much finer than the period, 0 where coarser.</summary>
    internal static float Visible(float period, float footprint) => 1 - Step(0.35f * period, 0.8f * period, footprint);

    // Unit() at the corners (x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1) of a lattice cell: four hashes for the price of one.
    // Most of a rendering's time is spent here.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Corners(int x, int y, uint seed)
    {
        Vector128<uint> xs = Vector128.Create((uint)x) + Vector128.Create(0u, 1, 0, 1);
        Vector128<uint> ys = Vector128.Create((uint)y) + Vector128.Create(0u, 0, 1, 1);
        Vector128<uint> h = (xs * 0x8DA6B343u) ^ (ys * 0xD8163841u) ^ Vector128.Create(seed * 0xCB1AB31Fu);
        h = (h ^ (h >>> 15)) * 0x2C1B3C6Du;
        h = (h ^ (h >>> 12)) * 0x297A2D39u;
        h ^= h >>> 15;
        return Vector128.ConvertToSingle((h >>> 8).AsInt32()) * (1f / (1 << 24));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Blend(Vector128<float> corners, float fx, float fy)
    {
        float low = Lerp(corners.GetElement(0), corners.GetElement(1), fx);
        float high = Lerp(corners.GetElement(2), corners.GetElement(3), fx);
        return Lerp(low, high, fy);
    }

    private static float Lerp(float a, float b, float t) => a + ((b - a) * t);

    private static float Fade(float t) => t * t * t * ((t * ((6 * t) - 15)) + 10);
}
