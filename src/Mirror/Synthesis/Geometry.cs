// Rays, hits and the two solids that everything above ground is made of: a block (a box turned about the vertical axis, with or
// without a gable) and a crown (an ellipsoid shell with holes, a part of a tree).

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>A half line; the direction has unit length.</summary>
internal readonly record struct Ray(Vector3 Origin, Vector3 Direction)
{
    /// <summary>The point at distance <paramref name="t"/>, in metres.</summary>
    internal Vector3 At(float t) => Origin + (Direction * t);
}

/// <summary>Where a ray ends.</summary>
/// <param name="Distance">Metres from the ray's origin.</param>
/// <param name="Normal">Unit normal, facing the ray's origin.</param>
/// <param name="Solid">Index of the solid, -1 for the ground.</param>
/// <param name="Face">Of a block: one of the constants of <see cref="Solid"/>; of a facade also an opening's index.</param>
internal readonly record struct Hit(float Distance, Vector3 Normal, int Solid, int Face);

/// <summary>What a solid is made of.</summary>
internal enum Material
{
    Leaves,
    Bark,
    House,
    Roof,
    Car,
    Facade,
    Stone,
    Metal,
}

/// <summary>A solid in the world.</summary>
/// <param name="Center">Middle of the box or ellipsoid, metres.</param>
/// <param name="Half">Half extents along the solid's own axes, metres.</param>
/// <param name="Yaw">Rotation about the vertical axis, radians.</param>
/// <param name="Ridge">Height of a gable above the box, along its own x axis; 0 for none.</param>
/// <param name="Material">What it is made of: leaves make an ellipsoid, everything else a block.</param>
/// <param name="Color">Main colour, linear.</param>
/// <param name="Seed">Its own noise.</param>
internal sealed record Solid(
    Vector3 Center, Vector3 Half, float Yaw, float Ridge, Material Material, Vector3 Color, uint Seed)
{
    internal const int West = 0;
    internal const int East = 1;
    internal const int South = 2;
    internal const int North = 3;
    internal const int Bottom = 4;
    internal const int Top = 5;
    internal const int RoofSouth = 6;
    internal const int RoofNorth = 7;

    private readonly float _cos = MathF.Cos(Yaw);
    private readonly float _sin = MathF.Sin(Yaw);

    /// <summary>How far the two ends lean inwards per metre of height: the windscreens of a car's cabin.</summary>
    internal float Taper { get; init; }

    /// <summary>A world direction in the solid's own axes.</summary>
    internal Vector3 ToLocal(Vector3 v) => new((_cos * v.X) + (_sin * v.Y), (_cos * v.Y) - (_sin * v.X), v.Z);

    /// <summary>An own direction in the world.</summary>
    internal Vector3 ToWorld(Vector3 v) => new((_cos * v.X) - (_sin * v.Y), (_sin * v.X) + (_cos * v.Y), v.Z);

    /// <summary>Where a ray meets the solid, nearer than <paramref name="limit"/> metres.</summary>
    internal bool Intersect(Ray ray, int index, float limit, out Hit hit)
    {
        Vector3 origin = ToLocal(ray.Origin - Center);
        Vector3 direction = ToLocal(ray.Direction);
        return Material == Material.Leaves
            ? IntersectCrown(origin, direction, index, limit, out hit)
            : IntersectBlock(origin, direction, index, limit, out hit);
    }

    private bool IntersectCrown(Vector3 origin, Vector3 direction, int index, float limit, out Hit hit)
    {
        hit = default;
        Vector3 o = origin / Half;
        Vector3 d = direction / Half;
        float a = Vector3.Dot(d, d);
        float b = Vector3.Dot(o, d);
        float root = (b * b) - (a * (Vector3.Dot(o, o) - 1));
        if (root <= 0)
        {
            return false;
        }

        root = MathF.Sqrt(root);
        for (int side = -1; side <= 1; side += 2)
        {
            float t = (-b + (side * root)) / a;
            if (t <= 1e-3f || t >= limit)
            {
                continue;
            }

            // The holes depend on the place only: every view sees the same leaves.
            Vector3 p = origin + (direction * t);
            if (Noise.Value(p * 3.1f, Seed) + (0.7f * Noise.Value(p * 8.3f, Seed + 7)) < -0.22f)
            {
                continue;
            }

            // Clumps of leaves face all ways: the smooth normal is bent by noise, but never away from the ray.
            var bend = new Vector3(Noise.Value(p * 2.6f, Seed + 11), Noise.Value(p * 2.6f, Seed + 12), Noise.Value(p * 2.6f, Seed + 13));
            Vector3 smooth = Vector3.Normalize(p / (Half * Half)) * -side;
            Vector3 bent = Vector3.Normalize(smooth + (1.1f * bend));
            hit = new Hit(t, ToWorld(Vector3.Dot(bent, direction) < 0 ? bent : smooth), index, 0);
            return true;
        }

        return false;
    }

    private bool IntersectBlock(Vector3 origin, Vector3 direction, int index, float limit, out Hit hit)
    {
        float enter = 1e-3f;
        float leave = limit;
        int face = -1;
        Vector3 normal = default;
        Vector3 front = Vector3.Normalize(new Vector3(1, 0, Taper));
        bool inside = Clip(front * new Vector3(-1, 1, 1), front.X * Half.X, West, ref enter, ref leave)
            && Clip(front, front.X * Half.X, East, ref enter, ref leave)
            && Clip(Vector3.UnitY * -1, Half.Y, South, ref enter, ref leave)
            && Clip(Vector3.UnitY, Half.Y, North, ref enter, ref leave)
            && Clip(Vector3.UnitZ * -1, Half.Z, Bottom, ref enter, ref leave)
            && (Ridge > 0
                ? ClipGable(-1, RoofSouth, ref enter, ref leave) && ClipGable(1, RoofNorth, ref enter, ref leave)
                : Clip(Vector3.UnitZ, Half.Z, Top, ref enter, ref leave));
        hit = new Hit(enter, ToWorld(normal), index, face);
        return inside && face >= 0;

        bool ClipGable(int side, int which, ref float from, ref float to)
        {
            // z <= Half.Z + Ridge (1 - |y| / Half.Y): one plane on either side of the ridge.
            Vector3 slope = Vector3.Normalize(new Vector3(0, side * Ridge / Half.Y, 1));
            return Clip(slope, slope.Z * (Half.Z + Ridge), which, ref from, ref to);
        }

        bool Clip(Vector3 n, float offset, int which, ref float from, ref float to)
        {
            float distance = offset - Vector3.Dot(n, origin);
            float speed = Vector3.Dot(n, direction);
            if (MathF.Abs(speed) < 1e-9f)
            {
                return distance >= 0;
            }

            float t = distance / speed;
            if (speed > 0)
            {
                to = MathF.Min(to, t);
            }
            else if (t > from)
            {
                from = t;
                face = which;
                normal = n;
            }

            return from < to;
        }
    }
}
