// Unusable files: each gets one PhotoException that names it, and nothing else is ever thrown.

using ImageMagick;
using Mirror.Photographs;
using Mirror.Tests.TestSupport;
using NUnit.Framework;
using SkiaSharp;

namespace Mirror.Tests.Photographs;

/// <summary>Every way a file can be unusable, and names that must not matter.</summary>
public sealed class PhotoDecoderFailureTests
{
    [Test]
    public void Decode_AbsentFile_SaysSo() => Refused("nowhere.jpg", null, "file does not exist");

    [Test]
    public void Decode_EmptyFile_SaysSo() => Refused("empty.jpg", [], "file is empty, or is no regular file");

    [Test]
    public void Decode_Text_ShowsTheFirstBytes() =>
        Refused("text.jpg", "hello, I am a letter"u8.ToArray(), "not an image of a known format (starts with 68656C6C6F2C2049 \"hello, I\")");

    [Test]
    public void Decode_Folder_SaysSo()
    {
        using TempFolder folder = Paths.NewTempFolder();
        PhotoException failure = Assert.Throws<PhotoException>(() => PhotoDecoder.Decode(folder.Root))!;
        Assert.That(failure.Reason, Is.EqualTo("is a folder, not a file"));
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void Decode_UnreadableFile_SaysSo()
    {
        if (Environment.IsPrivilegedProcess)
        {
            TestContext.Out.WriteLine("skipped: root may read every file");
            Assert.Ignore("root may read every file");
        }

        using TempFolder folder = Paths.NewTempFolder();
        File.WriteAllBytes(folder.File("a.jpg"), TestImages.Jpeg(8, 8));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder.File("a.jpg"), UnixFileMode.None);
        }

        PhotoException failure = Assert.Throws<PhotoException>(() => PhotoDecoder.Decode(folder.File("a.jpg")))!;
        Assert.That(failure.Reason, Is.EqualTo("permission denied"));
    }

    [TestCase(SKEncodedImageFormat.Jpeg)]
    [TestCase(SKEncodedImageFormat.Png)]
    [TestCase(SKEncodedImageFormat.Webp)]
    public void Decode_TruncatedAnywhere_IsRefused(SKEncodedImageFormat format)
    {
        byte[] whole = TestImages.Encode(120, 90, format);
        foreach (double part in (ReadOnlySpan<double>)[0.1, 0.3, 0.6, 0.9])
        {
            Refused("cut", whole[..(int)(part * whole.Length)], null);
        }
    }

    [Test]
    public void Decode_TruncatedJpeg_SaysTruncated()
    {
        byte[] whole = TestImages.Jpeg(400, 300);
        Refused("cut.jpg", whole[..(whole.Length * 3 / 4)], "truncated Jpeg file: the data end before the image does");
    }

    [TestCase(MagickFormat.Tiff)]
    [TestCase(MagickFormat.Jp2)]
    [TestCase(MagickFormat.Pnm)]
    public void Decode_TruncatedMagickFormat_IsRefused(MagickFormat format)
    {
        using var image = new MagickImage(TestImages.Encode(120, 90, SKEncodedImageFormat.Png), MagickFormat.Png);
        byte[] whole = image.ToByteArray(format);
        Refused("cut", whole[..(whole.Length / 2)], null);
    }

    [Test]
    public void Decode_PngOfHugeSides_IsRefusedBeforeAllocation() =>
        Refused("huge.png", TestImages.Png(60000, 60000, 8, 2, [0]), "too large: 60000 x 60000 pixels, the limits are 65535 a side and 500000000 in all");

    [Test]
    public void Decode_PngWithAWideSide_IsRefused() => Refused("wide.png", TestImages.Png(70000, 1, 8, 0, [0]), null);

    [Test]
    public void Decode_TiffOfHugeSides_IsRefused()
    {
        // A little-endian header with one directory: width, height, 8 bits, one strip that is not there.
        byte[] Entry(int tag, int type, int value) => [(byte)tag, (byte)(tag >> 8), (byte)type, 0, 1, 0, 0, 0, .. BitConverter.GetBytes(value)];
        byte[] file =
        [
            .. "II*\0"u8, 8, 0, 0, 0, 7, 0, .. Entry(256, 4, 60000), .. Entry(257, 4, 60000), .. Entry(258, 3, 8), .. Entry(259, 3, 1),
            .. Entry(262, 3, 1), .. Entry(273, 4, 8), .. Entry(279, 4, 16), 0, 0, 0, 0,
        ];
        Refused("huge.tif", file, null);
    }

    [Test]
    public void Decode_RandomDamage_ThrowsNothingElse()
    {
        var random = new Random(20);
        using TempFolder folder = Paths.NewTempFolder();
        string path = folder.File("damaged");
        foreach (SKEncodedImageFormat format in (ReadOnlySpan<SKEncodedImageFormat>)[SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Png, SKEncodedImageFormat.Webp])
        {
            byte[] whole = TestImages.Encode(60, 40, format);
            for (int i = 0; i < 100; i++)
            {
                byte[] damaged = [.. whole];
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                File.WriteAllBytes(path, damaged);
                try
                {
                    PhotoDecoder.Decode(path).Dispose();
                }
                catch (PhotoException failure)
                {
                    Assert.That(failure.Message, Does.StartWith(path));
                }
            }
        }
    }

    [TestCase("photo with spaces.jpg")]
    [TestCase("Straße – 写真 😀.JPG")]
    [TestCase("percent%20#?&.jpg")]
    [TestCase("jpg")]
    [TestCase("-o.jpg")]
    public void Decode_OddNames_Work(string name)
    {
        using TempFolder folder = Paths.NewTempFolder();
        File.WriteAllBytes(folder.File(name), TestImages.Jpeg(16, 8));
        using DecodedPhoto photo = PhotoDecoder.Decode(folder.File(name));
        Assert.That((photo.Image.Width, photo.Image.Height), Is.EqualTo((16, 8)));
    }

    // Null content: the file is not written. Null reason: any reason will do.
    private static void Refused(string name, byte[]? content, string? reason)
    {
        using TempFolder folder = Paths.NewTempFolder();
        string path = folder.File(name);
        if (content is not null)
        {
            File.WriteAllBytes(path, content);
        }

        PhotoException failure = Assert.Throws<PhotoException>(() => PhotoDecoder.Decode(path).Dispose())!;
        Assert.That(failure.Path, Is.EqualTo(path));
        Assert.That(failure.Message, Is.EqualTo($"{path}: {failure.Reason}"));
        if (reason is not null)
        {
            Assert.That(failure.Reason, Is.EqualTo(reason));
        }
    }
}
