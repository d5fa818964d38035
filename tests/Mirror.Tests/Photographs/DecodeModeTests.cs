using Mirror.Photographs;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;
using SkiaSharp;

namespace Mirror.Tests.Photographs;

/// <summary>The three ways to decode a JPEG: reduced, exact, and as TensorFlow 1 did.</summary>
public sealed class DecodeModeTests
{
    private static readonly DecodeOptions AsTheOriginal = new() { Mode = DecodeMode.Ifast, Exif = ExifMode.Ignore };

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
    public void Decode_Ifast_EqualsTensorFlowsPixels(string file)
    {
        Requirements.TurboJpegOrSkip();
        string path = Paths.SharedOrSkip($"golden/preprocess/{file}");
        byte[] expected = Npz.Open(Paths.SharedOrSkip("golden/preprocess/decoded.npz"))[file.Replace('.', '_')].Bytes.ToArray();

        using DecodedPhoto photo = PhotoDecoder.Decode(path, AsTheOriginal);

        Assert.That(PhotoDecoderGoldenTests.Rgb(photo.Image), Is.EqualTo(expected));
        Assert.That(photo.Decoder, Is.EqualTo(file.EndsWith(".jpg", StringComparison.Ordinal) ? "libjpeg-turbo" : "SkiaSharp"));
    }

    [Test]
    public void Decode_IfastOfDamagedFile_NamesIt()
    {
        Requirements.TurboJpegOrSkip();
        using TempFolder folder = Paths.NewTempFolder();
        byte[] jpeg = Checkerboard(64, 48);
        File.WriteAllBytes(folder.File("half.jpg"), jpeg[..(jpeg.Length / 2)]);

        PhotoException failure = Assert.Throws<PhotoException>(() => PhotoDecoder.Decode(folder.File("half.jpg"), AsTheOriginal))!;

        Assert.That(failure.Message, Does.StartWith(folder.File("half.jpg")).And.Contain("truncated"));
    }

    [Test]
    public void Decode_IfastWithOrientation_IsRefused() =>
        Assert.That(() => PhotoDecoder.Decode("a.jpg", AsTheOriginal with { Exif = ExifMode.Apply }), Throws.ArgumentException);

    [TestCase(4000, 3000, 448)]
    [TestCase(1999, 3001, 448)]
    [TestCase(1601, 1203, 96)]
    public void Decode_Fast_ReducedButNeverBelowWhatTheNetworkSees(int width, int height, int size)
    {
        using TempFolder folder = Paths.NewTempFolder();
        File.WriteAllBytes(folder.File("a.jpg"), Checkerboard(width, height));
        DecodeOptions options = new() { Mode = DecodeMode.Fast, ResizeFactor = (w, h) => size / (double)Math.Min(w, h) };

        using DecodedPhoto photo = PhotoDecoder.Decode(folder.File("a.jpg"), options);

        Assert.That((photo.StoredWidth, photo.StoredHeight), Is.EqualTo((width, height)));
        Assert.That(photo.Image.Width, Is.LessThan(width));
        Assert.That(Math.Min(photo.Image.Width, photo.Image.Height), Is.GreaterThanOrEqualTo(size * options.Oversampling));
        Assert.That(photo.Image.Width / (double)photo.Image.Height, Is.EqualTo(width / (double)height).Within(0.01));
    }

    [TestCase(100, 8)]
    [TestCase(448, 4)]
    [TestCase(700, 2)]
    [TestCase(1500, 1)]
    public void ScaleFor_Size_IsTheSmallestWithEnoughPixels(int size, int scale)
    {
        DecodeOptions options = new() { Mode = DecodeMode.Fast, ResizeFactor = (w, h) => size / (double)Math.Min(w, h) };

        Assert.That(options.ScaleFor(4000, 3000), Is.EqualTo(scale));
        Assert.That((options with { Mode = DecodeMode.Exact }).ScaleFor(4000, 3000), Is.EqualTo(1));
        Assert.That((options with { ResizeFactor = null }).ScaleFor(4000, 3000), Is.EqualTo(1));
    }

    private static byte[] Checkerboard(int width, int height)
    {
        using SKBitmap bitmap = new(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using SKCanvas canvas = new(bitmap);
        canvas.Clear(SKColors.White);
        using SKPaint ink = new() { Color = SKColors.DarkRed };
        for (int cell = 0; cell < 64; cell++)
        {
            if ((cell + (cell / 8)) % 2 == 0)
            {
                canvas.DrawRect(cell % 8 * width / 8f, cell / 8 * height / 8f, width / 8f, height / 8f, ink);
            }
        }

        using SKData data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
        return data.ToArray();
    }
}
