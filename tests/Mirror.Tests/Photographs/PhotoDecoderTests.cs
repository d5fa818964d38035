// Formats, depths and orientations, on images made by the tests themselves.

using ImageMagick;
using Mirror.Photographs;
using Mirror.Tests.TestSupport;
using NUnit.Framework;
using SkiaSharp;

namespace Mirror.Tests.Photographs;

/// <summary>Formats and orientations.</summary>
public sealed class PhotoDecoderTests
{
    // The quarters of TestImages: R G over B W. Row by row after each orientation's transform.
    [TestCase(1, "RGBW")]
    [TestCase(2, "GRWB")]
    [TestCase(3, "WBGR")]
    [TestCase(4, "BWRG")]
    [TestCase(5, "RBGW")]
    [TestCase(6, "BRWG")]
    [TestCase(7, "WGBR")]
    [TestCase(8, "GWRB")]
    public void Decode_WithOrientation_StandsUpright(int orientation, string quarters)
    {
        using TempFolder folder = Paths.NewTempFolder();
        string path = folder.File("photo.jpg");
        File.WriteAllBytes(path, TestImages.WithOrientation(TestImages.Jpeg(96, 64), orientation));

        using DecodedPhoto applied = PhotoDecoder.Decode(path);
        using DecodedPhoto ignored = PhotoDecoder.Decode(path, ExifMode.Ignore);

        Assert.Multiple(() =>
        {
            Assert.That(Quarters(applied.Image), Is.EqualTo(quarters));
            Assert.That((applied.Image.Width, applied.Image.Height), Is.EqualTo(orientation >= 5 ? (64, 96) : (96, 64)));
            Assert.That((applied.StoredWidth, applied.StoredHeight), Is.EqualTo((96, 64)));
            Assert.That(Quarters(ignored.Image), Is.EqualTo("RGBW"));
            Assert.That((applied.Orientation, ignored.Orientation), Is.EqualTo((orientation, orientation)));
        });
    }

    [Test]
    public void Upright_EveryOrientationOfGrey_MovesEveryPixelToItsPlace(
        [Values(2, 3, 4, 5, 6, 7, 8)] int orientation, [Values(1, 33, 70)] int width)
    {
        const int Height = 41;
        var stored = new PixelImage(width, Height, PixelFormat.Gray8);
        byte[] source = new byte[width * Height];
        new Random(1).NextBytes(source);
        source.CopyTo(stored.Pixels);

        using PixelImage upright = ExifOrientation.Upright(stored, orientation);

        for (int y = 0; y < upright.Height; y++)
        {
            for (int x = 0; x < upright.Width; x++)
            {
                (int sx, int sy) = orientation switch
                {
                    2 => (width - 1 - x, y),
                    3 => (width - 1 - x, Height - 1 - y),
                    4 => (x, Height - 1 - y),
                    5 => (y, x),
                    6 => (y, Height - 1 - x),
                    7 => (width - 1 - y, Height - 1 - x),
                    _ => (width - 1 - y, x),
                };
                Assert.That(upright.Pixels[(y * upright.Width) + x], Is.EqualTo(source[(sy * width) + sx]), $"({x}, {y})");
            }
        }
    }

    [TestCase(SKEncodedImageFormat.Jpeg)]
    [TestCase(SKEncodedImageFormat.Png)]
    [TestCase(SKEncodedImageFormat.Webp)]
    public void Decode_SkiaFormats_GivesTheQuarters(SKEncodedImageFormat format)
    {
        using TempFolder folder = Paths.NewTempFolder();
        File.WriteAllBytes(folder.File("photo"), TestImages.Encode(64, 48, format));
        using DecodedPhoto photo = PhotoDecoder.Decode(folder.File("photo"));
        Assert.That((photo.Decoder, Quarters(photo.Image)), Is.EqualTo(("SkiaSharp", "RGBW")));
    }

    [TestCase(MagickFormat.Bmp, "SkiaSharp")]
    [TestCase(MagickFormat.Gif, "SkiaSharp")]
    [TestCase(MagickFormat.Tiff, "Magick.NET")]
    [TestCase(MagickFormat.Pnm, "Magick.NET")]
    [TestCase(MagickFormat.Jp2, "Magick.NET")]
    [TestCase(MagickFormat.Psd, "Magick.NET")]
    public void Decode_OtherFormats_GivesTheQuarters(MagickFormat format, string decoder)
    {
        using TempFolder folder = Paths.NewTempFolder();
        using (var image = new MagickImage(TestImages.Encode(64, 48, SKEncodedImageFormat.Png), MagickFormat.Png))
        {
            image.Write(folder.File("photo"), format);
        }

        using DecodedPhoto photo = PhotoDecoder.Decode(folder.File("photo"));
        Assert.That((photo.Decoder, Quarters(photo.Image)), Is.EqualTo((decoder, "RGBW")));
    }

    [Test]
    public void Decode_AnimatedGif_GivesTheFirstFrame()
    {
        using TempFolder folder = Paths.NewTempFolder();
        using (var frames = new MagickImageCollection { new MagickImage(MagickColors.Red, 20, 10), new MagickImage(MagickColors.Blue, 20, 10) })
        {
            frames.Write(folder.File("two.gif"), MagickFormat.Gif);
        }

        using DecodedPhoto photo = PhotoDecoder.Decode(folder.File("two.gif"));
        Assert.That(Quarters(photo.Image), Is.EqualTo("RRRR"));
    }

    [TestCase(CompressionMethod.NoCompression)]
    [TestCase(CompressionMethod.LZW)]
    [TestCase(CompressionMethod.Zip)]
    public void Decode_SixteenBitTiff_RoundsToEightBits(CompressionMethod compression)
    {
        using TempFolder folder = Paths.NewTempFolder();
        using (var image = new MagickImage(MagickColor.FromRgb(200, 100, 7), 30, 20))
        {
            image.Depth = 16;
            image.Settings.Compression = compression;
            image.Write(folder.File("deep.tif"), MagickFormat.Tiff);
        }

        using DecodedPhoto photo = PhotoDecoder.Decode(folder.File("deep.tif"));
        Assert.That(photo.Decoder, Is.EqualTo("Magick.NET"));
        Assert.That(photo.Image.Pixels[..3].ToArray(), Is.EqualTo(new byte[] { 200, 100, 7 }));
    }

    [Test]
    public void Decode_SixteenBitPng_TakesTheHighByte()
    {
        using TempFolder folder = Paths.NewTempFolder();
        File.WriteAllBytes(folder.File("deep.png"), TestImages.Png(2, 1, 16, 2, [0, 200, 255, 100, 0, 7, 128, 1, 255, 2, 0, 3, 127]));
        using DecodedPhoto photo = PhotoDecoder.Decode(folder.File("deep.png"));
        Assert.That(PhotoDecoderGoldenTests.Rgb(photo.Image), Is.EqualTo(new byte[] { 200, 100, 7, 1, 2, 3 }));
    }

    [TestCase(1, 0b10100000, new byte[] { 255, 0, 255 })]
    [TestCase(2, 0b00011000, new byte[] { 0, 85, 170 })]
    public void Decode_GreyPngOfFewBits_IsSpreadToTheFullRange(int bits, int row, byte[] expected)
    {
        using TempFolder folder = Paths.NewTempFolder();
        File.WriteAllBytes(folder.File("few.png"), TestImages.Png(3, 1, bits, 0, [0, (byte)row]));
        using DecodedPhoto photo = PhotoDecoder.Decode(folder.File("few.png"));
        Assert.That(PhotoDecoderGoldenTests.Rgb(photo.Image).Where((_, i) => i % 3 == 0), Is.EqualTo(expected));
    }

    [Test]
    public void Decode_TransparentPng_KeepsStoredColours()
    {
        using TempFolder folder = Paths.NewTempFolder();
        File.WriteAllBytes(folder.File("clear.png"), TestImages.Png(2, 1, 8, 6, [0, 200, 100, 50, 3, 9, 8, 7, 0]));
        using DecodedPhoto photo = PhotoDecoder.Decode(folder.File("clear.png"));
        Assert.That(PhotoDecoderGoldenTests.Rgb(photo.Image), Is.EqualTo(new byte[] { 200, 100, 50, 9, 8, 7 }));
    }

    [Test]
    public void Decode_ManyAtOnce_GivesEqualPixels()
    {
        using TempFolder folder = Paths.NewTempFolder();
        File.WriteAllBytes(folder.File("a.jpg"), TestImages.Jpeg(200, 150));
        using DecodedPhoto alone = PhotoDecoder.Decode(folder.File("a.jpg"));
        byte[] expected = alone.Image.Pixels.ToArray();
        Parallel.For(0, 32, _ =>
        {
            using DecodedPhoto photo = PhotoDecoder.Decode(folder.File("a.jpg"));
            Assert.That(photo.Image.Pixels.SequenceEqual(expected), Is.True);
        });
    }

    // Names the colour in the middle of each quarter.
    private static string Quarters(PixelImage image)
    {
        var names = new System.Text.StringBuilder();
        byte[] rgb = PhotoDecoderGoldenTests.Rgb(image);
        foreach ((int x, int y) in (ReadOnlySpan<(int, int)>)[(1, 1), (3, 1), (1, 3), (3, 3)])
        {
            int at = 3 * ((y * image.Height / 4 * image.Width) + (x * image.Width / 4));
            names.Append((rgb[at] > 127, rgb[at + 1] > 127, rgb[at + 2] > 127) switch
            {
                (true, true, true) => 'W',
                (true, false, false) => 'R',
                (false, true, false) => 'G',
                (false, false, true) => 'B',
                _ => '?',
            });
        }

        return names.ToString();
    }
}
