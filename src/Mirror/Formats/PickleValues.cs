// What a pickle builds besides plain values: Python 2 texts, bytes, numpy's types and arrays in the making.

using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Mirror.Formats;

/// <summary>The functions that a pickle may name.</summary>
internal enum PickleGlobal
{
    /// <summary>numpy.core.multiarray._reconstruct: an empty array, to be filled by BUILD.</summary>
    Reconstruct,

    /// <summary>numpy.core.multiarray.scalar: one number of a numpy type.</summary>
    Scalar,

    /// <summary>numpy.ndarray, an argument of the first.</summary>
    NdArray,

    /// <summary>numpy.dtype.</summary>
    Dtype,

    /// <summary>_codecs.encode: how Python 3 writes bytes in protocol 2.</summary>
    Encode,
}

/// <summary>Bytes that a pickle may still produce: honest ones never hold more than their own length.</summary>
internal sealed class PickleBudget(long length)
{
    private const int Slack = 1 << 16;
    private long _left = length + Slack;

    public void Charge(long bytes, Func<string, Exception> bad)
    {
        _left -= bytes;
        if (_left < 0)
        {
            throw bad($"its arrays and texts take more than the {length} bytes of the file: the same bytes are used again and again");
        }
    }
}

/// <summary>A Python 2 str: text or bytes, as its user takes it.</summary>
internal sealed class PickleText(ReadOnlyMemory<byte> bytes, Func<string, Exception> bad)
{
    private string? _value;

    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>Decoded once: as UTF-8 where it is that, else as Latin-1, which takes any bytes.</summary>
    public string Value => _value ??= Decode(bytes.Span, orLatin1: true, bad);

    /// <summary>A text of at most 64 MiB.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes, bool orLatin1, Func<string, Exception> bad)
    {
        const int MaxLength = 64 << 20;
        return bytes.Length > MaxLength ? throw bad($"a text of {bytes.Length} bytes; at most {MaxLength} are read")
            : Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes)
            : orLatin1 ? Encoding.Latin1.GetString(bytes)
            : throw bad("a text is not UTF-8");
    }
}

/// <summary>A Python 3 bytes.</summary>
internal sealed class PickleBytes(ReadOnlyMemory<byte> bytes)
{
    private byte[]? _value;

    public ReadOnlyMemory<byte> Bytes => bytes;

    public byte[] Value => _value ??= bytes.ToArray();
}

/// <summary>A numpy.dtype: its letters from the constructor, its byte order from the state.</summary>
internal sealed class PickleDtype(string letters)
{
    private string? _order;

    /// <summary>"&lt;f4" and the like; null before the state was set.</summary>
    public string? Descr => _order is null ? null : _order + letters;

    public bool IsObject => letters is "O8" or "O4" or "O";

    public bool BigEndian => _order == ">";

    // (version, byte order, subtype, names, fields, element size, alignment, flags, and from version 4 metadata).
    public void Build(object?[] state, Func<string, Exception> bad)
    {
        if (_order is not null || state.Length is not (8 or 9) || state[0] is not (3L or 4L) || PickleNames.Text(state[1]) is not ("<" or ">" or "|" or "=") ||
            state[2] is not null || state[3] is not null || state[4] is not null || (state.Length == 9 && state[8] is not null))
        {
            throw bad($"the numpy type {PickleNames.Shown(letters)} is structured or set twice; plain numeric types are read");
        }
        _order = PickleNames.Text(state[1]);
    }

    public ElementType Element(Func<string, Exception> bad) =>
        (Descr is { } descr ? NpyHeader.ElementTypeOf(descr) : null) ?? throw bad($"the numpy type {PickleNames.Shown(Descr ?? letters)} is not one of the numeric types that are read");

    /// <summary>One number as bool, long or double.</summary>
    public object Scalar(ReadOnlyMemory<byte> stored, Func<string, Exception> bad)
    {
        ElementType type = Element(bad);
        if (stored.Length != type.Size() || type is ElementType.Complex64 or ElementType.Complex128)
        {
            throw bad($"a number of {stored.Length} bytes and type {type}");
        }
        byte[] bytes = stored.ToArray();
        if (BigEndian)
        {
            ElementData.SwapBytes(type, bytes);
        }
        return type switch
        {
            ElementType.Bool => bytes[0] != 0,
            ElementType.Float16 or ElementType.Float32 or ElementType.Float64 => ElementData.ToDouble(type, bytes, 0),
            ElementType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            ElementType.UInt64 when BinaryPrimitives.ReadUInt64LittleEndian(bytes) > long.MaxValue => throw bad("a whole number above 2^63 - 1"),
            ElementType.UInt64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            _ => (long)ElementData.ToDouble(type, bytes, 0),
        };
    }
}

/// <summary>A numpy.ndarray: empty until its state is set.</summary>
internal sealed class PickleArray
{
    private PickleDtype? _type;
    private long[] _shape = [];
    private bool _fortran;
    private ReadOnlyMemory<byte> _data;

    /// <summary>The elements of an object array; null where elements are numbers.</summary>
    public List<object?>? Items { get; private set; }

    public int Rank => _shape.Length;

    // (1, shape, dtype, Fortran order, bytes or a list of objects).
    public void Build(object?[] state, Func<string, Exception> bad)
    {
        if (_type is not null || state is not [1L, object?[] dims, PickleDtype type, var fortran, var elements] || fortran is not (bool or 0L or 1L))
        {
            throw bad("the state of a numpy array is set twice, or not (1, shape, type, order, data)");
        }
        long count = 0;
        if (dims.Length > ShapeMath.MaxRank || Array.Exists(dims, dim => dim is not >= 0L) || !ShapeMath.TryCount([.. dims.Cast<long>()], out count))
        {
            throw bad($"a numpy array of {dims.Length} dimensions has no possible shape (at most {ShapeMath.MaxRank}, each a whole number >= 0)");
        }
        _shape = [.. dims.Cast<long>()];
        _fortran = fortran is true or 1L;
        _type = type;
        if (type.IsObject)
        {
            Items = elements as List<object?>;
            if (Items is null || Items.Count != count || _shape.Length > 1)
            {
                throw bad($"an array of objects of shape {ShapeMath.Text(_shape)} with {Items?.Count ?? 0} elements; those of at most one dimension are read");
            }
            return;
        }
        int width = type.Element(bad).Size();
        _data = PickleNames.Bytes(elements) ?? throw bad($"the data of a numpy array is {PickleNames.Kind(elements)}, expected bytes");
        if (count > _data.Length || count * width != _data.Length)
        {
            throw bad($"a numpy array {ShapeMath.Text(_shape)} of {type.Descr} has {_data.Length} bytes, expected {(UInt128)count * (UInt128)width}");
        }
    }

    /// <summary>The array of numbers, little-endian and in C order: a slice of the file where it is stored so.</summary>
    public NpyArray ToArray(PickleBudget budget, Func<string, Exception> bad)
    {
        if (_type is null)
        {
            throw bad("a numpy array was never filled");
        }
        ElementType type = _type.Element(bad);
        budget.Charge(_data.Length, bad);
        ReadOnlyMemory<byte> plain = _data;
        if (_type.BigEndian)
        {
            byte[] swapped = _data.ToArray();
            ElementData.SwapBytes(type, swapped);
            plain = swapped;
        }
        return new(type, _shape, _fortran && _shape.Length > 1 ? NpyFile.Transpose(plain.Span, _shape, type.Size()) : plain);
    }
}
