// A village among fields, seen from a drone: a winding main road with lots on both sides, lanes that cross it, and parcels of
// crops beyond. Lots and parcels are functions of the place, asked both when houses are put up and when the ground is coloured.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>An aerial scene of houses, gardens, roads and fields.</summary>
internal sealed class Village : Scene
{
    private static readonly int[] Roofs = [0x9C4F36, 0x83402F, 0x6B6460, 0x4F5358, 0xA4634A, 0x7A5A48];
    private static readonly int[] Walls = [0xE6DCC8, 0xD9C7A8, 0xEDE9E2, 0xC9B8A4, 0xB98F72];

    private readonly Drone _drone;
    private readonly VillagePlan _plan;

    private Village(Drone drone, VillagePlan plan, Terrain ground, IReadOnlyList<Solid> solids, Rng random)
        : base(ground, solids, random, random.Uniform(0, MathF.Tau), 0.0007f)
    {
        _drone = drone;
        _plan = plan;
    }

    /// <summary>Builds a village with room for a number of views.</summary>
    internal static Village Create(Rng random, int views)
    {
        var drone = new Drone(views);
        uint seed = random.Bits();
        var ground = new Terrain(drone.Extent, p => 7 * Noise.Sum(p, 140, seed, 3));
        var plan = new VillagePlan(random);
        var builder = new Builder(ground, random);
        float reach = drone.Extent;
        Houses(builder, plan, random, reach);
        Trees(builder, plan, random, reach);
        return new Village(drone, plan, ground, builder.Solids, random);
    }

    /// <inheritdoc/>
    internal override Camera CameraOf(int view, Rng random, int width, int height) =>
        _drone.CameraOf(view, random, Ground, width, height);

    /// <inheritdoc/>
    protected override Surface GroundAt(Vector2 p, Vector3 normal, float footprint) => _plan.Ground(p, footprint);

    private static void Houses(Builder builder, VillagePlan plan, Rng random, float reach)
    {
        int mainRoof = random.Pick<int>(Roofs);
        int lots = (int)(reach / VillagePlan.LotWidth);
        for (int lot = -lots; lot <= lots; lot++)
        {
            for (int side = -1; side <= 1; side += 2)
            {
                float x = (lot + 0.5f) * VillagePlan.LotWidth;
                Vector2 at = plan.OnMainRoad(x, side * random.Uniform(12.5f, 15.5f));
                if (plan.LaneDistance(at) < 9 || random.Chance(0.12f))
                {
                    continue;
                }

                if (random.Chance(0.55f))
                {
                    float border = lot * VillagePlan.LotWidth;
                    builder.Hedge(plan.OnMainRoad(border, side * 7), plan.OnMainRoad(border, side * 32.5f), Colors.Of(0x48602E));
                }

                float yaw = plan.RoadAngle(x) + (random.Chance(0.3f) ? 0.5f * MathF.PI : 0) + random.Uniform(-0.05f, 0.05f);
                var half = new Vector2(random.Uniform(4.6f, 6.2f), random.Uniform(3.6f, 4.6f));
                Vector3 wall = Colors.Vary(random, Colors.Of(random.Pick<int>(Walls)), 0.1f);
                Vector3 roof = Colors.Vary(random, Colors.Of(random.Chance(0.5f) ? mainRoof : random.Pick<int>(Roofs)), 0.2f);
                builder.House(at, half, random.Chance(0.3f) ? 5.4f : 3, yaw, wall, roof);
                if (random.Chance(0.5f) && !plan.HasPool(lot, side))
                {
                    Vector2 shed = plan.OnMainRoad(x + random.Uniform(-5, 5), side * 27);
                    builder.House(shed, new Vector2(2.4f, 1.8f), 2, yaw, Colors.Of(0x8A6F52), Colors.Vary(random, roof, 0.3f));
                }

                if (random.Chance(0.6f))
                {
                    builder.Car(plan.OnMainRoad(x - 6, side * random.Uniform(6.5f, 9)), yaw + (0.5f * MathF.PI));
                }
            }
        }

        for (float x = -reach; x < reach; x += random.Uniform(18, 60))
        {
            int side = random.Chance(0.5f) ? 1 : -1;
            builder.Car(plan.OnMainRoad(x, side * 1.7f), plan.RoadAngle(x));
        }
    }

    private static void Trees(Builder builder, VillagePlan plan, Rng random, float reach)
    {
        Vector3 leaves = Colors.Of(random.Pick<int>([0x5D7A38, 0x6B8040, 0x4F7236]));
        int attempts = (int)(reach * reach * 0.2f);
        for (int i = 0; i < attempts; i++)
        {
            var at = new Vector2(random.Uniform(-reach, reach), random.Uniform(-reach, reach));
            float chance = plan.TreeChance(at);
            if (random.Chance(chance))
            {
                float radius = random.Uniform(1.2f, 3.4f);
                builder.Tree(at, radius, (radius * 1.7f) + random.Uniform(1, 3), Colors.Vary(random, leaves, 0.25f));
            }
        }

        int rows = (int)(reach / 5.5f);
        for (int row = -rows; row <= rows; row++)
        {
            for (int column = -rows; column <= rows; column++)
            {
                Vector2 at = new Vector2(column, row) * 5.5f;
                if (plan.IsOrchard(at) && !random.Chance(0.08f))
                {
                    builder.Tree(at + new Vector2(random.Uniform(-0.4f, 0.4f), random.Uniform(-0.4f, 0.4f)), random.Uniform(1.3f, 1.9f), 3.4f, leaves * 1.15f);
                }
            }
        }
    }
}
