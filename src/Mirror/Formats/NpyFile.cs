// Reads and writes numpy's .npy arrays: a magic, a version, a header that is a Python dictionary in text, then the elements.
//
// Written files are byte for byte what numpy itself writes (version 1.0, float32, C order). Reading takes every version, both
// byte orders, both memory orders and the numeric types; what comes out is always C order and little-endian. Objects are refused: they are pickles.

using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Mirror.Formats;

/// <summary>An array read from a .npy file: elements in C order (row-major).</summary>
public sealed class NpyArray
{
    private readonly ReadOnlyMemory<byte> _data;

    internal NpyArray(ElementType type, IReadOnlyList<long> shape, ReadOnlyMemory<byte> data)
    {
        Type = type;
        Shape = shape;
        _data = data;
    }

    /// <summary>Type of the elements as stored.</summary>
    public ElementType Type { get; }

    /// <summary>Dimensions, slowest first; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Number of elements.</summary>
    public int Count => _data.Length / Type.Size();

    /// <summary>The elements' bytes, little-endian, C order.</summary>
    public ReadOnlySpan<byte> Bytes => _data.Span;

    /// <summary>The same bytes, to be kept beyond a call.</summary>
    internal ReadOnlyMemory<byte> Memory => _data;

    /// <summary>The elements as float32: a copy of float32, everything else rounded to the nearest.</summary>
    /// <exception cref="InvalidDataException">The elements are complex.</exception>
    public float[] ToFloat32() => ElementData.ToFloat32(Type, _data.Span);

    /// <summary>The elements as float64.</summary>
    /// <exception cref="InvalidDataException">The elements are complex.</exception>
    public double[] ToFloat64() => ElementData.ToFloat64(Type, _data.Span);
}

/// <summary>Reader and writer of .npy files.</summary>
public static class NpyFile
{
    private const int MaxHeaderLength = 1 << 16;
    /// <summary>The first bytes of every .npy file.</summary>
    internal static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads one array of any numeric type.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no valid .npy file or holds another kind of data; the message names the file, what was found and what was expected.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public static NpyArray Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
        return Read(stream, stream.Length, path);
    }

    /// <summary>Reads one array as float32; other real types are converted, rounding to the nearest.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shape">Its dimensions.</param>
    /// <returns>The elements in C order.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">As <see cref="Read(string)"/>; also where the elements are complex.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public static float[] ReadFloat32(string path, out IReadOnlyList<long> shape)
    {
        NpyArray array = Read(path);
        shape = array.Shape;
        return array.Type is ElementType.Complex64 or ElementType.Complex128
            ? throw Bad(path, $"holds {array.Type}, expected real numbers")
            : array.ToFloat32();
    }

    /// <summary>Reads the shape alone; that the data has exactly its length is checked too.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">As <see cref="Read(string)"/>.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public static IReadOnlyList<long> ReadShape(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
        return ReadHeader(stream, stream.Length, path).Header.Shape;
    }

    /// <summary>Writes a float32 array in C order as numpy 1.x would; the file appears under its name only when it is complete.</summary>
    /// <param name="path">The file; its folder is created where absent.</param>
    /// <param name="data">The elements: as many as the product of <paramref name="shape"/>.</param>
    /// <param name="shape">Dimensions, slowest first, each at least 0; empty for a scalar.</param>
    /// <exception cref="ArgumentException">The length of <paramref name="data"/> is not the product of <paramref name="shape"/>.</exception>
    /// <exception cref="IOException">The file cannot be written; nothing is left behind.</exception>
    public static void Write(string path, ReadOnlySpan<float> data, params ReadOnlySpan<long> shape)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        long[] dims = shape.ToArray();
        if (Array.Exists(dims, dim => dim < 0) || !ShapeMath.TryCount(dims, out long count) || count != data.Length)
        {
            throw new ArgumentException($"{data.Length} elements do not fill shape {ShapeMath.Text(dims)}", nameof(data));
        }
        byte[] header = Header(dims);
        byte[] bytes = ElementData.FromFloat32(data);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            stream.Write(bytes);
        });
    }

    /// <summary>Reads one array that takes exactly <paramref name="length"/> bytes of <paramref name="stream"/>; <paramref name="name"/> is for messages.</summary>
    internal static NpyArray Read(Stream stream, long length, string name)
    {
        (NpyHeader header, long stored) = ReadHeader(stream, length, name);
        if (stored > Array.MaxLength)
        {
            throw Bad(name, $"{stored} bytes of data; at most {Array.MaxLength} can be read");
        }
        byte[] data = new byte[stored];
        stream.ReadExactly(data);
        if (header.BigEndian)
        {
            ElementData.SwapBytes(header.Type, data);
        }
        return new(header.Type, header.Shape, header.FortranOrder && header.Shape.Count > 1 ? Transpose(data, header.Shape, header.Type.Size()) : data);
    }

    /// <summary>True where a file begins as every .npy file does.</summary>
    internal static bool IsNpy(string path)
    {
        Span<byte> start = stackalloc byte[Magic.Length];
        using FileStream stream = File.OpenRead(path);
        return stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.SequenceEqual(Magic);
    }

    /// <summary>Reads the one Python object of a file that np.save wrote for something that is no array of numbers.</summary>
    /// <returns>As <see cref="PickleReader.Read"/>.</returns>
    /// <exception cref="InvalidDataException">The file is no .npy file, holds plain numbers, or its pickle is refused.</exception>
    internal static object? ReadObject(string path)
    {
        byte[] file = WholeFile.Read(path);
        using MemoryStream stream = new(file, writable: false);
        (string text, long start) = ReadText(stream, file.Length, path);
        NpyHeader header = NpyHeader.Parse(text, path, objects: true);
        return header.Shape.Count == 0
            ? PickleReader.Read(file, path, (int)start)
            : throw Bad(path, $"an array of objects of shape {ShapeMath.Text(header.Shape)}, expected one object (shape [])");
    }

    // The header, and the bytes of data that follow it: as many as its shape asks for.
    private static (NpyHeader Header, long Stored) ReadHeader(Stream stream, long length, string name)
    {
        (string text, long start) = ReadText(stream, length, name);
        NpyHeader header = NpyHeader.Parse(text, name);
        int width = header.Type.Size();
        long stored = length - start;
        return ShapeMath.TryCount(header.Shape, out long count) && count <= long.MaxValue / width && count * width == stored
            ? (header, stored)
            : throw Bad(name, $"shape {ShapeMath.Text(header.Shape)} of {header.Type} does not match the {stored} bytes of data: the file is truncated or has bytes too many");
    }

    // The header's text, and where the data begins: the stream is left there.
    private static (string Text, long Start) ReadText(Stream stream, long length, string name)
    {
        Span<byte> start = stackalloc byte[12];
        if (length < 10 || stream.ReadAtLeast(start[..10], 10, throwOnEndOfStream: false) < 10 || !start[..6].SequenceEqual(Magic))
        {
            throw Bad(name, $"{length} bytes that do not begin with the .npy magic");
        }
        int major = start[6];
        if (major is < 1 or > 3)
        {
            throw Bad(name, $"version {major}.{start[7]}; known are 1 to 3");
        }
        int prefix = major == 1 ? 10 : 12;
        if (prefix == 12 && stream.ReadAtLeast(start[10..], 2, throwOnEndOfStream: false) < 2)
        {
            throw Bad(name, "the header length is cut off");
        }
        long headerLength = major == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(start[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        if (headerLength > MaxHeaderLength || headerLength > length - prefix)
        {
            throw Bad(name, $"declares a header of {headerLength} bytes; {length - prefix} follow, the limit is {MaxHeaderLength}");
        }
        byte[] text = new byte[headerLength];
        stream.ReadExactly(text);
        return (major == 3 ? Encoding.UTF8.GetString(text) : Encoding.Latin1.GetString(text), prefix + headerLength);
    }

    private static byte[] Header(long[] dims)
    {
        string list = string.Join(", ", dims.Select(dim => dim.ToString(CultureInfo.InvariantCulture)));
        string text = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({list}{(dims.Length == 1 ? "," : "")}), }}";
        // Magic, version, length, text and the final newline together are a multiple of 64.
        int total = (10 + text.Length + 1 + 63) / 64 * 64;
        byte[] header = new byte[total];
        Magic.CopyTo(header);
        header[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), checked((ushort)(total - 10)));
        Encoding.ASCII.GetBytes(text.PadRight(total - 11) + "\n", header.AsSpan(10));
        return header;
    }

    // Fortran order stores the first index fastest; an odometer over the C order walks it with the strides of the other.
    internal static byte[] Transpose(ReadOnlySpan<byte> data, IReadOnlyList<long> shape, int width)
    {
        byte[] result = new byte[data.Length];
        int rank = shape.Count;
        long[] stride = new long[rank];
        long[] at = new long[rank];
        long from = 0;
        for (int i = 0; data.Length > 0 && i < rank; i++)
        {
            stride[i] = i == 0 ? 1 : stride[i - 1] * shape[i - 1];
        }
        for (int to = 0; to < data.Length; to += width)
        {
            data.Slice((int)from * width, width).CopyTo(result.AsSpan(to));
            for (int i = rank - 1; i >= 0; i--)
            {
                from += stride[i];
                if (++at[i] < shape[i])
                {
                    break;
                }
                from -= stride[i] * at[i];
                at[i] = 0;
            }
        }
        return result;
    }

    private static InvalidDataException Bad(string name, string what) => new($"{name}: no readable .npy file: {what}");
}
