// The flight over an aerial scene: a grid of places to photograph, most from straight above, every third at a slant.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>A survey flight over a given number of views.</summary>
internal sealed class Drone(int views)
{
    private const float Across = 25;
    private const float Along = 21;
    private const float Margin = 190;
    private const float FieldOfView = 1.1f;

    private readonly int _columns = (int)MathF.Ceiling(MathF.Sqrt(1.6f * views));

    /// <summary>Half the side of the square that the flight sees, metres.</summary>
    internal float Extent => Margin + (0.5f * MathF.Max(_columns * Across, Rows * Along));

    private int Rows => (views + _columns - 1) / _columns;

    /// <summary>The camera of a view.</summary>
    internal Camera CameraOf(int view, Rng random, Terrain ground, int width, int height)
    {
        int row = view / _columns;
        var aim = new Vector2(
            ((view % _columns) - (0.5f * (_columns - 1))) * Across, (row - (0.5f * (Rows - 1))) * Along);
        aim += new Vector2(random.Uniform(-3, 3), random.Uniform(-3, 3));
        bool slanted = view % 3 == 2;
        float tilt = slanted ? random.Uniform(0.42f, 0.72f) : random.Uniform(0, 0.1f);
        float heading = (0.5f * MathF.PI) + (slanted ? random.Uniform(-0.45f, 0.45f) : random.Uniform(-0.2f, 0.2f));
        float altitude = slanted ? random.Uniform(42, 52) : random.Uniform(56, 70);
        (float sin, float cos) = MathF.SinCos(heading);
        var ahead = new Vector3(cos, sin, 0);
        Vector3 forward = (ahead * MathF.Sin(tilt)) - (Vector3.UnitZ * MathF.Cos(tilt));
        Vector3 target = new(aim, ground.Height(aim.X, aim.Y));
        return new Camera(target - (forward * (altitude / MathF.Cos(tilt))), forward, ahead, FieldOfView, width, height);
    }
}
