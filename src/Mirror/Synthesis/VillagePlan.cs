// The plan of a village as functions of the place: how far the roads are, which lot or parcel this is, and its colour.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>Roads, lots and parcels.</summary>
internal sealed class VillagePlan(Rng random)
{
    /// <summary>Width of a lot along the main road, metres.</summary>
    internal const float LotWidth = 18;

    private const float LotDepth = 34;
    private const float LaneEvery = 108;
    private const float ParcelSize = 52;

    private static readonly Vector3 Asphalt = Colors.Of(0x77777A);
    private static readonly Vector3 Gravel = Colors.Of(0xA79B86);
    private static readonly Vector3 Grass = Colors.Of(0x6F8A45);
    private static readonly Vector3 Paint = Colors.Of(0xDCDCD6);
    private static readonly Vector3 Hedge = Colors.Of(0x3C5429);
    private static readonly Vector3[] Crops =
    [
        Colors.Of(0x80644A), Colors.Of(0xC4AA68), Colors.Of(0x64883E), Colors.Of(0x849C54), Colors.Of(0xB7AC3C),
        Colors.Of(0xAE9668), Colors.Of(0x768E48),
    ];

    private readonly uint _seed = random.Bits();
    private readonly float _angle = random.Uniform(-0.6f, 0.6f);
    private readonly float _bend = random.Uniform(4, 9);
    private readonly float _phase = random.Uniform(0, MathF.Tau);
    private readonly float _laneShift = random.Uniform(-40, 40);

    /// <summary>A point of the plane, from metres along the main road and metres beside it.</summary>
    internal Vector2 OnMainRoad(float along, float beside) => Builder.Turn(new Vector2(along, beside + Bend(along)), _angle);

    /// <summary>Direction of the main road, radians.</summary>
    internal float RoadAngle(float along) => _angle + MathF.Atan(_bend / 38 * MathF.Cos((along / 38) + _phase));

    /// <summary>Metres to the middle of the nearest lane.</summary>
    internal float LaneDistance(Vector2 p) => MathF.Abs(Lane(Builder.Turn(p, -_angle)));

    /// <summary>Whether a lot has a pool in its garden.</summary>
    /// <param name="lot">Number along the road.</param>
    /// <param name="side">Positive: left of the road, negative: right.</param>
    internal bool HasPool(int lot, int side) => LotHash(lot, side) % 4 == 0;

    /// <summary>Probability that a tree stands at a place.</summary>
    internal float TreeChance(Vector2 p)
    {
        Vector2 q = Builder.Turn(p, -_angle);
        float beside = MathF.Abs(q.Y - Bend(q.X));
        if (beside < 5.5f || MathF.Abs(Lane(q)) < 4)
        {
            return 0;
        }

        if (beside < LotDepth)
        {
            return beside is < 8 or > 21 ? 0.16f : 0;
        }

        (uint hash, float edge) = Parcel(q);
        return edge < 1.6f ? 0.30f * Noise.Step(-0.2f, 0.3f, Noise.Value(q.X / 40, q.Y / 40, _seed)) : IsWood(hash) ? 0.33f : 0.001f;
    }

    /// <summary>Whether a tree of an orchard stands at a grid place.</summary>
    internal bool IsOrchard(Vector2 p)
    {
        Vector2 q = Builder.Turn(p, -_angle);
        (uint hash, float edge) = Parcel(q);
        return hash % 8 == 6 && edge > 3 && MathF.Abs(q.Y - Bend(q.X)) > LotDepth + 2 && MathF.Abs(Lane(q)) > 6;
    }

    /// <summary>The ground at a place.</summary>
    internal Surface Ground(Vector2 p, float footprint)
    {
        Vector2 q = Builder.Turn(p, -_angle);
        float beside = q.Y - Bend(q.X);
        float lane = Lane(q);
        float rough = Noise.Sum(p, 2.2f, _seed + 3, 5, footprint) + (0.45f * Noise.Sum(p, 0.5f, _seed + 5, 2, footprint));
        float wide = Noise.Sum(p, 34, _seed + 9, 4, footprint);
        Vector3 color;
        if (MathF.Abs(beside) < 3.3f)
        {
            color = Asphalt * (1 + (0.16f * rough) + (0.15f * wide));
            color = Paintwork(color, q, beside, rough);
        }
        else if (MathF.Abs(lane) < 2.2f)
        {
            color = Vector3.Lerp(Gravel, Asphalt, 0.4f) * (1 + (0.25f * rough) - (0.2f * Noise.Step(0.5f, 0, MathF.Abs(MathF.Abs(lane) - 0.9f))));
        }
        else if (MathF.Abs(beside) < 4.9f)
        {
            color = Colors.Of(0xA9A59C) * (1 + (0.12f * rough));
        }
        else if (MathF.Abs(beside) < LotDepth)
        {
            return Garden(q, beside, rough, wide);
        }
        else
        {
            color = Field(q, rough, wide, footprint);
        }

        return new Surface(color);
    }

    private static bool IsWood(uint hash) => hash % 8 == 7;

    private static Vector3 Paintwork(Vector3 color, Vector2 q, float beside, float rough)
    {
        bool dash = MathF.Abs(beside) < 0.11f && MathF.Abs(q.X % 7) < 3.2f;
        bool border = MathF.Abs(MathF.Abs(beside) - 3.05f) < 0.08f;
        return (dash || border) && rough > -0.35f ? Paint : color;
    }

    private uint LotHash(int lot, int side) => Noise.Hash(lot, side > 0 ? 1 : 0, _seed);

    private Surface Garden(Vector2 q, float beside, float rough, float wide)
    {
        int lot = (int)MathF.Floor(q.X / LotWidth);
        float a = q.X - (lot * LotWidth);
        float b = MathF.Abs(beside);
        uint hash = LotHash(lot, MathF.Sign(beside));
        if (a < 0.6f || b > LotDepth - 0.8f)
        {
            return new Surface(Hedge * (1 + (0.6f * rough)));
        }

        bool drive = a is > 1.4f and < 4.6f && b < 13;
        bool patio = b is > 18.5f and < 21.5f && a is > 6 and < 14;
        if (drive || patio)
        {
            Vector3 stone = (hash & 8) == 0 ? Gravel : Colors.Of(0x9A8478);
            return new Surface(stone * (1 + (0.3f * rough)));
        }

        var fromPool = new Vector2(MathF.Max(MathF.Abs(a - 10) - 2.6f, 0), MathF.Max(MathF.Abs(b - 26.5f) - 1, 0));
        float pool = fromPool.Length() - 0.7f;
        if (hash % 4 == 0 && pool < 0.8f)
        {
            return pool < 0 ? new Surface(Colors.Of(0x3FA0B4), 0.10f) : new Surface(Colors.Of(0xD8D2C4));
        }

        if (hash % 4 == 1 && b > 23 && a > 7)
        {
            float bed = MathF.Abs((a % 1.4f) - 0.7f) < 0.42f ? 1 : 0;
            return new Surface(Vector3.Lerp(Colors.Of(0x74563C), Colors.Of(0x4E7436), bed) * (1 + (0.6f * rough)));
        }

        Vector3 lawn = Vector3.Lerp(Grass, Colors.Of(0x9B9A5C), Noise.Unit(hash, 2) * 0.8f);
        float mown = (hash & 16) == 0 ? 0.05f * MathF.Sign(MathF.Sin(a * 4)) : 0;
        return new Surface(lawn * (0.95f + (0.4f * rough) + (0.35f * wide) + mown));
    }

    private Vector3 Field(Vector2 q, float rough, float wide, float footprint)
    {
        (uint hash, float edge) = Parcel(q);
        if (edge < 1.1f)
        {
            return Grass * (0.9f + (0.5f * rough) + (0.3f * wide));
        }

        int crop = (int)(hash % 8) % Crops.Length;
        float angle = Noise.Unit(hash, 1) * MathF.PI;
        float across = Builder.Turn(q, angle).X + (0.5f * wide);
        float period = crop is 0 or 2 ? 1.3f : crop == 5 ? 2.8f : 3.6f;
        float rows = 0.16f * MathF.Sin(across * MathF.Tau / period) * Noise.Visible(period, footprint);
        if (crop is 3 or 6)
        {
            rows = 0;
        }

        float tram = MathF.Abs((MathF.Abs(across) % 14) - 7);
        float wheels = crop is 1 or 2 or 4 && (tram is > 0.7f and < 1.15f) ? -0.32f : 0;
        float headland = edge < 5 ? -0.08f : 0;
        float patches = crop is 3 or 6 ? 0.75f : 0.4f;
        Vector3 color = Crops[crop] * (1 + (0.25f * (Noise.Unit(hash, 5) - 0.5f)));
        color = Vector3.Lerp(color, new Vector3(color.X * 1.25f, color.Y * 1.05f, color.Z * 0.9f), Math.Clamp(wide + 0.3f, 0, 1));
        return color * MathF.Max(0.2f, 1 + rows + wheels + headland + (0.45f * rough) + (patches * wide));
    }

    // The parcel is that of the nearest of jittered points; its border lies where two points are equally near.
    private (uint Hash, float Edge) Parcel(Vector2 q)
    {
        Vector2 g = new Vector2(q.X, q.Y * 1.35f) / ParcelSize;
        int cx = (int)MathF.Floor(g.X);
        int cy = (int)MathF.Floor(g.Y);
        float nearest = float.MaxValue;
        float second = float.MaxValue;
        uint best = 0;
        for (int y = cy - 1; y <= cy + 1; y++)
        {
            for (int x = cx - 1; x <= cx + 1; x++)
            {
                uint hash = Noise.Hash(x, y, _seed + 21);
                var point = new Vector2(x + 0.15f + (0.7f * Noise.Unit(hash, 3)), y + 0.15f + (0.7f * Noise.Unit(hash, 4)));
                float distance = Vector2.Distance(g, point);
                if (distance < nearest)
                {
                    (second, nearest, best) = (nearest, distance, hash);
                }
                else if (distance < second)
                {
                    second = distance;
                }
            }
        }

        return (best, 0.5f * (second - nearest) * ParcelSize);
    }

    private float Bend(float along) => _bend * MathF.Sin((along / 38) + _phase);

    private float Lane(Vector2 q)
    {
        float x = q.X + _laneShift + (5 * MathF.Sin((q.Y / 31) + _phase));
        return x - (MathF.Round(x / LaneEvery) * LaneEvery);
    }
}
