// SkiaSharp's SKCodec over bytes in memory: JPEG (libjpeg-turbo), PNG, WebP, BMP, GIF. No target colour space is given, so ICC
// profiles and PNG gamma change nothing, and alpha stays unmultiplied, so that dropping it gives the stored colours.

using SkiaSharp;

namespace Mirror.Photographs;

/// <summary>Decodes what Skia decodes well.</summary>
internal static class SkiaDecoder
{
    private const string Name = "SkiaSharp";

    /// <summary>Decodes the first frame of a file, as stored.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="file">Its bytes.</param>
    /// <param name="kind">Its format.</param>
    /// <param name="options">Tells at which scale a JPEG is decoded.</param>
    /// <returns>The pixels (Gray8 for grey images, else Rgba8), the size in the file, the EXIF orientation 1..8 and the decoder's name.</returns>
    /// <exception cref="PhotoException">Skia refuses the file, or it is too large.</exception>
    internal static unsafe Stored Decode(string path, ReadOnlySpan<byte> file, ImageKind kind, DecodeOptions options)
    {
        fixed (byte* bytes = file)
        {
            using SKData data = SKData.Create((IntPtr)bytes, file.Length);
            using var stream = new SKMemoryStream(data);
            using SKCodec? codec = SKCodec.Create(stream, out SKCodecResult opened);
            if (codec is null)
            {
                if (opened == SKCodecResult.Unimplemented)
                {
                    return MagickDecoder.Decode(path, file, kind);
                }

                throw new PhotoException(path, Reason(opened, kind));
            }

            SKImageInfo stored = codec.Info;
            PhotoDecoder.CheckSize(path, stored.Width, stored.Height, file.Length);
            bool grey = stored.ColorType == SKColorType.Gray8;
            int scale = kind == ImageKind.Jpeg ? options.ScaleFor(stored.Width, stored.Height) : 1;
            SKSizeI size = scale == 1 ? stored.Size : codec.GetScaledDimensions(1f / scale);
            var info = new SKImageInfo(
                size.Width,
                size.Height,
                grey ? SKColorType.Gray8 : SKColorType.Rgba8888,
                grey || stored.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul,
                colorspace: null);
            var image = new PixelImage(info.Width, info.Height, grey ? PixelFormat.Gray8 : PixelFormat.Rgba8);
            SKCodecResult result;
            fixed (byte* pixels = image.Pixels)
            {
                result = codec.GetPixels(info, (IntPtr)pixels, image.Stride, SKCodecOptions.Default);
            }

            if (result != SKCodecResult.Success)
            {
                image.Dispose();
                throw new PhotoException(path, Reason(result, kind));
            }

            return new Stored(image, stored.Width, stored.Height, (int)codec.EncodedOrigin, Name);
        }
    }

    private static string Reason(SKCodecResult result, ImageKind kind) => result switch
    {
        SKCodecResult.IncompleteInput => $"truncated {kind} file: the data end before the image does",
        SKCodecResult.ErrorInInput or SKCodecResult.InvalidInput => $"corrupt {kind} file",
        SKCodecResult.InternalError => "SkiaSharp ran out of memory or failed inside",
        _ => $"{kind} file that SkiaSharp cannot decode ({result})",
    };
}
