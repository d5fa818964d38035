// How much of the surface in one view another view sees, from the geometry itself: points on a grid of pixels of view i are
// looked for from camera j. A point counts if it lies in the frame of j, nothing stands before it, and the two directions it is
// seen from differ by at most 60 degrees (beyond that no feature survives).

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>Exact overlaps of views.</summary>
internal static class Overlap
{
    /// <summary>Two views with at least this overlap in both directions are a ground-truth pair.</summary>
    internal const float PairThreshold = 0.35f;

    private const int Grid = 40;
    private const float CosineLimit = 0.5f;

    /// <summary>Points of the surface that a camera sees, one per cell of a 40 x 40 grid of its frame; sky gives none.</summary>
    internal static Vector3[] Points(Scene scene, Camera camera)
    {
        var points = new List<Vector3>(Grid * Grid);
        for (int y = 0; y < Grid; y++)
        {
            for (int x = 0; x < Grid; x++)
            {
                Ray ray = camera.RayAt((x + 0.5f) * camera.Width / Grid, (y + 0.5f) * camera.Height / Grid);
                if (scene.Trace(ray, Scene.Far, out Hit hit))
                {
                    points.Add(ray.At(hit.Distance));
                }
            }
        }

        return [.. points];
    }

    /// <summary>The part of one view's points, 0..1, that another camera sees; 0 where there are no points.</summary>
    /// <param name="scene">The scene of both.</param>
    /// <param name="points">What <see cref="Points"/> gave for the first view.</param>
    /// <param name="from">The first view's camera.</param>
    /// <param name="to">The other camera.</param>
    internal static float Ratio(Scene scene, ReadOnlySpan<Vector3> points, Camera from, Camera to)
    {
        int seen = 0;
        foreach (Vector3 point in points)
        {
            if (to.Sees(point) && SimilarDirection(point, from.Position, to.Position) && Unoccluded(scene, point, to.Position))
            {
                seen++;
            }
        }

        return points.Length == 0 ? 0 : (float)seen / points.Length;
    }

    private static bool SimilarDirection(Vector3 point, Vector3 a, Vector3 b) =>
        Vector3.Dot(Vector3.Normalize(a - point), Vector3.Normalize(b - point)) >= CosineLimit;

    private static bool Unoccluded(Scene scene, Vector3 point, Vector3 eye)
    {
        float distance = Vector3.Distance(point, eye);
        float tolerance = 0.05f + (0.004f * distance);
        var ray = new Ray(eye, (point - eye) / distance);
        return !scene.Trace(ray, distance - tolerance, out _);
    }
}
