// A pinhole camera: pixels to rays and world points to pixels, each the inverse of the other.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>A camera in the world; x right, y down in the image.</summary>
internal sealed class Camera
{
    private readonly Vector3 _forward;
    private readonly Vector3 _right;
    private readonly Vector3 _up;
    private readonly float _focal;

    /// <summary>A camera that looks along <paramref name="forward"/>.</summary>
    /// <param name="position">Metres.</param>
    /// <param name="forward">Viewing direction, any length.</param>
    /// <param name="up">What is up in the image, not parallel to the direction.</param>
    /// <param name="fieldOfView">Across the longer side of the image, radians.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    internal Camera(Vector3 position, Vector3 forward, Vector3 up, float fieldOfView, int width, int height)
    {
        Position = position;
        Width = width;
        Height = height;
        _forward = Vector3.Normalize(forward);
        _right = Vector3.Normalize(Vector3.Cross(_forward, up));
        _up = Vector3.Cross(_right, _forward);
        _focal = 0.5f * Math.Max(width, height) / MathF.Tan(0.5f * fieldOfView);
    }

    /// <summary>Where it stands, metres.</summary>
    internal Vector3 Position { get; }

    /// <summary>Image width in pixels.</summary>
    internal int Width { get; }

    /// <summary>Image height in pixels.</summary>
    internal int Height { get; }

    /// <summary>Size of a pixel at a distance of one metre, metres.</summary>
    internal float PixelSize => 1 / _focal;

    /// <summary>The ray through a point of the image; pixel (0, 0) has its middle at (0.5, 0.5).</summary>
    internal Ray RayAt(float x, float y) => new(
        Position,
        Vector3.Normalize(_forward + (_right * ((x - (0.5f * Width)) / _focal)) - (_up * ((y - (0.5f * Height)) / _focal))));

    /// <summary>Whether a point of the world lies within the frame, in front of the camera.</summary>
    internal bool Sees(Vector3 point)
    {
        Vector3 d = point - Position;
        float depth = Vector3.Dot(d, _forward);
        if (depth <= 0)
        {
            return false;
        }

        float x = MathF.Abs(Vector3.Dot(d, _right)) * _focal / depth;
        float y = MathF.Abs(Vector3.Dot(d, _up)) * _focal / depth;
        return x <= 0.5f * Width && y <= 0.5f * Height;
    }
}
