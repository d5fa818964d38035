// FloatBuffer, PixelImage and the length checks: managed memory only.
using NUnit.Framework;

namespace Mirror.Tests.Core;

[TestFixture]
public sealed class BufferTests
{
    [Test]
    public void FloatBuffer_IsZeroedAndSliced()
    {
        using var buffer = new FloatBuffer(1000);
        Assert.That(buffer.Slice(0, 1000).ToArray(), Is.All.Zero);
        buffer.Slice(990, 10).Fill(7);
        Assert.That(buffer.Slice(985, 10).ToArray(), Is.EqualTo(new float[] { 0, 0, 0, 0, 0, 7, 7, 7, 7, 7 }));
    }

    [TestCase(-1, 1)]
    [TestCase(0, -1)]
    [TestCase(0, 11)]
    [TestCase(10, 1)]
    [TestCase(11, 0)]
    public void FloatBuffer_SliceOutside_Throws(long start, int length)
    {
        using var buffer = new FloatBuffer(10);
        Assert.That(() => { buffer.Slice(start, length); }, Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void FloatBuffer_BeyondTwoBillion_IsAddressable()
    {
        // 8.6 GB of address space; the system commits only the two pages that are touched.
        FloatBuffer buffer;
        try
        {
            buffer = new FloatBuffer((1L << 31) + 100);
        }
        catch (InsufficientMemoryException e)
        {
            Assert.Ignore($"skipped: {e.Message}");
            return;
        }

        using (buffer)
        {
            buffer.Slice(1L << 31, 100)[99] = 3;
            Assert.That(buffer.Slice((1L << 31) + 99, 1)[0], Is.EqualTo(3));
        }
    }

    [Test]
    public void FloatBuffer_Truncate_ShortensOnly()
    {
        using var buffer = new FloatBuffer(10);
        buffer.Truncate(4);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(buffer.Length, Is.EqualTo(4));
            Assert.That(() => buffer.Truncate(5), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => { buffer.Slice(0, 5); }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        }
    }

    [Test]
    public void FloatBuffer_ImpossibleLength_ThrowsWithValue()
    {
        Assert.That(() => new FloatBuffer(-1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new FloatBuffer(1L << 60), Throws.TypeOf<InsufficientMemoryException>().With.Message.Contains($"{1L << 60}"));
        Assert.That(() => new FloatBuffer(long.MaxValue), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void FloatBuffer_AfterDispose_Throws()
    {
        var buffer = new FloatBuffer(10);
        buffer.Dispose();
        buffer.Dispose();
        Assert.That(() => { buffer.Slice(0, 1); }, Throws.TypeOf<ObjectDisposedException>());
    }

    [TestCase(PixelFormat.Rgb8, 3)]
    [TestCase(PixelFormat.Rgba8, 4)]
    [TestCase(PixelFormat.Bgra8, 4)]
    [TestCase(PixelFormat.Gray8, 1)]
    public void PixelImage_HasRoomForItsPixels(PixelFormat format, int bytes)
    {
        using var image = new PixelImage(31, 17, format);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(image.Stride, Is.EqualTo(31 * bytes));
            Assert.That(image.Pixels.Length, Is.EqualTo(31 * 17 * bytes));
        }
    }

    [TestCase(0, 1)]
    [TestCase(1, 0)]
    [TestCase(-5, 1)]
    [TestCase(65536, 1)]
    public void PixelImage_ImpossibleSide_Throws(int width, int height) =>
        Assert.That(() => new PixelImage(width, height, PixelFormat.Rgb8), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void PixelImage_TooLargeForAnArray_ThrowsWithSize() =>
        Assert.That(
            () => new PixelImage(65535, 65535, PixelFormat.Rgba8),
            Throws.ArgumentException.With.Message.Contains("17179344900"));

    [Test]
    public void PixelImage_UnknownFormat_Throws() =>
        Assert.That(() => new PixelImage(1, 1, (PixelFormat)9), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void PixelImage_AfterDispose_Throws()
    {
        var image = new PixelImage(2, 2, PixelFormat.Gray8);
        image.Dispose();
        image.Dispose();
        Assert.That(() => { _ = image.Pixels; }, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Lengths_OverflowAndMismatch_NameTheShape()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => Lengths.Product("x", 1L << 40, 1L << 40), Throws.ArgumentException.With.Message.Contains("too large"));
            Assert.That(() => Lengths.Product("x", 2, -1), Throws.ArgumentException.With.Message.Contains("[2, -1]"));
            Assert.That(() => Lengths.Exact("x", 5, 2, 3), Throws.ArgumentException.With.Message.Contains("x has 5 elements, expected 6 for shape [2, 3]"));
            Assert.That(() => Lengths.Rows("x", 5, 2), Throws.ArgumentException.With.Message.Contains("multiple of 2"));
            Assert.That(() => Lengths.Rows("x", 0, 0), Throws.ArgumentException);
            Assert.That(Lengths.Rows("x", 0, 4), Is.Zero);
            Assert.That(Lengths.Product("x", 0, long.MaxValue), Is.Zero);
        }
    }
}
