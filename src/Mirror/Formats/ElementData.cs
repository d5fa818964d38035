// Raw little-endian tensor bytes, turned around and converted. The one place that knows how a stored element becomes a number.

using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Mirror.Formats;

/// <summary>Conversions of dense arrays of stored elements.</summary>
internal static class ElementData
{
    /// <summary>Reverses the bytes of every element (of every half of a complex number) in place: big-endian to little-endian or back.</summary>
    public static void SwapBytes(ElementType type, Span<byte> data)
    {
        int unit = type.SwapUnit();
        for (int at = 0; unit > 1 && at < data.Length; at += unit)
        {
            data.Slice(at, unit).Reverse();
        }
    }

    /// <summary>Element <paramref name="index"/> as a double: exact for every type but 64-bit integers above 2^53.</summary>
    /// <exception cref="InvalidDataException">Complex numbers and <see cref="ElementType.Other"/> are no single real number.</exception>
    public static double ToDouble(ElementType type, ReadOnlySpan<byte> data, int index)
    {
        ReadOnlySpan<byte> at = data[(index * type.Size())..];
        return type switch
        {
            ElementType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(at),
            ElementType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(at),
            ElementType.Float16 => (double)BinaryPrimitives.ReadHalfLittleEndian(at),
            ElementType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(at) << 16),
            ElementType.Int8 => (sbyte)at[0],
            ElementType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(at),
            ElementType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(at),
            ElementType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(at),
            ElementType.UInt8 or ElementType.Bool => at[0],
            ElementType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(at),
            ElementType.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(at),
            ElementType.UInt64 => BinaryPrimitives.ReadUInt64LittleEndian(at),
            _ => throw new InvalidDataException($"elements of type {type} are no real numbers"),
        };
    }

    /// <summary>All elements as float32: a plain copy of float32, else rounded to the nearest.</summary>
    /// <exception cref="InvalidDataException">As <see cref="ToDouble"/>.</exception>
    public static float[] ToFloat32(ElementType type, ReadOnlySpan<byte> data)
    {
        float[] values = new float[Count(type, data)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = type == ElementType.Float32 ? BinaryPrimitives.ReadSingleLittleEndian(data[(i * sizeof(float))..]) : (float)ToDouble(type, data, i);
        }
        return values;
    }

    /// <summary>All elements as float64.</summary>
    /// <exception cref="InvalidDataException">As <see cref="ToDouble"/>.</exception>
    public static double[] ToFloat64(ElementType type, ReadOnlySpan<byte> data)
    {
        double[] values = new double[Count(type, data)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = ToDouble(type, data, i);
        }
        return values;
    }

    /// <summary>The bytes of float32 values as files store them.</summary>
    public static byte[] FromFloat32(ReadOnlySpan<float> values)
    {
        byte[] bytes = MemoryMarshal.AsBytes(values).ToArray();
        if (!BitConverter.IsLittleEndian)
        {
            SwapBytes(ElementType.Float32, bytes);
        }
        return bytes;
    }

    private static int Count(ElementType type, ReadOnlySpan<byte> data) =>
        type.Size() > 0 ? data.Length / type.Size() : throw new InvalidDataException($"elements of type {type} cannot be read");
}
