// Open hills seen from a drone: grass, rock on the steep slopes, a lake in the hollow, a winding track, woods and the stone walls
// of old pastures. Relief is strong here: near and far shift against each other between views.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>An aerial scene of strong relief.</summary>
internal sealed class Hills : Scene
{
    private static readonly Vector3 Water = Colors.Of(0x2E4A50);
    private static readonly Vector3 Sand = Colors.Of(0xB3A484);
    private static readonly Vector3 Dirt = Colors.Of(0xA98F6C);

    private readonly Drone _drone;
    private readonly uint _seed;
    private readonly float _lake;
    private readonly float _phase;
    private readonly Vector3 _grass;
    private readonly Vector3 _dry;
    private readonly Vector3 _rock;

    private Hills(Drone drone, Terrain ground, IReadOnlyList<Solid> solids, Rng random, uint seed, float lake, float phase)
        : base(ground, solids, random, random.Uniform(0, MathF.Tau), 0.0012f)
    {
        _drone = drone;
        _seed = seed;
        _lake = lake;
        _phase = phase;
        _grass = Colors.Vary(random, Colors.Of(0x6E7C3E), 0.15f);
        _dry = Colors.Vary(random, Colors.Of(0xA8965C), 0.15f);
        _rock = Colors.Vary(random, Colors.Of(random.Pick<int>([0x8C857B, 0x9A8468, 0x8A8478])), 0.1f);
    }

    /// <summary>Builds hills with room for a number of views.</summary>
    internal static Hills Create(Rng random, int views)
    {
        var drone = new Drone(views);
        uint seed = random.Bits();
        float phase = random.Uniform(0, MathF.Tau);
        float lake = random.Uniform(-15, -11);
        var ground = new Terrain(drone.Extent, p => MathF.Max(lake, Height(p, seed)));
        var builder = new Builder(ground, random);
        Woods(builder, ground, random, drone.Extent, seed, lake, phase);
        Walls(builder, ground, random, drone.Extent, lake);
        Boulders(builder, ground, random, drone.Extent, lake);
        return new Hills(drone, ground, builder.Solids, random, seed, lake, phase);
    }

    /// <inheritdoc/>
    internal override Camera CameraOf(int view, Rng random, int width, int height) =>
        _drone.CameraOf(view, random, Ground, width, height);

    /// <inheritdoc/>
    protected override Surface GroundAt(Vector2 p, Vector3 normal, float footprint)
    {
        float height = Ground.Height(p.X, p.Y);
        float rough = Noise.Sum(p, 3, _seed + 31, 6, footprint) + (0.5f * Noise.Sum(p, 0.55f, _seed + 33, 2, footprint));
        float wide = Noise.Sum(p, 45, _seed + 41, 5, footprint);
        float shore = Height(p, _seed) - _lake;
        if (shore < 0)
        {
            return new Surface(Vector3.Lerp(Water, Sand * 0.5f, MathF.Exp(shore * 1.5f) * 0.8f), 0.16f);
        }

        float tufts = Noise.Sum(p, 1.1f, _seed + 51, 3, footprint);
        Vector3 color = Vector3.Lerp(_grass, _dry, Noise.Step(-0.25f, 0.3f, wide + (0.35f * rough)));
        color *= 1 + (0.5f * rough) + (0.35f * tufts);

        // Strata: bands along the height, broken by noise.
        float strata = Noise.Value((height * 1.1f) + (2 * wide), 0.5f, _seed + 61);
        Vector3 stone = _rock * (1 + (0.35f * strata) + (0.7f * rough));
        color = Vector3.Lerp(color, stone, Noise.Step(0.04f, 0.12f, 1 - normal.Z + (0.16f * rough) + (0.06f * wide)));
        color = Vector3.Lerp(Sand * (1 + (0.3f * rough)), color, Noise.Step(0.1f, 1.2f, shore + (0.6f * rough)));
        float track = Track(p, _phase);
        float worn = Noise.Step(2.1f, 1.2f, track + (0.5f * rough));
        float middle = Noise.Step(0.5f, 0.15f, track) * 0.6f;
        color = Vector3.Lerp(color, Dirt * (1 + (0.35f * rough)), worn * (1 - middle));
        return new Surface(Vector3.Max(color, new Vector3(0.01f)));
    }

    private static float Height(Vector2 p, uint seed)
    {
        Vector2 bent = p + (new Vector2(Noise.Sum(p, 70, seed + 11, 2), Noise.Sum(p, 70, seed + 12, 2)) * 22);
        float ridge = 1 - MathF.Abs(Noise.Value(bent.X / 85, bent.Y / 85, seed + 13));
        return (26 * Noise.Sum(bent, 190, seed, 3)) + (15 * ((ridge * ridge) - 0.45f)) + (1.6f * Noise.Sum(p, 11, seed + 14, 3));
    }

    private static float Track(Vector2 p, float phase) =>
        MathF.Abs(p.Y - (14 * MathF.Sin((p.X / 34) + phase)) - (6 * MathF.Sin((p.X / 13) + (2 * phase))));

    private static void Woods(Builder builder, Terrain ground, Rng random, float reach, uint seed, float lake, float phase)
    {
        Vector3 leaves = Colors.Of(random.Pick<int>([0x46602F, 0x54692F, 0x6F6B30]));
        int attempts = (int)(reach * reach * 0.3f);
        for (int i = 0; i < attempts; i++)
        {
            var at = new Vector2(random.Uniform(-reach, reach), random.Uniform(-reach, reach));
            float dense = Noise.Step(0.0f, 0.25f, Noise.Sum(at, 60, seed + 71, 3));
            bool open = ground.Height(at.X, at.Y) < lake + 1 || Track(at, phase) < 4 || ground.Normal(at.X, at.Y).Z < 0.8f;
            if (!open && random.Chance(0.02f + (0.38f * dense)))
            {
                float radius = random.Uniform(0.9f, 3.1f);
                builder.Tree(at, radius, (radius * 1.8f) + random.Uniform(0.6f, 3), Colors.Vary(random, leaves, 0.35f));
            }
        }
    }

    // Blocks of rock that came down: many on steep ground, a few anywhere.
    private static void Boulders(Builder builder, Terrain ground, Rng random, float reach, float lake)
    {
        int attempts = (int)(reach * reach * 0.12f);
        for (int i = 0; i < attempts; i++)
        {
            var at = new Vector2(random.Uniform(-reach, reach), random.Uniform(-reach, reach));
            float foot = ground.Height(at.X, at.Y);
            float steep = 1 - ground.Normal(at.X, at.Y).Z;
            if (foot > lake - 0.01f && random.Chance(0.03f + (3 * steep * steep)))
            {
                float size = random.Uniform(0.25f, 0.7f) + (random.Chance(0.1f) ? random.Uniform(0.4f, 1.3f) : 0);
                builder.Solids.Add(new Solid(
                    new Vector3(at, foot + (0.1f * size)), new Vector3(size, size * random.Uniform(0.6f, 1), size * 0.4f),
                    random.Uniform(0, MathF.Tau), 0.5f * size, Material.Stone, Colors.Vary(random, Colors.Of(0x9A948A), 0.25f),
                    random.Bits()) { Taper = 0.35f });
            }
        }
    }

    private static void Walls(Builder builder, Terrain ground, Rng random, float reach, float lake)
    {
        int walls = (int)(reach / 5);
        for (int wall = 0; wall < walls; wall++)
        {
            var at = new Vector2(random.Uniform(-reach, reach), random.Uniform(-reach, reach));
            float yaw = random.Uniform(0, MathF.Tau);
            Vector3 color = Colors.Vary(random, Colors.Of(0x97928A), 0.15f);
            for (int piece = 0; piece < 26; piece++)
            {
                yaw += random.Uniform(-0.12f, 0.12f);
                at += Builder.Turn(new Vector2(1.9f, 0), yaw);
                float foot = ground.Height(at.X, at.Y);
                if (foot > lake + 0.5f && random.Chance(0.93f))
                {
                    builder.Solids.Add(new Solid(
                        new Vector3(at, foot + 0.3f), new Vector3(1, 0.38f, random.Uniform(0.6f, 0.8f)), yaw, 0, Material.Stone,
                        Colors.Vary(random, color, 0.2f), random.Bits()));
                }
            }
        }
    }
}
