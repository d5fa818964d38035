// Sun, sky and exposure of one view. They change from view to view as over a real survey: clouds pass, the sun moves, the
// camera meters anew. Retrieval must see through that, so the demo must contain it.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>Light of one photograph, and what the camera makes of it.</summary>
/// <param name="ToSun">Unit vector towards the sun.</param>
/// <param name="Sun">Sunlight on a surface that faces the sun, linear RGB.</param>
/// <param name="Sky">Light of the whole sky on the ground, linear RGB.</param>
/// <param name="Gain">Exposure and white balance, a factor per channel.</param>
/// <param name="Haze">Part of the light that the air replaces, per metre.</param>
/// <param name="Blur">Weight of the four neighbours in the final blur, 0..0.05.</param>
/// <param name="Grain">Standard deviation of the sensor noise, of 255 levels.</param>
/// <param name="Seed">Of clouds and grain.</param>
internal sealed record Light(
    Vector3 ToSun, Vector3 Sun, Vector3 Sky, Vector3 Gain, float Haze, float Blur, float Grain, uint Seed)
{
    /// <summary>Light of one view of a scene.</summary>
    /// <param name="view">The view's stream of random numbers.</param>
    /// <param name="azimuth">Direction of the scene's sun in the plane, radians.</param>
    /// <param name="elevation">Its height above the horizon, radians.</param>
    /// <param name="haze">Haze of the scene per metre.</param>
    internal static Light Of(Rng view, float azimuth, float elevation, float haze)
    {
        float a = azimuth + view.Uniform(-0.2f, 0.2f);
        float e = elevation + view.Uniform(-0.08f, 0.08f);
        var toSun = new Vector3(MathF.Cos(a) * MathF.Cos(e), MathF.Sin(a) * MathF.Cos(e), MathF.Sin(e));
        float cloud = view.Chance(0.2f) ? view.Uniform(0.4f, 0.7f) : view.Uniform(0.85f, 1);
        float warmth = view.Uniform(-0.05f, 0.05f);
        float exposure = view.Uniform(0.98f, 1.32f) / MathF.Sqrt(cloud);
        return new Light(
            toSun,
            new Vector3(1.30f, 1.20f, 1.03f) * cloud,
            new Vector3(0.30f, 0.36f, 0.46f) * (1.25f - (0.25f * cloud)),
            new Vector3(1 + warmth, 1, 1 - warmth) * exposure,
            haze,
            view.Uniform(0.005f, 0.05f),
            view.Uniform(1, 3),
            view.Bits());
    }

    /// <summary>The sky seen along a direction: pale at the horizon, with clouds above.</summary>
    internal Vector3 SkyAlong(Vector3 direction)
    {
        float up = MathF.Max(direction.Z, 0.02f);
        Vector3 clear = Vector3.Lerp(new Vector3(0.62f, 0.72f, 0.80f), new Vector3(0.16f, 0.32f, 0.66f), MathF.Sqrt(up));
        Vector2 onClouds = new Vector2(direction.X, direction.Y) / (up + 0.15f);
        float cover = Noise.Step(-0.05f, 0.45f, Noise.Sum(onClouds, 1.3f, Seed, 5));
        return Vector3.Lerp(clear, new Vector3(0.92f, 0.92f, 0.93f), cover) * 0.92f;
    }
}
