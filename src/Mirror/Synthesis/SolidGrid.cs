// Solids sorted into square columns of the ground plan. A ray walks the columns it passes over and tests only what stands
// there: with thousands of trees a view still costs a few tests per ray.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>Finds the first solid that a ray meets.</summary>
internal sealed class SolidGrid
{
    private const float Cell = 4;

    private readonly Solid[] _solids;
    private readonly int[] _start;
    private readonly int[] _items;
    private readonly Vector4[] _spheres;
    private readonly Vector2 _origin;
    private readonly int _columns;
    private readonly int _rows;
    private readonly float _top;
    private readonly float _bottom;

    internal SolidGrid(IReadOnlyList<Solid> solids)
    {
        _solids = [.. solids];
        var low = new Vector2(float.MaxValue);
        var high = new Vector2(float.MinValue);
        _bottom = float.MaxValue;
        _top = float.MinValue;
        foreach (Solid solid in _solids)
        {
            (Vector2 a, Vector2 b) = Bounds(solid);
            low = Vector2.Min(low, a);
            high = Vector2.Max(high, b);
            _bottom = MathF.Min(_bottom, solid.Center.Z - solid.Half.Z);
            _top = MathF.Max(_top, solid.Center.Z + solid.Half.Z + solid.Ridge);
        }

        _origin = low;
        _columns = Math.Max(1, (int)MathF.Ceiling((high.X - low.X) / Cell));
        _rows = Math.Max(1, (int)MathF.Ceiling((high.Y - low.Y) / Cell));

        // Counting first, then filling: two flat arrays instead of a list per cell.
        _start = new int[(_columns * _rows) + 1];
        ForEachCell((cell, _) => _start[cell + 1]++);
        for (int i = 0; i < _columns * _rows; i++)
        {
            _start[i + 1] += _start[i];
        }

        _items = new int[_start[^1]];
        int[] next = [.. _start];
        ForEachCell((cell, solid) => _items[next[cell]++] = solid);
        _spheres = [.. _items.Select(item => Sphere(_solids[item]))];
    }

    /// <summary>The solids; a hit's index refers to them.</summary>
    internal ReadOnlySpan<Solid> Solids => _solids;

    /// <summary>The first solid along a ray, nearer than <paramref name="limit"/> metres.</summary>
    internal bool Trace(Ray ray, float limit, out Hit hit)
    {
        hit = default;
        float enter = 0;
        float leave = limit;
        if (!Slab(ray.Origin.X, ray.Direction.X, _origin.X, _origin.X + (_columns * Cell), ref enter, ref leave)
            || !Slab(ray.Origin.Y, ray.Direction.Y, _origin.Y, _origin.Y + (_rows * Cell), ref enter, ref leave)
            || !Slab(ray.Origin.Z, ray.Direction.Z, _bottom, _top, ref enter, ref leave))
        {
            return false;
        }

        Vector3 p = ray.At(enter);
        int x = Math.Clamp((int)((p.X - _origin.X) / Cell), 0, _columns - 1);
        int y = Math.Clamp((int)((p.Y - _origin.Y) / Cell), 0, _rows - 1);
        (int stepX, float nextX, float deltaX) = Walk(ray.Origin.X - _origin.X, ray.Direction.X, x);
        (int stepY, float nextY, float deltaY) = Walk(ray.Origin.Y - _origin.Y, ray.Direction.Y, y);
        bool found = false;
        float nearest = limit;
        while (true)
        {
            int cell = (y * _columns) + x;
            for (int i = _start[cell]; i < _start[cell + 1]; i++)
            {
                if (MayMeet(ray, _spheres[i]) && _solids[_items[i]].Intersect(ray, _items[i], nearest, out Hit candidate))
                {
                    hit = candidate;
                    nearest = candidate.Distance;
                    found = true;
                }
            }

            float border = MathF.Min(nextX, nextY);
            if (border >= MathF.Min(leave, nearest))
            {
                return found;
            }

            if (nextX < nextY)
            {
                x += stepX;
                nextX += deltaX;
            }
            else
            {
                y += stepY;
                nextY += deltaY;
            }

            if ((uint)x >= (uint)_columns || (uint)y >= (uint)_rows)
            {
                return found;
            }
        }
    }

    // Whether a line comes close enough to a middle (x, y, z) for the square of the distance to be below w: most solids of a
    // column are told apart by this alone.
    private static bool MayMeet(Ray ray, Vector4 sphere)
    {
        Vector3 across = Vector3.Cross(sphere.AsVector3() - ray.Origin, ray.Direction);
        return across.LengthSquared() < sphere.W;
    }

    private static (int Step, float Next, float Delta) Walk(float origin, float direction, int cell)
    {
        if (MathF.Abs(direction) < 1e-9f)
        {
            return (0, float.MaxValue, float.MaxValue);
        }

        int step = direction > 0 ? 1 : -1;
        float border = (cell + (step > 0 ? 1 : 0)) * Cell;
        return (step, (border - origin) / direction, Cell / MathF.Abs(direction));
    }

    private static bool Slab(float origin, float direction, float low, float high, ref float enter, ref float leave)
    {
        if (MathF.Abs(direction) < 1e-9f)
        {
            return origin >= low && origin <= high;
        }

        float a = (low - origin) / direction;
        float b = (high - origin) / direction;
        enter = MathF.Max(enter, MathF.Min(a, b));
        leave = MathF.Min(leave, MathF.Max(a, b));
        return enter <= leave;
    }

    private static (Vector2 Low, Vector2 High) Bounds(Solid solid)
    {
        var reach = new Vector2(MathF.Sqrt((solid.Half.X * solid.Half.X) + (solid.Half.Y * solid.Half.Y)) + 0.01f);
        var center = new Vector2(solid.Center.X, solid.Center.Y);
        return (center - reach, center + reach);
    }

    // A sphere about a solid, with the square of its radius as w.
    private static Vector4 Sphere(Solid solid)
    {
        var reach = new Vector3(solid.Half.X, solid.Half.Y, solid.Half.Z + solid.Ridge);
        return new Vector4(solid.Center, 1.001f * reach.LengthSquared());
    }

    private void ForEachCell(Action<int, int> visit)
    {
        for (int solid = 0; solid < _solids.Length; solid++)
        {
            (Vector2 low, Vector2 high) = Bounds(_solids[solid]);
            int right = Math.Min((int)((high.X - _origin.X) / Cell), _columns - 1);
            int bottom = Math.Min((int)((high.Y - _origin.Y) / Cell), _rows - 1);
            for (int y = (int)((low.Y - _origin.Y) / Cell); y <= bottom; y++)
            {
                for (int x = (int)((low.X - _origin.X) / Cell); x <= right; x++)
                {
                    visit((y * _columns) + x, solid);
                }
            }
        }
    }
}
