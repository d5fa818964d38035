// Value noise on an integer lattice, and sums of it. All textures come from here: no image is ever loaded. Octaves finer than
// two pixels are left out, which is what keeps distant ground from shimmering between views.

using System.Numerics;

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
        float fx = Fade(x - ix);
        float fy = Fade(y - iy);
        float low = Lerp(Unit(ix, iy, seed), Unit(ix + 1, iy, seed), fx);
        float high = Lerp(Unit(ix, iy + 1, seed), Unit(ix + 1, iy + 1, seed), fx);
        return (2 * Lerp(low, high, fy)) - 1;
    }

    /// <summary>Smooth noise in [-1, 1] in space.</summary>
    internal static float Value(Vector3 p, uint seed)
    {
        int iz = (int)MathF.Floor(p.Z);
        float low = Value(p.X, p.Y, seed + ((uint)iz * 0x9E3779B9u));
        float high = Value(p.X, p.Y, seed + ((uint)(iz + 1) * 0x9E3779B9u));
        return Lerp(low, high, Fade(p.Z - iz));
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

    private static float Lerp(float a, float b, float t) => a + ((b - a) * t);

    private static float Fade(float t) => t * t * t * ((t * ((6 * t) - 15)) + 10);
}
