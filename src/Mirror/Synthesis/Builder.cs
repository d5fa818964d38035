// Puts the things that every scene knows onto the ground: trees, houses, cars.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>Collects the solids of a scene.</summary>
internal sealed class Builder(Terrain ground, Rng random)
{
    private static readonly int[] CarColors = [0xB8BCC0, 0x22262C, 0xF0F0EC, 0x8A1C1C, 0x24406E, 0x5C6266, 0x3C5A44];

    /// <summary>What was built so far.</summary>
    internal List<Solid> Solids { get; } = [];

    /// <summary>A tree: a trunk and a few overlapping crowns.</summary>
    /// <param name="at">Its foot in the plane.</param>
    /// <param name="radius">Of the whole crown, metres.</param>
    /// <param name="height">Of the whole tree, metres.</param>
    /// <param name="leaves">Linear colour.</param>
    internal void Tree(Vector2 at, float radius, float height, Vector3 leaves)
    {
        float foot = ground.Height(at.X, at.Y);
        float crown = MathF.Max(0.5f * (height - 1), 0.6f);
        Solids.Add(new Solid(
            new Vector3(at, foot + (0.3f * height)), new Vector3(0.04f * height, 0.04f * height, 0.3f * height), 0, 0,
            Material.Bark, Colors.Of(0x4A3B2C), random.Bits()));
        int parts = radius > 1.2f ? 8 : 4;
        for (int i = 0; i < parts; i++)
        {
            float angle = random.Uniform(0, MathF.Tau);
            float off = i == 0 ? 0 : random.Uniform(0.4f, 0.7f) * radius;
            float size = i == 0 ? 0.65f : random.Uniform(0.32f, 0.52f);
            var center = new Vector3(
                at.X + (MathF.Cos(angle) * off), at.Y + (MathF.Sin(angle) * off),
                foot + height - crown + (random.Uniform(-0.5f, 0.45f) * crown * (i == 0 ? 0 : 1)));
            Solids.Add(new Solid(
                center, new Vector3(radius * size, radius * size, crown * (i == 0 ? 0.9f : 0.48f)), angle, 0, Material.Leaves,
                Colors.Vary(random, leaves, 0.15f), random.Bits()));
        }
    }

    /// <summary>A house with a gable roof that overhangs its walls, and a chimney.</summary>
    /// <param name="at">Its middle in the plane.</param>
    /// <param name="half">Half length and half width, metres.</param>
    /// <param name="walls">Height of the walls, metres.</param>
    /// <param name="yaw">Direction of the ridge, radians.</param>
    /// <param name="wall">Linear colour of the walls.</param>
    /// <param name="roof">Linear colour of the roof.</param>
    internal void House(Vector2 at, Vector2 half, float walls, float yaw, Vector3 wall, Vector3 roof)
    {
        float foot = ground.Height(at.X, at.Y) - 0.8f;
        float ridge = half.Y * random.Uniform(0.55f, 0.85f);
        float top = foot + 0.8f + walls;
        Solids.Add(new Solid(
            new Vector3(at, 0.5f * (foot + top)), new Vector3(half, 0.5f * (top - foot)), yaw, ridge, Material.House, wall,
            random.Bits()));
        Solids.Add(new Solid(
            new Vector3(at, top), new Vector3(half.X + 0.45f, half.Y + 0.5f, 0.1f), yaw, ridge, Material.Roof, roof, random.Bits()));
        var beside = new Vector2(random.Uniform(-0.6f, 0.6f) * half.X, random.Uniform(0.1f, 0.5f) * half.Y);
        Vector2 chimney = at + Turn(beside, yaw);
        Solids.Add(new Solid(
            new Vector3(chimney, top + (0.6f * ridge)), new Vector3(0.35f, 0.35f, (0.4f * ridge) + 0.7f), yaw, 0, Material.Stone,
            Colors.Of(0x7A4A3A), random.Bits()));
    }

    /// <summary>A clipped hedge along a line.</summary>
    /// <param name="from">One end in the plane.</param>
    /// <param name="to">The other end.</param>
    /// <param name="leaves">Linear colour.</param>
    internal void Hedge(Vector2 from, Vector2 to, Vector3 leaves)
    {
        int bushes = (int)(Vector2.Distance(from, to) / 0.9f);
        for (int i = 0; i < bushes; i++)
        {
            Vector2 at = Vector2.Lerp(from, to, (i + 0.5f) / bushes);
            Solids.Add(new Solid(
                new Vector3(at, ground.Height(at.X, at.Y) + 0.55f), new Vector3(0.85f, 0.65f, random.Uniform(0.7f, 0.95f)),
                random.Uniform(0, MathF.PI), 0, Material.Leaves, Colors.Vary(random, leaves, 0.12f), random.Bits()));
        }
    }

    /// <summary>A parked car.</summary>
    /// <param name="at">Its middle in the plane.</param>
    /// <param name="yaw">Its direction, radians.</param>
    internal void Car(Vector2 at, float yaw)
    {
        float foot = ground.Height(at.X, at.Y);
        Vector3 color = Colors.Of(random.Pick<int>(CarColors));
        Solids.Add(new Solid(new Vector3(at, foot + 0.53f), new Vector3(2.1f, 0.86f, 0.33f), yaw, 0, Material.Car, color, random.Bits()));
        Vector2 cabin = at + Turn(new Vector2(-0.25f, 0), yaw);
        Solids.Add(new Solid(new Vector3(cabin, foot + 1.13f), new Vector3(1.2f, 0.74f, 0.27f), yaw, 0, Material.Car, color, random.Bits()) { Taper = 1.1f });
    }

    /// <summary>A vector of the plane turned by an angle.</summary>
    internal static Vector2 Turn(Vector2 v, float angle)
    {
        (float sin, float cos) = MathF.SinCos(angle);
        return new Vector2((cos * v.X) - (sin * v.Y), (sin * v.X) + (cos * v.Y));
    }
}
