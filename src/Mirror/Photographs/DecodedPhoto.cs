// What a decoder hands over: the pixels and how they came about.

namespace Mirror.Photographs;

/// <summary>A decoded photograph. Owns its pixels: dispose it to return them to the pool.</summary>
/// <param name="Image">
/// The pixels, upright if the orientation was applied: <see cref="PixelFormat.Gray8"/> for grey JPEG and PNG,
/// else <see cref="PixelFormat.Rgba8"/>. Alpha is as stored, never multiplied or blended into the colours.
/// </param>
/// <param name="Decoder">The library that decoded it: <c>SkiaSharp</c> or <c>Magick.NET</c>.</param>
/// <param name="Orientation">The EXIF orientation found in the file, 1..8; 1 where there is none.</param>
/// <param name="StoredWidth">Width in the file, in pixels, before the orientation was applied.</param>
/// <param name="StoredHeight">Height in the file, in pixels, before the orientation was applied.</param>
public sealed record DecodedPhoto(
    PixelImage Image, string Decoder, int Orientation, int StoredWidth, int StoredHeight) : IDisposable
{
    /// <summary>Returns the pixels to the pool.</summary>
    public void Dispose() => Image.Dispose();
}
