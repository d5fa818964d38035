// How exactly a JPEG is turned into pixels, and how a photograph is to be decoded.

namespace Mirror.Photographs;

/// <summary>How JPEG files are decoded; other formats have one way only.</summary>
public enum DecodeMode
{
    /// <summary>
    /// At the smallest of 1/8, 1/4, 1/2 and 1/1 of the size that still has <see cref="DecodeOptions.Oversampling"/> times the pixels that the network
    /// sees, a side: the inverse transform averages what the resize would skip, in a fraction of the time.
    /// </summary>
    Fast,

    /// <summary>Every pixel of the file, by the accurate integer transform.</summary>
    Exact,

    /// <summary>
    /// Every pixel by libjpeg-turbo's fast integer transform (JDCT_IFAST), as <c>tf.image.decode_jpeg</c> of TensorFlow 1, hence the original, did.
    /// Needs the system's libturbojpeg; EXIF orientation is ignored.
    /// </summary>
    Ifast,
}

/// <summary>How a photograph is decoded.</summary>
public sealed record DecodeOptions
{
    /// <summary>In <see cref="DecodeMode.Fast"/>: decoded pixels for one of the network's, a side, at least 1. The default is measured: docs/results.md.</summary>
    public double Oversampling { get; init; } = 1.5;

    /// <summary>Whether the EXIF orientation is applied.</summary>
    public ExifMode Exif { get; init; } = ExifMode.Apply;

    /// <summary>How JPEG files are decoded.</summary>
    public DecodeMode Mode { get; init; } = DecodeMode.Exact;

    /// <summary>
    /// For <see cref="DecodeMode.Fast"/>: the factor, greater than 0, by which a picture of (width, height) pixels will be resized. Must be symmetrical: it is asked
    /// before the orientation is applied. Null decodes at full size.
    /// </summary>
    public Func<int, int, double>? ResizeFactor { get; init; }

    /// <summary>The denominator 1, 2, 4 or 8 of the scale at which a JPEG of this size is decoded.</summary>
    internal int ScaleFor(int width, int height)
    {
        if (Mode != DecodeMode.Fast || ResizeFactor is null)
        {
            return 1;
        }

        var needed = ResizeFactor(width, height) * Oversampling;
        return needed <= 1.0 / 8 ? 8 : needed <= 1.0 / 4 ? 4 : needed <= 1.0 / 2 ? 2 : 1;
    }
}
