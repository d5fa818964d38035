// The ground as a grid of heights with bilinear interpolation. A ray is followed in steps that the steepest slope makes safe,
// then the crossing is bisected, so that the distance is good to a centimetre.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>A heightfield over a square around the origin; beyond it the border heights go on.</summary>
internal sealed class Terrain
{
    private const int MaxSteps = 400;

    private readonly float[] _heights;
    private readonly int _size;
    private readonly float _cell;
    private readonly float _extent;
    private readonly float _steepest;

    /// <summary>Samples a height function.</summary>
    /// <param name="extent">Half the side of the square, metres.</param>
    /// <param name="height">Height in metres at a point of the plane.</param>
    internal Terrain(float extent, Func<Vector2, float> height)
    {
        _extent = extent;
        _size = Math.Clamp((int)(2 * extent / 0.7f), 2, 2048);
        _cell = 2 * extent / (_size - 1);
        _heights = new float[_size * _size];
        Parallel.For(0, _size, y =>
        {
            for (int x = 0; x < _size; x++)
            {
                _heights[(y * _size) + x] = height(new Vector2((x * _cell) - extent, (y * _cell) - extent));
            }
        });
        Low = _heights.Min();
        High = _heights.Max();
        for (int i = 0; i + _size < _heights.Length; i++)
        {
            float dx = (i + 1) % _size == 0 ? 0 : _heights[i + 1] - _heights[i];
            float dy = _heights[i + _size] - _heights[i];
            _steepest = MathF.Max(_steepest, MathF.Sqrt((dx * dx) + (dy * dy)) / _cell);
        }
    }

    /// <summary>The lowest height, metres.</summary>
    internal float Low { get; }

    /// <summary>The greatest height, metres.</summary>
    internal float High { get; }

    /// <summary>Height at a point, metres.</summary>
    internal float Height(float x, float y)
    {
        float gx = Math.Clamp((x + _extent) / _cell, 0, _size - 1.001f);
        float gy = Math.Clamp((y + _extent) / _cell, 0, _size - 1.001f);
        int ix = (int)gx;
        int iy = (int)gy;
        float fx = gx - ix;
        float fy = gy - iy;
        int i = (iy * _size) + ix;
        float low = _heights[i] + ((_heights[i + 1] - _heights[i]) * fx);
        float high = _heights[i + _size] + ((_heights[i + _size + 1] - _heights[i + _size]) * fx);
        return low + ((high - low) * fy);
    }

    /// <summary>Unit normal at a point.</summary>
    internal Vector3 Normal(float x, float y)
    {
        float d = 1.2f * _cell;
        float dx = Height(x + d, y) - Height(x - d, y);
        float dy = Height(x, y + d) - Height(x, y - d);
        return Vector3.Normalize(new Vector3(-dx, -dy, 2 * d));
    }

    /// <summary>Where a ray meets the ground, nearer than <paramref name="limit"/> metres.</summary>
    internal bool Trace(Ray ray, float limit, out Hit hit)
    {
        hit = default;
        Vector3 d = ray.Direction;
        float t = 0.01f;
        if (ray.Origin.Z > High)
        {
            if (d.Z >= 0)
            {
                return false;
            }

            t = (High - ray.Origin.Z) / d.Z;
        }

        float approach = (_steepest * MathF.Sqrt((d.X * d.X) + (d.Y * d.Y))) - d.Z;
        float before = t;
        for (int step = 0; step < MaxSteps && t < limit; step++)
        {
            Vector3 p = ray.At(t);
            if (p.Z > High && d.Z >= 0)
            {
                return false;
            }

            float above = p.Z - Height(p.X, p.Y);
            if (above <= 0)
            {
                t = Bisect(ray, before, t);
                p = ray.At(t);
                hit = new Hit(t, Normal(p.X, p.Y), -1, 0);
                return t < limit;
            }

            before = t;

            // Nothing is nearer than above / approach; one centimetre more, or the steps would never arrive.
            t += (above / MathF.Max(approach, 1e-3f)) + 0.01f;
        }

        return false;
    }

    private float Bisect(Ray ray, float above, float below)
    {
        for (int i = 0; i < 8; i++)
        {
            float middle = 0.5f * (above + below);
            Vector3 p = ray.At(middle);
            (above, below) = p.Z > Height(p.X, p.Y) ? (middle, below) : (above, middle);
        }

        return below;
    }
}
