// The front of one building: storeys and columns of openings that lie behind the wall, shop windows and a door below, and a wall of
// brick, plaster or stone. Everything follows from the solid's size and seed.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>An opening in a front: its middle and half size in metres from the front's lower left corner.</summary>
internal readonly record struct Opening(Vector2 Middle, Vector2 Half, OpeningKind Kind, uint Hash);

/// <summary>What fills an opening.</summary>
internal enum OpeningKind
{
    Window,
    Shop,
    Door,
}

/// <summary>The front (the south face) of a building.</summary>
internal sealed class Facade
{
    /// <summary>Height of the ground floor, metres.</summary>
    internal const float GroundFloor = 4;

    private const float Storey = 3.1f;
    private const float Recess = 0.22f;
    private const int Pane = 16;
    private const int Reveal = 17;

    private readonly Solid _solid;
    private readonly int _columns;
    private readonly float _column;
    private readonly int _storeys;
    private readonly int _door;
    private readonly bool _shop;
    private readonly bool _balconies;
    private readonly Vector2 _window;
    private readonly FacadeTexture _texture;

    internal Facade(Solid solid)
    {
        _solid = solid;
        uint seed = solid.Seed;
        float width = 2 * solid.Half.X;
        _columns = Math.Max(2, (int)(width / (2.1f + Noise.Unit(seed, 1))));
        _column = (width - 0.8f) / _columns;
        _storeys = (int)(((2 * solid.Half.Z) - GroundFloor) / Storey);
        _door = (int)(Noise.Unit(seed, 2) * _columns);
        _shop = Noise.Unit(seed, 3) < 0.6f;
        _balconies = Noise.Unit(seed, 4) < 0.45f;
        _window = new Vector2(0.42f + (0.16f * Noise.Unit(seed, 5)), 0.78f + (0.22f * Noise.Unit(seed, 6)));
        _texture = new FacadeTexture(solid, _shop, _window.X);
    }

    /// <summary>Where balconies hang: metres along the front and height of their floor.</summary>
    internal IEnumerable<Vector2> Balconies()
    {
        for (int storey = 1; _balconies && storey < _storeys; storey++)
        {
            for (int column = storey & 1; column < _columns; column += 2)
            {
                yield return new Vector2(0.4f + ((column + 0.5f) * _column), GroundFloor + (storey * Storey) + 0.55f);
            }
        }
    }

    /// <summary>Carries a hit on the front on to what lies behind an opening: its pane, or one of its sides.</summary>
    internal Hit Relief(Ray ray, Hit hit)
    {
        Vector3 direction = _solid.ToLocal(ray.Direction);
        Vector2 at = OnFront(ray.At(hit.Distance));
        if (hit.Face != Solid.South || direction.Y <= 1e-4f || Find(at, 0) is not Opening opening)
        {
            return hit;
        }

        var slope = new Vector2(direction.X, direction.Z);
        float pane = Recess / direction.Y;
        float side = MathF.Abs(slope.X) < 1e-6f ? float.MaxValue : Leave(at.X, opening.Middle.X, opening.Half.X, slope.X);
        float sill = MathF.Abs(slope.Y) < 1e-6f ? float.MaxValue : Leave(at.Y, opening.Middle.Y, opening.Half.Y, slope.Y);
        if (pane <= MathF.Min(side, sill))
        {
            return hit with { Distance = hit.Distance + pane, Face = Pane };
        }

        Vector3 normal = side < sill ? new Vector3(-MathF.Sign(slope.X), 0, 0) : new Vector3(0, 0, -MathF.Sign(slope.Y));
        return new Hit(hit.Distance + MathF.Min(side, sill), _solid.ToWorld(normal), hit.Solid, Reveal);
    }

    /// <summary>The surface at a point of the building.</summary>
    internal Surface SurfaceAt(Vector3 point, Hit hit, float footprint)
    {
        Vector2 at = OnFront(point);
        if (hit.Face == Reveal)
        {
            return _texture.Trim(at);
        }

        if (hit.Face == Pane && Find(at, 0.01f) is Opening opening)
        {
            return FacadeTexture.Pane(at - opening.Middle, opening, _solid.Seed);
        }

        if (hit.Face != Solid.South)
        {
            return new Surface(_solid.Color * 0.8f);
        }

        bool trim = Find(at, 0.13f) is not null;
        return trim ? _texture.Trim(at) : _texture.Wall(at, FromColumn(at), footprint);
    }

    private static float Leave(float at, float middle, float half, float slope) =>
        (middle + (MathF.Sign(slope) * half) - at) / slope;

    private Vector2 OnFront(Vector3 point)
    {
        Vector3 local = _solid.ToLocal(point - _solid.Center) + _solid.Half;
        return new Vector2(local.X, local.Z);
    }

    private float FromColumn(Vector2 at)
    {
        float inFront = at.X - 0.4f;
        return inFront - ((MathF.Floor(inFront / _column) + 0.5f) * _column);
    }

    // The opening that holds a point, where each opening is taken larger by a margin on all sides.
    private Opening? Find(Vector2 at, float margin)
    {
        int column = (int)MathF.Floor((at.X - 0.4f) / _column);
        if (column < 0 || column >= _columns)
        {
            return null;
        }

        float u = 0.4f + ((column + 0.5f) * _column);
        uint hash = Noise.Hash(column, 0, _solid.Seed);
        Opening opening;
        if (at.Y < GroundFloor)
        {
            opening = column == _door
                ? new Opening(new Vector2(u, 1.2f), new Vector2(0.55f, 1.2f), OpeningKind.Door, hash)
                : _shop
                    ? new Opening(new Vector2(u, 1.75f), new Vector2(0.45f * _column, 1.15f), OpeningKind.Shop, hash)
                    : new Opening(new Vector2(u, 2), new Vector2(_window.X, 0.85f), OpeningKind.Window, hash);
        }
        else
        {
            int storey = (int)((at.Y - GroundFloor) / Storey);
            if (storey >= _storeys)
            {
                return null;
            }

            // The highest storey is lower, as in most old streets.
            float half = _window.Y * (storey == _storeys - 1 ? 0.8f : 1);
            opening = new Opening(
                new Vector2(u, GroundFloor + (storey * Storey) + 0.6f + _window.Y), new Vector2(_window.X, half),
                OpeningKind.Window, Noise.Hash(column, storey + 1, _solid.Seed));
        }

        Vector2 off = Vector2.Abs(at - opening.Middle) - opening.Half;
        return off.X < margin && off.Y < margin ? opening : null;
    }
}
