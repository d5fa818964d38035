// Colours are written as the eye knows them (0xRRGGBB) and used as light adds up (linear).

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>Conversions and variations of colours.</summary>
internal static class Colors
{
    /// <summary>Linear RGB of a display colour.</summary>
    internal static Vector3 Of(int rgb) => new(Linear(rgb >> 16), Linear(rgb >> 8), Linear(rgb));

    /// <summary>A colour made lighter or darker by up to <paramref name="amount"/>, and a little warmer or cooler.</summary>
    internal static Vector3 Vary(Rng random, Vector3 color, float amount)
    {
        float light = 1 + random.Uniform(-amount, amount);
        float warm = random.Uniform(-0.3f, 0.3f) * amount;
        return color * light * new Vector3(1 + warm, 1, 1 - warm);
    }

    private static float Linear(int level) => MathF.Pow((level & 255) / 255f, 2.2f);
}
