// TensorFlow's TensorProto: a tensor inside a message, as raw bytes or as a list of numbers that may be shorter than the tensor.

using System.Buffers.Binary;
using Google.Protobuf;

namespace Mirror.Formats;

/// <summary>The parts of a TensorProto; values stay slices of the file.</summary>
/// <param name="Type">TensorFlow's DataType; 0 where the message has none.</param>
/// <param name="Shape">Dimensions, each at least 0.</param>
/// <param name="Content">Raw little-endian elements; empty where they are listed.</param>
/// <param name="Values">The listed elements by field number, in pieces.</param>
internal sealed record TensorProto(int Type, long[] Shape, ReadOnlyMemory<byte> Content, List<(int Field, ReadOnlyMemory<byte> Piece)> Values)
{
    private const int FloatField = 5, DoubleField = 6, IntField = 7, StringField = 8, Complex64Field = 9, Int64Field = 10, BoolField = 11;
    private const int Complex128Field = 12, HalfField = 13, UInt32Field = 16, UInt64Field = 17;

    public static TensorProto Parse(ReadOnlyMemory<byte> message)
    {
        int type = 0;
        long[] shape = [];
        ReadOnlyMemory<byte> content = default;
        List<(int Field, ReadOnlyMemory<byte> Piece)> values = [];
        ProtoReader reader = new(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    type = (int)Math.Min(reader.Varint(), int.MaxValue);
                    break;
                case 2:
                    shape = BundleEntry.ParseShape(ByteString.CopyFrom(reader.Bytes().Span));
                    break;
                case 4:
                    content = reader.Bytes();
                    break;
                case FloatField or Complex64Field:
                    values.Add((reader.Field, reader.Packed(sizeof(float))));
                    break;
                case DoubleField or Complex128Field:
                    values.Add((reader.Field, reader.Packed(sizeof(double))));
                    break;
                case IntField or Int64Field or BoolField or HalfField or UInt32Field or UInt64Field:
                    values.Add((reader.Field, reader.Packed(0)));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return new(type, shape, content, values);
    }

    /// <summary>Bytes of elements that have no stored value of their own: those that repeat the last one, or are 0 where there is none.</summary>
    /// <exception cref="InvalidDataException">There are more values than elements, or they are of another type.</exception>
    public long RepeatedBytes(ElementType type, long count)
    {
        int width = type.Size();
        if (Content.Length > 0)
        {
            return Content.Length == count * width && Values.Count == 0 ? 0 : throw new InvalidDataException($"{Content.Length} bytes of content (and {Values.Count} lists of values), expected {count * width}");
        }
        long stored = Stored(type);
        return stored <= count ? (count - stored) * width : throw new InvalidDataException($"{stored} values for {count} elements");
    }

    /// <summary>All elements, row-major and little-endian. <see cref="RepeatedBytes"/> has accepted the counts.</summary>
    /// <exception cref="InvalidDataException">A number does not fit its type.</exception>
    public byte[] Read(ElementType type, long count)
    {
        if (Content.Length > 0)
        {
            return Content.ToArray();
        }
        int width = type.Size();
        byte[] bytes = new byte[count * width];
        int at = 0;
        foreach ((_, ReadOnlyMemory<byte> piece) in Values)
        {
            if (Field(type).Width > 0)
            {
                piece.Span.CopyTo(bytes.AsSpan(at));
                at += piece.Length;
                continue;
            }
            for (ReadOnlySpan<byte> rest = piece.Span; !rest.IsEmpty; at += width)
            {
                Varint.TryRead(ref rest, out ulong value);
                Write(type, value, bytes.AsSpan(at, width));
            }
        }
        // TensorFlow repeats the last value; an empty list means zeros.
        for (int last = at - width; last >= 0 && at < bytes.Length; at += width)
        {
            bytes.AsSpan(last, width).CopyTo(bytes.AsSpan(at));
        }
        return bytes;
    }

    private static void Write(ElementType type, ulong value, Span<byte> into)
    {
        long signed = (long)value;
        bool fits = type switch
        {
            ElementType.Int8 => signed is >= sbyte.MinValue and <= sbyte.MaxValue,
            ElementType.Int16 => signed is >= short.MinValue and <= short.MaxValue,
            ElementType.Int32 => signed is >= int.MinValue and <= int.MaxValue,
            ElementType.UInt8 => value <= byte.MaxValue,
            ElementType.UInt16 or ElementType.Float16 or ElementType.BFloat16 => value <= ushort.MaxValue,
            ElementType.UInt32 => value <= uint.MaxValue,
            ElementType.Bool => value <= 1,
            _ => true,
        };
        if (!fits)
        {
            throw new InvalidDataException($"the value {signed} does not fit {type}");
        }
        Span<byte> whole = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(whole, value);
        whole[..into.Length].CopyTo(into);
    }

    // How many elements the lists hold.
    private long Stored(ElementType type)
    {
        (int field, int width) = Field(type);
        long stored = 0;
        foreach ((int found, ReadOnlyMemory<byte> piece) in Values)
        {
            if (found != field || (width > 0 && piece.Length % width != 0))
            {
                throw new InvalidDataException($"values in field {found} ({piece.Length} bytes), expected field {field} for {type}");
            }
            if (width > 0)
            {
                stored += piece.Length / width;
                continue;
            }
            for (ReadOnlySpan<byte> rest = piece.Span; !rest.IsEmpty; stored++)
            {
                if (!Varint.TryRead(ref rest, out _))
                {
                    throw new InvalidDataException($"a number in field {field} is cut off");
                }
            }
        }
        return stored;
    }

    // The field that lists elements of a type, and the bytes of each there; 0 for varints.
    private static (int Number, int Width) Field(ElementType type) => type switch
    {
        ElementType.Float32 => (FloatField, 4),
        ElementType.Float64 => (DoubleField, 8),
        ElementType.Complex64 => (Complex64Field, 8),
        ElementType.Complex128 => (Complex128Field, 16),
        ElementType.Int64 => (Int64Field, 0),
        ElementType.Bool => (BoolField, 0),
        ElementType.Float16 or ElementType.BFloat16 => (HalfField, 0),
        ElementType.UInt32 => (UInt32Field, 0),
        ElementType.UInt64 => (UInt64Field, 0),
        ElementType.Int8 or ElementType.Int16 or ElementType.Int32 or ElementType.UInt8 or ElementType.UInt16 => (IntField, 0),
        _ => (StringField, 0),
    };
}
