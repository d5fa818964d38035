// From a file's name to upright pixels. Reads the file whole (so that odd names and half-written files meet
// one reader), recognises it by its first bytes, and picks the decoder: Skia for what it does well, Magick.NET for the rest.
// No colour management anywhere: the numbers in the file are the numbers the network sees, as in the original.

using System.Buffers;

namespace Mirror.Photographs;

/// <summary>Decodes photographs: JPEG, PNG, WebP, BMP, GIF (first frame), TIFF, JPEG 2000, HEIF, AVIF, JPEG XL, PNM, PSD.</summary>
/// <remarks>All members may be called from any number of threads at once.</remarks>
public static class PhotoDecoder
{
    /// <summary>The longest side of a photograph that is accepted, in pixels.</summary>
    public const int MaxSide = 65535;

    /// <summary>The most pixels that are accepted: four bytes each still fit one array.</summary>
    public const long MaxPixels = 500_000_000;

    private const long MaxFileBytes = 1L << 30;

    // From this size on a file must hold a byte for so many pixels: more than the best case of PNG, JPEG and GIF, far less than
    // a header with a forged size in a file of a few bytes.
    private const long LargePixels = 64_000_000;
    private const long MaxPixelsPerByte = 10_000;

    /// <summary>Decodes one photograph into pooled memory; dispose the result to return it.</summary>
    /// <param name="path">The file. Any name the file system accepts.</param>
    /// <param name="exif">Whether the EXIF orientation is applied.</param>
    /// <exception cref="PhotoException">
    /// The file is absent, a folder, unreadable, empty, no image, truncated, corrupt, larger than <see cref="MaxSide"/> or
    /// <see cref="MaxPixels"/>, or far too short for the size it states. The message names the file and the reason.
    /// </exception>
    public static DecodedPhoto Decode(string path, ExifMode exif = ExifMode.Apply) => Decode(path, new DecodeOptions { Exif = exif });

    /// <summary>Decodes one photograph into pooled memory; dispose the result to return it.</summary>
    /// <param name="path">The file. Any name the file system accepts.</param>
    /// <param name="options">Orientation, and how JPEG files are decoded.</param>
    /// <exception cref="PhotoException">As the other overload.</exception>
    /// <exception cref="ArgumentException"><see cref="DecodeMode.Ifast"/> with the EXIF orientation applied: the original never did.</exception>
    /// <exception cref="DllNotFoundException"><see cref="DecodeMode.Ifast"/> without libturbojpeg on this system.</exception>
    public static DecodedPhoto Decode(string path, DecodeOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        if (options is { Mode: DecodeMode.Ifast, Exif: ExifMode.Apply })
        {
            throw new ArgumentException("decoding as the original did ignores the EXIF orientation: it cannot be applied too", nameof(options));
        }

        (byte[] buffer, int length) = ReadFile(path);
        try
        {
            return Decode(path, buffer, length, options);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Refuses sizes before anything is allocated for them.</summary>
    /// <param name="path">The file, for the message.</param>
    /// <param name="width">Width as the header states it, in pixels.</param>
    /// <param name="height">Height as the header states it, in pixels.</param>
    /// <param name="fileBytes">Length of the file.</param>
    /// <exception cref="PhotoException">A side or the area is zero, above the limit, or beyond what so short a file can hold.</exception>
    internal static void CheckSize(string path, long width, long height, long fileBytes)
    {
        if (width < 1 || height < 1)
        {
            throw new PhotoException(path, $"the header states {width} x {height} pixels");
        }

        if (width > MaxSide || height > MaxSide || width * height > MaxPixels)
        {
            throw new PhotoException(
                path, $"too large: {width} x {height} pixels, the limits are {MaxSide} a side and {MaxPixels} in all");
        }

        if (width * height > LargePixels && width * height / MaxPixelsPerByte > fileBytes)
        {
            throw new PhotoException(path, $"the header states {width} x {height} pixels, but the file has only {fileBytes} bytes");
        }
    }

    private static DecodedPhoto Decode(string path, byte[] buffer, int length, DecodeOptions options)
    {
        ReadOnlySpan<byte> file = buffer.AsSpan(0, length);
        ImageKind kind = ImageSignature.Detect(file);
        Stored stored = kind switch
        {
            ImageKind.Unknown => throw new PhotoException(
                path, $"not an image of a known format (starts with {ImageSignature.Describe(file)})"),
            ImageKind.Jpeg when options.Mode == DecodeMode.Ifast => TurboJpeg.Decode(path, file, JpegHeader.Read(file).HasAdobeMarker),
            ImageKind.Jpeg when JpegHeader.Read(file) is { Components: 4 } header =>
                MagickDecoder.DecodeCmykJpeg(path, file, header.HasAdobeMarker),
            ImageKind.Jpeg or ImageKind.Png or ImageKind.WebP or ImageKind.Bmp or ImageKind.Gif =>
                SkiaDecoder.Decode(path, file, kind, options),
            _ => MagickDecoder.Decode(path, file, kind),
        };
        PixelImage image = options.Exif == ExifMode.Apply ? ExifOrientation.Upright(stored.Image, stored.Orientation) : stored.Image;
        return new DecodedPhoto(image, stored.Decoder, stored.Orientation, stored.Width, stored.Height);
    }

    // The caller returns the buffer to the pool.
    private static (byte[] Buffer, int Length) ReadFile(string path)
    {
        try
        {
            // Asked before opening: opening a pipe, whose length is 0 too, would wait for its writer.
            if (new FileInfo(path) is { Exists: true, Length: 0 })
            {
                throw new PhotoException(path, "file is empty, or is no regular file");
            }

            using var handle = File.OpenHandle(path, options: FileOptions.SequentialScan);
            long length = RandomAccess.GetLength(handle);
            if (length > MaxFileBytes)
            {
                throw new PhotoException(path, $"file has {length} bytes, the limit is {MaxFileBytes}");
            }

            byte[] buffer = ArrayPool<byte>.Shared.Rent((int)length);
            int filled = 0;
            while (filled < length)
            {
                int read = RandomAccess.Read(handle, buffer.AsSpan(filled, (int)length - filled), filled);
                if (read == 0)
                {
                    throw new PhotoException(path, $"file shrank from {length} to {filled} bytes while it was read");
                }

                filled += read;
            }

            return (buffer, filled);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PhotoException(path, "file does not exist", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new PhotoException(path, Directory.Exists(path) ? "is a folder, not a file" : "permission denied", e);
        }
        catch (IOException e) when (e is not PhotoException)
        {
            throw new PhotoException(path, $"cannot be read: {e.Message}", e);
        }
    }
}
