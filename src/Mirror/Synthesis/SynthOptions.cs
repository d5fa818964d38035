// What a synthetic survey is made of. Equal options give equal files on one machine.

namespace Mirror.Synthesis;

/// <summary>Options of <see cref="SyntheticSurvey.Render"/>.</summary>
public sealed record SynthOptions
{
    /// <summary>Number of scenes, 1..1000. Their kinds alternate: village from the air, street of facades, hills from the air.</summary>
    public int Scenes { get; init; } = 3;

    /// <summary>Photographs of each scene, 1..1000.</summary>
    public int ViewsPerScene { get; init; } = 8;

    /// <summary>Width of a photograph in pixels, 32..8192.</summary>
    public int Width { get; init; } = 320;

    /// <summary>Height of a photograph in pixels, 32..8192.</summary>
    public int Height { get; init; } = 240;

    /// <summary>Everything random follows from it.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range; the message names it.</exception>
    internal void Validate()
    {
        Range(Scenes, 1, 1000, nameof(Scenes));
        Range(ViewsPerScene, 1, 1000, nameof(ViewsPerScene));
        Range(Width, 32, 8192, nameof(Width));
        Range(Height, 32, 8192, nameof(Height));
    }

    private static void Range(int value, int low, int high, string name)
    {
        if (value < low || value > high)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected {low} to {high}");
        }
    }
}
