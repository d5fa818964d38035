// Seeded damage to photographs of each format: a PhotoException or pixels, soon and in bounded memory, never anything else.

using ImageMagick;
using Mirror.Photographs;
using Mirror.Tests.Fuzz;
using Mirror.Tests.TestSupport;
using NUnit.Framework;
using SkiaSharp;

namespace Mirror.Tests.Photographs;

/// <summary>Damaged photographs.</summary>
public sealed class PhotoFuzzTests
{
    private const int DefaultRuns = 300;

    [TestCase(MagickFormat.Jpeg)]
    [TestCase(MagickFormat.Png)]
    [TestCase(MagickFormat.Gif)]
    [TestCase(MagickFormat.Bmp)]
    [TestCase(MagickFormat.WebP)]
    [TestCase(MagickFormat.Tiff)]
    public void Decode_DamagedFile_IsRefusedOrDecoded(MagickFormat format)
    {
        using var image = new MagickImage(TestImages.Encode(37, 23, SKEncodedImageFormat.Png), MagickFormat.Png);
        byte[] whole = image.ToByteArray(format);
        using TempFolder folder = Paths.NewTempFolder();
        string path = folder.File("damaged");
        bool numbered = Environment.GetEnvironmentVariable("MIRROR_FUZZ_RUNS") is { Length: > 0 };
        FuzzRunner.Run(
            numbered ? FuzzRunner.Runs : DefaultRuns,
            i =>
            {
                File.WriteAllBytes(path, new Mutator(i).Mutate(whole));
                try
                {
                    using DecodedPhoto photo = PhotoDecoder.Decode(path);
                    return photo.Image.Pixels.Length > 0;
                }
                catch (Exception e) when (e is not PhotoException)
                {
                    throw new AssertionException($"{format}, case {i}: {e}", e);
                }
            },
            maxBytesPerCase: 1L << 30);
    }
}
