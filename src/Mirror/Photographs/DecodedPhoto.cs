// What a decoder hands over: the pixels and how they came about.

namespace Mirror.Photographs;

/// <summary>A decoded photograph. Owns its pixels: dispose it to return them to the pool.</summary>
/// <param name="Image">
/// The pixels, upright if the orientation was applied: <see cref="PixelFormat.Gray8"/> for grey JPEG and PNG,
/// else <see cref="PixelFormat.Rgba8"/>, or <see cref="PixelFormat.Rgb8"/> by libjpeg-turbo. Alpha is as stored, never multiplied or blended into the
/// colours. In <see cref="DecodeMode.Fast"/> it may be smaller than the file's picture.
/// </param>
/// <param name="Decoder">The library that decoded it: <c>SkiaSharp</c>, <c>Magick.NET</c> or <c>libjpeg-turbo</c>.</param>
/// <param name="Orientation">The EXIF orientation found in the file, 1..8; 1 where there is none, and where <see cref="DecodeMode.Ifast"/> did not read it.</param>
/// <param name="StoredWidth">Width in the file, in pixels, before the orientation was applied.</param>
/// <param name="StoredHeight">Height in the file, in pixels, before the orientation was applied.</param>
public sealed record DecodedPhoto(
    PixelImage Image, string Decoder, int Orientation, int StoredWidth, int StoredHeight) : IDisposable
{
    /// <summary>Returns the pixels to the pool.</summary>
    public void Dispose() => Image.Dispose();
}

/// <summary>What a decoder gives: pixels as stored, perhaps reduced, the size in the file, the orientation and the decoder's name.</summary>
internal readonly record struct Stored(PixelImage Image, int Width, int Height, int Orientation, string Decoder);
