// Decoded pixels in a rented array: decoders fill it, the extractor reads it, Dispose gives it back to the pool.
using System.Buffers;
using Mirror.Interop;

namespace Mirror;

/// <summary>
/// A decoded photograph, rows top to bottom without gaps. Its memory comes from a pool: dispose it, once no span of it is in use.
/// </summary>
public sealed class PixelImage : IDisposable
{
    /// <summary>Largest width and height in pixels.</summary>
    public const int MaxSide = 65535;

    private readonly int _length;
    private byte[]? _pixels;

    /// <summary>Rents memory for an image; its content is undefined until written.</summary>
    /// <param name="width">Width in pixels, 1..65535.</param>
    /// <param name="height">Height in pixels, 1..65535.</param>
    /// <param name="format">Layout of a pixel.</param>
    /// <exception cref="ArgumentOutOfRangeException">A side or the format is out of range.</exception>
    /// <exception cref="ArgumentException">The image needs more bytes than one array holds.</exception>
    public PixelImage(int width, int height, PixelFormat format)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, MaxSide);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, MaxSide);
        int bytesPerPixel = BytesPerPixel(format);
        _length = Lengths.ArrayLength("pixels", height, width, bytesPerPixel);
        _pixels = ArrayPool<byte>.Shared.Rent(_length);
        Width = width;
        Height = height;
        Format = format;
        Stride = width * bytesPerPixel;
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Layout of a pixel.</summary>
    public PixelFormat Format { get; }

    /// <summary>Bytes from one row to the next: width times bytes per pixel.</summary>
    public int Stride { get; }

    /// <summary>The pixels, [height, width, channels] bytes; not to be used after disposal.</summary>
    /// <exception cref="ObjectDisposedException">The image is disposed.</exception>
    public Span<byte> Pixels => Array().AsSpan(0, _length);

    /// <summary>Bytes of one pixel.</summary>
    /// <param name="format">Layout of a pixel.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not a value of <see cref="PixelFormat"/>.</exception>
    public static int BytesPerPixel(PixelFormat format) => format switch
    {
        PixelFormat.Rgb8 => 3,
        PixelFormat.Rgba8 or PixelFormat.Bgra8 => 4,
        PixelFormat.Gray8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Not a pixel format."),
    };

    /// <summary>Gives the memory back to the pool.</summary>
    public void Dispose()
    {
        byte[]? pixels = Interlocked.Exchange(ref _pixels, null);
        if (pixels is not null)
            ArrayPool<byte>.Shared.Return(pixels);
    }

    /// <summary>Fixes the pixels in memory and describes them for the native core, until the pin is disposed.</summary>
    internal unsafe MemoryHandle Pin(out NativeImage native)
    {
        MemoryHandle pin = Array().AsMemory().Pin();
        native = new NativeImage { Data = (byte*)pin.Pointer, Width = Width, Height = Height, Stride = Stride, Format = (int)Format };
        return pin;
    }

    private byte[] Array()
    {
        byte[]? pixels = _pixels;
        ObjectDisposedException.ThrowIf(pixels is null, this);
        return pixels;
    }
}
