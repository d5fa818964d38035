// Decoded pixels against golden ones; skipped where the shared folder is absent.

using Mirror.Photographs;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Photographs;

/// <summary>Decoded pixels against those of libjpeg-turbo (slow integer transform) and libpng, bit for bit.</summary>
public sealed class PhotoDecoderGoldenTests
{
    [TestCase("jpeg_420_q90.jpg")]
    [TestCase("jpeg_422_q75.jpg")]
    [TestCase("jpeg_444_q90.jpg")]
    [TestCase("jpeg_prog_420.jpg")]
    [TestCase("jpeg_grey.jpg")]
    [TestCase("jpeg_exif_rot6.jpg")]
    [TestCase("jpeg_cmyk.jpg")]
    [TestCase("png_grey.png")]
    [TestCase("png_palette.png")]
    [TestCase("png_rgba.png")]
    public void Decode_AsStored_EqualsGoldenPixels(string file)
    {
        string path = Paths.SharedOrSkip($"golden/preprocess/{file}");
        var golden = Npz.Open(Paths.SharedOrSkip("golden/preprocess/decoded.npz"));
        string name = file.Replace('.', '_') + (file.EndsWith(".jpg", StringComparison.Ordinal) ? "_islow" : "");
        byte[] expected = golden[name].Bytes.ToArray();

        using DecodedPhoto photo = PhotoDecoder.Decode(path, ExifMode.Ignore);

        Assert.That(Rgb(photo.Image), Is.EqualTo(expected));
    }

    [Test]
    public void Decode_CmykJpegWithoutAdobeMarker_TakesValuesAsInk()
    {
        byte[] adobe = File.ReadAllBytes(Paths.SharedOrSkip("golden/preprocess/jpeg_cmyk.jpg"));
        int marker = adobe.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xEE]);
        int length = 2 + (adobe[marker + 2] << 8) + adobe[marker + 3];
        using TempFolder folder = Paths.NewTempFolder();
        File.WriteAllBytes(folder.File("plain.jpg"), [.. adobe[..marker], .. adobe[(marker + length)..]]);
        File.WriteAllBytes(folder.File("adobe.jpg"), adobe);

        using DecodedPhoto plain = PhotoDecoder.Decode(folder.File("plain.jpg"));
        using DecodedPhoto inverted = PhotoDecoder.Decode(folder.File("adobe.jpg"));

        Assert.That(plain.Decoder, Is.EqualTo("Magick.NET"));
        Assert.That(Rgb(plain.Image), Is.Not.EqualTo(Rgb(inverted.Image)));
    }

    internal static byte[] Rgb(PixelImage image)
    {
        int step = PixelImage.BytesPerPixel(image.Format);
        byte[] rgb = new byte[image.Width * image.Height * 3];
        for (int i = 0; i < rgb.Length; i++)
        {
            rgb[i] = image.Pixels[(i / 3 * step) + (step == 1 ? 0 : i % 3)];
        }

        return rgb;
    }
}
