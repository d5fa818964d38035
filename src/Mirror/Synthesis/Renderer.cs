// From a scene, a camera and a light to pixels: two rays a pixel, four where those two differ; direct sun with shadows, light of
// the sky, haze; then what a camera does: blur, vignetting, exposure, a film curve, grain.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>Renders one view.</summary>
internal static class Renderer
{
    // Two samples whose colours differ by less than this part of their sum stand for the whole pixel.
    private const float Alike = 0.03f;

    // Offsets of a rotated grid, opposite ones together: no two samples of a pixel share a row or a column.
    private static readonly Vector2[] Samples =
        [new(0.125f, 0.375f), new(0.875f, 0.625f), new(0.375f, 0.875f), new(0.625f, 0.125f)];

    /// <summary>Renders into RGBA bytes, [height, width, 4], opaque.</summary>
    internal static byte[] Render(Scene scene, Camera camera, Light light, CancellationToken cancellationToken)
    {
        var linear = new Vector3[camera.Width * camera.Height];
        for (int y = 0; y < camera.Height; y++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int x = 0; x < camera.Width; x++)
            {
                linear[(y * camera.Width) + x] = Pixel(scene, camera, light, x, y);
            }
        }

        return Develop(linear, camera.Width, camera.Height, light);
    }

    private static Vector3 Pixel(Scene scene, Camera camera, Light light, int x, int y)
    {
        Vector3 first = At(Samples[0]);
        Vector3 second = At(Samples[1]);
        Vector3 sum = first + second;
        bool alike = Vector3.LessThanOrEqualAll(Vector3.Abs(first - second), sum * Alike);
        return alike ? sum / 2 : (sum + At(Samples[2]) + At(Samples[3])) / 4;

        Vector3 At(Vector2 sample) =>
            Radiance(scene, camera.RayAt(x + sample.X, y + sample.Y), camera.PixelSize, light, sample);
    }

    private static Vector3 Radiance(Scene scene, Ray ray, float pixelSize, Light light, Vector2 sample)
    {
        if (!scene.Trace(ray, Scene.Far, out Hit hit))
        {
            return light.SkyAlong(ray.Direction);
        }

        Vector3 point = ray.At(hit.Distance);
        Surface surface = scene.SurfaceAt(point, hit, hit.Distance * pixelSize);

        // The four samples see four points of a sun that is larger than the real one: shadows get a soft edge for free.
        Vector3 toSun = Vector3.Normalize(light.ToSun + new Vector3((sample.X - 0.5f) * 0.03f, (sample.Y - 0.5f) * 0.03f, 0));
        float facing = Vector3.Dot(hit.Normal, toSun);
        if (facing > 0 && scene.Trace(new Ray(point + (hit.Normal * 0.03f), toSun), 150, out _))
        {
            facing = 0;
        }

        Vector3 bounce = light.Sun * (0.10f * MathF.Max(0, 0.6f - hit.Normal.Z));
        Vector3 incoming = (light.Sun * MathF.Max(facing, 0)) + (light.Sky * (0.62f + (0.38f * hit.Normal.Z))) + bounce;
        Vector3 color = surface.Albedo * incoming;
        if (surface.Gloss > 0)
        {
            Vector3 mirrored = Vector3.Reflect(ray.Direction, hit.Normal);
            color += light.SkyAlong(mirrored) * surface.Gloss;
        }

        float air = 1 - MathF.Exp(-hit.Distance * light.Haze);
        return Vector3.Lerp(color, new Vector3(0.50f, 0.57f, 0.66f), air);
    }

    private static byte[] Develop(Vector3[] linear, int width, int height, Light light)
    {
        var bytes = new byte[width * height * 4];
        for (int y = 0; y < height; y++)
        {
            int above = Math.Max(y - 1, 0) * width;
            int below = Math.Min(y + 1, height - 1) * width;
            for (int x = 0; x < width; x++)
            {
                int i = (y * width) + x;
                int left = (y * width) + Math.Max(x - 1, 0);
                int right = (y * width) + Math.Min(x + 1, width - 1);
                Vector3 neighbours = linear[left] + linear[right] + linear[above + x] + linear[below + x];
                Vector3 color = (linear[i] * (1 - (4 * light.Blur))) + (neighbours * light.Blur);
                var fromCenter = new Vector2(((2f * x) / width) - 1, ((2f * y) / height) - 1);
                color *= light.Gain * (1 - (0.11f * fromCenter.LengthSquared()));
                bytes[(4 * i) + 0] = Tone(color.X, x, y, light.Grain, light.Seed);
                bytes[(4 * i) + 1] = Tone(color.Y, x, y, light.Grain, light.Seed + 1);
                bytes[(4 * i) + 2] = Tone(color.Z, x, y, light.Grain, light.Seed + 2);
                bytes[(4 * i) + 3] = 255;
            }
        }

        return bytes;
    }

    private static byte Tone(float value, int x, int y, float grain, uint seed)
    {
        // A shoulder that reaches white at 1.6, then the usual gamma.
        float mapped = value * (1 + (value / (1.6f * 1.6f))) / (1 + (0.9f * value));
        float level = 255 * MathF.Pow(Math.Clamp(mapped * 1.18f, 0, 1), 1 / 2.2f);

        // The sum of two uniform numbers is near enough to a bell curve.
        uint hash = Noise.Hash(x, y, seed);
        float noise = (((hash & 0xFFFF) + (hash >> 16)) / 65535f) - 1;
        return (byte)Math.Clamp(level + (noise * grain * 2.45f) + 0.5f, 0, 255);
    }
}
