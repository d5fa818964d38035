// A street seen by somebody who walks along it: a row of different buildings with recessed windows, balconies, trees, lamps and
// parked cars before them. The walls are the planes that make real facades hard: the same window, again and again.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>A ground-level scene of facades.</summary>
internal sealed class Street : Scene
{
    private const float Step = 3.9f;
    private const float Margin = 45;
    private const float Kerb = -3;

    private static readonly int[] Paints = [0xD9C49A, 0xC98F6B, 0xE3DCCB, 0xB5C0B0, 0xC7A4A0, 0xA9B4C2, 0xD8B25E];
    private static readonly int[] Bricks = [0x8E4A38, 0xA4664A, 0x76453A, 0xB08A5E];
    private static readonly int[] Stones = [0xB9AE98, 0xA39C90, 0xC7B48E];

    private readonly Facade?[] _facades;
    private readonly int _views;
    private readonly uint _seed;

    private Street(IReadOnlyList<Solid> solids, Rng random, int views)
        : base(new Terrain(Margin + (views * Step), _ => 0), solids, random, -0.5f * MathF.PI + random.Uniform(-0.7f, 0.7f), 0.0009f)
    {
        _facades = [.. solids.Select(solid => solid.Material == Material.Facade ? new Facade(solid) : null)];
        _views = views;
        _seed = random.Bits();
    }

    /// <summary>Builds a street with room for a number of views.</summary>
    internal static Street Create(Rng random, int views)
    {
        var builder = new Builder(new Terrain(1, _ => 0), random);
        float end = Margin + (0.5f * views * Step);
        for (float x = -end; x < end;)
        {
            float half = random.Uniform(3.6f, 7.5f);
            Building(builder, random, x + half, half);
            x += 2 * half;
        }

        Furniture(builder, random, end);
        return new Street(builder.Solids, random, views);
    }

    /// <inheritdoc/>
    internal override Camera CameraOf(int view, Rng random, int width, int height)
    {
        float x = ((view - (0.5f * (_views - 1))) * Step) + random.Uniform(-0.8f, 0.8f);
        var position = new Vector3(x, random.Uniform(-14.5f, -11), random.Uniform(1.55f, 1.9f));
        float yaw = (0.5f * MathF.PI) + random.Uniform(-0.35f, 0.35f);
        float pitch = random.Uniform(0.12f, 0.26f);
        var forward = new Vector3(MathF.Cos(yaw) * MathF.Cos(pitch), MathF.Sin(yaw) * MathF.Cos(pitch), MathF.Sin(pitch));
        var up = new Vector3(random.Uniform(-0.03f, 0.03f), 0, 1);
        return new Camera(position, forward, up, 1.12f, width, height);
    }

    /// <inheritdoc/>
    internal override bool Trace(Ray ray, float limit, out Hit hit)
    {
        // An opening is deeper than its wall, so the wall may be hit before the limit and the pane behind it.
        if (!base.Trace(ray, limit, out hit))
        {
            return false;
        }

        if (hit.Solid >= 0 && _facades[hit.Solid] is Facade facade)
        {
            hit = facade.Relief(ray, hit);
        }

        return hit.Distance < limit;
    }

    /// <inheritdoc/>
    protected override Surface SolidAt(Solid solid, Vector3 point, Hit hit, float footprint) =>
        _facades[hit.Solid]?.SurfaceAt(point, hit, footprint) ?? base.SolidAt(solid, point, hit, footprint);

    /// <inheritdoc/>
    protected override Surface GroundAt(Vector2 p, Vector3 normal, float footprint)
    {
        float rough = Noise.Sum(p, 1.5f, _seed, 6, footprint);
        float wide = Noise.Sum(p, 7, _seed + 5, 3, footprint);
        if (p.Y > Kerb)
        {
            float visible = Noise.Visible(0.5f, footprint);
            int row = (int)MathF.Floor(p.Y / 0.5f);
            float inSlab = p.X + (0.35f * (row & 1));
            int column = (int)MathF.Floor(inSlab / 0.7f);
            float joint = MathF.Min(inSlab - (column * 0.7f), p.Y - (row * 0.5f)) < 0.02f ? -0.35f * visible : 0;
            float each = 0.22f * (Noise.Unit(column, row, _seed) - 0.5f);
            return new Surface(Colors.Of(0xA7A29A) * (1 + each + joint + (0.3f * rough) + (0.2f * wide)));
        }

        if (p.Y > Kerb - 0.3f)
        {
            return new Surface(Colors.Of(p.Y > Kerb - 0.16f ? 0xBDB8AE : 0x57534E) * (1 + (0.2f * rough)));
        }

        bool parking = MathF.Abs(p.Y + 5.4f) < 0.06f && MathF.Abs(p.X % 5) < 3.6f;
        bool middle = MathF.Abs(p.Y + 9.2f) < 0.07f && MathF.Abs(p.X % 6) < 3;
        bool cover = (p - new Vector2((MathF.Round(p.X / 23) * 23) + 4, -7)).Length() < 0.36f;
        if ((parking || middle) && rough > -0.3f)
        {
            return new Surface(Colors.Of(0xD6D4CC));
        }

        // Patches where the road was opened and closed again.
        float patch = Noise.Unit((int)MathF.Floor(p.X / 4.3f), (int)MathF.Floor(p.Y / 1.7f), _seed) < 0.18f ? -0.22f : 0;
        return new Surface(Colors.Of(cover ? 0x3C3836 : 0x6A6A6C) * (1 + patch + (0.35f * rough) + (0.25f * wide)));
    }

    private static void Building(Builder builder, Rng random, float x, float half)
    {
        float set = random.Uniform(0, 0.5f);
        int kind = random.Below(3);
        int paint = random.Pick<int>(kind == 0 ? Bricks : kind == 1 ? Paints : Stones);
        uint seed = (random.Bits() & ~3u) | (uint)kind; // The facade reads its kind from the lowest bits.
        float height = Facade.GroundFloor + (random.Below(3) + 2) * 3.1f + 0.7f;
        Vector3 color = Colors.Vary(random, Colors.Of(paint), 0.12f);
        builder.Solids.Add(new Solid(
            new Vector3(x, set + 6, 0.5f * height), new Vector3(half, 6, 0.5f * height), 0, 0, Material.Facade, color, seed));
        Vector3 trim = Vector3.Lerp(color, Colors.Of(0xDAD4C6), 0.7f);
        Ledge(height, 0.32f, 0.2f);
        Ledge(Facade.GroundFloor + 0.05f, 0.12f, 0.12f);
        int roof = random.Pick<int>([0x57524F, 0x7C4836, 0x4C5258]);
        builder.Solids.Add(new Solid(
            new Vector3(x, set + 6, height + 0.2f), new Vector3(half, 6, 0.05f), 0, random.Uniform(2.4f, 4), Material.Roof,
            Colors.Of(roof), random.Bits()));
        var facade = new Facade(builder.Solids[^4]);
        foreach (Vector2 balcony in facade.Balconies())
        {
            Balcony(new Vector3(x - half + balcony.X, set, balcony.Y));
        }

        void Ledge(float z, float depth, float thick) => builder.Solids.Add(new Solid(
            new Vector3(x, set - (0.5f * depth), z), new Vector3(half, 0.5f * depth, thick), 0, 0, Material.Stone, trim, random.Bits()));

        void Balcony(Vector3 at)
        {
            builder.Solids.Add(new Solid(
                at + new Vector3(0, -0.45f, -0.08f), new Vector3(0.95f, 0.45f, 0.08f), 0, 0, Material.Stone, trim, random.Bits()));
            Vector3 iron = Colors.Of(0x24262A);
            builder.Solids.Add(new Solid(
                at + new Vector3(0, -0.87f, 0.95f), new Vector3(0.93f, 0.025f, 0.025f), 0, 0, Material.Metal, iron, 0));
            for (int bar = -6; bar <= 6; bar++)
            {
                builder.Solids.Add(new Solid(
                    at + new Vector3(bar * 0.15f, -0.87f, 0.47f), new Vector3(0.014f, 0.014f, 0.47f), 0, 0, Material.Metal, iron, 0));
            }
        }
    }

    private static void Furniture(Builder builder, Rng random, float end)
    {
        Vector3 leaves = Colors.Of(random.Pick<int>([0x5F7C3A, 0x6E8A44, 0x8A8238]));
        for (float x = -end; x < end; x += random.Uniform(9, 17))
        {
            builder.Tree(new Vector2(x, -2.2f), random.Uniform(1.2f, 1.9f), random.Uniform(4.4f, 6.2f), leaves);
        }

        for (float x = -end + 4; x < end; x += random.Uniform(9, 22))
        {
            builder.Car(new Vector2(x, -4.3f), random.Uniform(-0.03f, 0.03f) + (random.Chance(0.5f) ? MathF.PI : 0));
        }

        for (float x = -end + 7; x < end; x += 22)
        {
            Vector3 iron = Colors.Of(0x2E3634);
            builder.Solids.Add(new Solid(new Vector3(x, -2.6f, 2.4f), new Vector3(0.06f, 0.06f, 2.4f), 0, 0, Material.Metal, iron, 0));
            builder.Solids.Add(new Solid(new Vector3(x, -2.6f, 5), new Vector3(0.22f, 0.22f, 0.28f), 0.4f, 0, Material.Metal, Colors.Of(0xE9E2C8), 0));
        }
    }
}
