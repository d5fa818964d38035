// A world to photograph: ground, solids, their textures, and the places it is photographed from. Renderer and overlap see
// a scene only through Trace, so that what is measured is what is drawn.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>How a surface answers light.</summary>
/// <param name="Albedo">Linear RGB, 0..1.</param>
/// <param name="Gloss">Part of the reflected sky that is added, 0..1.</param>
internal readonly record struct Surface(Vector3 Albedo, float Gloss = 0);

/// <summary>A procedural world.</summary>
internal abstract class Scene
{
    /// <summary>Farther than any world reaches, metres.</summary>
    internal const float Far = 2000;

    private readonly float _azimuth;
    private readonly float _elevation;
    private readonly float _haze;

    /// <summary>Sets the parts that all scenes have.</summary>
    /// <param name="ground">The ground.</param>
    /// <param name="solids">What stands on it; not empty.</param>
    /// <param name="random">The scene's stream, for the sun.</param>
    /// <param name="azimuth">About where the sun stands in the plane, radians.</param>
    /// <param name="haze">Haze per metre.</param>
    protected Scene(Terrain ground, IReadOnlyList<Solid> solids, Rng random, float azimuth, float haze)
    {
        Ground = ground;
        Solids = new SolidGrid(solids);
        _azimuth = azimuth;
        _elevation = random.Uniform(0.75f, 0.95f);
        _haze = haze;
    }

    /// <summary>The ground.</summary>
    protected Terrain Ground { get; }

    /// <summary>What stands on it.</summary>
    protected SolidGrid Solids { get; }

    /// <summary>Builds the scene of a given number: the kinds alternate, seeds, palettes and layouts all differ.</summary>
    /// <param name="index">Number of the scene, from 0.</param>
    /// <param name="views">How many photographs it must have room for.</param>
    /// <param name="seed">The survey's seed.</param>
    internal static Scene Create(int index, int views, ulong seed)
    {
        var random = new Rng(seed, 1 + (ulong)index);
        return (index % 3) switch
        {
            0 => Village.Create(random, views),
            1 => Street.Create(random, views),
            _ => Hills.Create(random, views),
        };
    }

    /// <summary>The camera of a view.</summary>
    /// <param name="view">Number of the view, from 0.</param>
    /// <param name="random">The view's stream.</param>
    /// <param name="width">Image width, pixels.</param>
    /// <param name="height">Image height, pixels.</param>
    internal abstract Camera CameraOf(int view, Rng random, int width, int height);

    /// <summary>The light of a view.</summary>
    /// <param name="random">The view's stream.</param>
    internal Light LightOf(Rng random) => Light.Of(random, _azimuth, _elevation, _haze);

    /// <summary>The first surface along a ray, nearer than <paramref name="limit"/> metres.</summary>
    internal virtual bool Trace(Ray ray, float limit, out Hit hit)
    {
        bool ground = Ground.Trace(ray, limit, out hit);
        if (!Solids.Trace(ray, ground ? hit.Distance : limit, out Hit solid))
        {
            return ground;
        }

        hit = solid;
        return true;
    }

    /// <summary>The surface at a hit.</summary>
    /// <param name="point">The hit in the world, metres.</param>
    /// <param name="hit">What was hit.</param>
    /// <param name="footprint">Size of a pixel there, metres.</param>
    internal Surface SurfaceAt(Vector3 point, Hit hit, float footprint) => hit.Solid < 0
        ? GroundAt(new Vector2(point.X, point.Y), hit.Normal, footprint)
        : SolidAt(Solids.Solids[hit.Solid], point, hit, footprint);

    /// <summary>The ground's surface at a point of the plane.</summary>
    protected abstract Surface GroundAt(Vector2 p, Vector3 normal, float footprint);

    /// <summary>A solid's surface at a point.</summary>
    protected virtual Surface SolidAt(Solid solid, Vector3 point, Hit hit, float footprint) =>
        Textures.Of(solid, point, hit, footprint);
}
