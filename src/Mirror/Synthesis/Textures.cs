// Surfaces of the solids that every scene may have: leaves, bark, house walls with windows, tiled roofs, cars, stones.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>Textures of solids.</summary>
internal static class Textures
{
    private static readonly Vector3 Glass = Colors.Of(0x1E2830);
    private static readonly Vector3 Frame = Colors.Of(0xE8E4DA);

    /// <summary>The surface of a solid at a point.</summary>
    internal static Surface Of(Solid solid, Vector3 point, Hit hit, float footprint)
    {
        Vector3 local = solid.ToLocal(point - solid.Center);
        return solid.Material switch
        {
            Material.Leaves => Leaves(solid, local, footprint),
            Material.Bark => new Surface(solid.Color * (1 + (0.4f * Noise.Value(local * new Vector3(9, 9, 2), solid.Seed)))),
            Material.House => House(solid, local, hit.Face, footprint),
            Material.Roof => Roof(solid, local, footprint),
            Material.Car => Car(solid, local, hit.Face),
            Material.Metal => new Surface(solid.Color, 0.04f),
            _ => new Surface(solid.Color * (1 + (0.5f * Noise.Sum(new Vector2(local.X + local.Z, local.Y - local.Z), 0.8f, solid.Seed, 4, footprint)))),
        };
    }

    private static Surface Leaves(Solid solid, Vector3 local, float footprint)
    {
        float coarse = Noise.Value(local * 1.3f, solid.Seed + 1);
        float fine = footprint < 0.2f ? Noise.Value(local * 5.7f, solid.Seed + 2) : 0;
        float leaf = footprint < 0.07f ? Noise.Value(local * 14, solid.Seed + 3) : 0;
        float height = local.Z / solid.Half.Z;
        float light = 0.85f + (0.35f * coarse) + (0.5f * fine) + (0.45f * leaf) + (0.22f * height);
        return new Surface(solid.Color * MathF.Max(light, 0.15f) * new Vector3(1 + (0.12f * coarse), 1, 1 - (0.1f * fine)));
    }

    private static Surface House(Solid solid, Vector3 local, int face, float footprint)
    {
        bool alongX = face is Solid.South or Solid.North;
        float u = (alongX ? local.X : local.Y) + 50;
        float v = local.Z + solid.Half.Z;
        float stain = 1 + (0.12f * Noise.Sum(new Vector2(u, v), 3, solid.Seed + (uint)face, 4, footprint));
        if (face > Solid.North)
        {
            return new Surface(solid.Color * stain);
        }

        int column = (int)(u / 2.4f);
        float inColumn = MathF.Abs(u - ((column + 0.5f) * 2.4f));
        float inStorey = v % 2.7f;
        bool exists = Noise.Unit(column, (int)(v / 2.7f) + (face * 16), solid.Seed) < 0.7f;
        bool inWall = MathF.Abs(alongX ? local.X : local.Y) < (alongX ? solid.Half.X : solid.Half.Y) - 0.7f;
        if (exists && inWall && inColumn < 0.65f && inStorey is > 0.9f and < 2.2f)
        {
            bool pane = inColumn is > 0.07f and < 0.57f && inStorey is > 1 and < 2.1f;
            return pane ? new Surface(Glass, 0.12f) : new Surface(Frame);
        }

        return new Surface(solid.Color * stain * (v < 0.5f ? 0.6f : 1));
    }

    private static Surface Roof(Solid solid, Vector3 local, float footprint)
    {
        float down = MathF.Abs(local.Y) * 1.2f;
        int row = (int)(down / 0.34f);
        int tile = (int)MathF.Floor((local.X / 0.3f) + (0.5f * (row & 1)));
        float visible = Noise.Visible(0.6f, footprint);
        float each = (Noise.Unit(tile, row + (local.Y > 0 ? 500 : 0), solid.Seed) - 0.5f) * 0.5f * visible;
        float edge = (down / 0.34f) - row > 0.8f ? -0.3f * Noise.Visible(0.34f, footprint) : 0;
        float age = 0.45f * Noise.Sum(new Vector2(local.X, local.Y), 4, solid.Seed, 5, footprint);
        float ridge = MathF.Abs(local.Y) < 0.18f ? 0.25f : 0;

        // Skylights: dark panes at a few seeded places of the roof.
        float place = MathF.Abs(local.X - ((Noise.Unit(3, 3, solid.Seed) - 0.5f) * 1.2f * solid.Half.X));
        bool window = solid.Seed % 3 == 0 && place < 0.5f && MathF.Abs(local.Y - (0.5f * solid.Half.Y)) < 0.6f;
        return window ? new Surface(Glass, 0.35f) : new Surface(solid.Color * (1 + each + edge + age + ridge));
    }

    private static Surface Car(Solid solid, Vector3 local, int face)
    {
        // A cabin is a solid of its own with a Ridge of 0 and Half.X below 1.4 metres: glass all round, paint on top.
        bool cabin = solid.Half.X < 1.4f;
        if (cabin && face != Solid.Top)
        {
            return new Surface(Glass, 0.25f);
        }

        bool wheel = !cabin && face is Solid.South or Solid.North
            && new Vector2(MathF.Abs(local.X) - (0.62f * solid.Half.X), local.Z + solid.Half.Z - 0.05f).Length() < 0.33f;
        return wheel ? new Surface(Colors.Of(0x151515)) : new Surface(solid.Color, 0.06f);
    }
}
