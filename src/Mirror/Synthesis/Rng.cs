// xoshiro256** seeded by splitmix64: System.Random promises no fixed sequence for a seed, a survey needs one.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>A seeded stream of random numbers; one per scene and per view, never shared between threads.</summary>
internal sealed class Rng
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    /// <summary>A stream that depends on a seed and on which of its many streams is wanted.</summary>
    internal Rng(ulong seed, ulong stream)
    {
        ulong state = seed ^ (stream * 0xD1342543DE82EF95UL);
        _a = SplitMix(ref state);
        _b = SplitMix(ref state);
        _c = SplitMix(ref state);
        _d = SplitMix(ref state);
    }

    /// <summary>32 random bits.</summary>
    internal uint Bits() => (uint)(Next() >> 32);

    /// <summary>Uniform in [low, high).</summary>
    internal float Uniform(float low, float high) => low + ((high - low) * ((Next() >> 40) * (1f / (1 << 24))));

    /// <summary>Uniform in 0..count-1.</summary>
    internal int Below(int count) => (int)((Bits() * (ulong)count) >> 32);

    /// <summary>One of the given values.</summary>
    internal T Pick<T>(ReadOnlySpan<T> values) => values[Below(values.Length)];

    /// <summary>True with the given probability.</summary>
    internal bool Chance(float probability) => Uniform(0, 1) < probability;

    private static ulong SplitMix(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    private ulong Next()
    {
        ulong result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        ulong t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }
}
