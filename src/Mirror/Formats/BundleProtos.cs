// The protocol-buffer messages of a TensorFlow V2 .index file, parsed field by field with Google.Protobuf's coded stream.
//
// Only what reading needs is kept; unknown fields are skipped as the format demands. Numbers are checked here for being
// possible at all (ranks, signs), and by TensorFlowCheckpoint for fitting the files.

using System.Text;
using Google.Protobuf;

namespace Mirror.Formats;

/// <summary>BundleHeaderProto: what the key "" holds.</summary>
internal sealed record BundleHeader(int Shards, bool BigEndian, int MinConsumer)
{
    public static BundleHeader Parse(ReadOnlySpan<byte> value)
    {
        int shards = 0, endianness = 0, minConsumer = 0;
        CodedInputStream input = new(value.ToArray());
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case 0x08:
                    shards = input.ReadInt32();
                    break;
                case 0x10:
                    endianness = input.ReadInt32();
                    break;
                case 0x1A:
                    minConsumer = ParseVersion(input.ReadBytes());
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
        return endianness is 0 or 1
            ? new(shards, endianness == 1, minConsumer)
            : throw new InvalidDataException($"endianness is {endianness}, expected 0 (little) or 1 (big)");
    }

    private static int ParseVersion(ByteString message)
    {
        int minConsumer = 0;
        CodedInputStream input = message.CreateCodedInput();
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (tag == 0x10)
            {
                minConsumer = input.ReadInt32();
            }
            else
            {
                input.SkipLastField();
            }
        }
        return minConsumer;
    }
}

/// <summary>BundleEntryProto: what a tensor's key holds. Slices is empty for a tensor stored in one piece.</summary>
internal sealed record BundleEntry(int Type, long[] Shape, int Shard, long Offset, long Size, uint MaskedCrc, List<SliceExtent[]> Slices)
{
    public static BundleEntry Parse(ReadOnlySpan<byte> value)
    {
        int type = 0, shard = 0;
        long offset = 0, size = 0;
        uint crc = 0;
        long[] shape = [];
        List<SliceExtent[]> slices = [];
        CodedInputStream input = new(value.ToArray());
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case 0x08:
                    type = input.ReadInt32();
                    break;
                case 0x12:
                    shape = ParseShape(input.ReadBytes());
                    break;
                case 0x18:
                    shard = input.ReadInt32();
                    break;
                case 0x20:
                    offset = input.ReadInt64();
                    break;
                case 0x28:
                    size = input.ReadInt64();
                    break;
                case 0x35:
                    crc = input.ReadFixed32();
                    break;
                case 0x3A:
                    slices.Add(ParseSlice(input.ReadBytes()));
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
        return new(type, shape, shard, offset, size, crc, slices);
    }

    /// <summary>TensorShapeProto: dimensions, each at least 0.</summary>
    public static long[] ParseShape(ByteString message)
    {
        List<long> dims = [];
        CodedInputStream input = message.CreateCodedInput();
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case 0x12:
                    dims.Add(ParsePair(input.ReadBytes(), 0).First);
                    break;
                case 0x18:
                    if (input.ReadBool())
                    {
                        throw new InvalidDataException("the shape has an unknown rank");
                    }
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
        if (dims.Count > ShapeMath.MaxRank || dims.Exists(dim => dim < 0))
        {
            throw new InvalidDataException($"shape of rank {dims.Count} is not possible (at most {ShapeMath.MaxRank} dimensions, each at least 0)");
        }
        return [.. dims];
    }

    /// <summary>TensorSliceProto.</summary>
    public static SliceExtent[] ParseSlice(ByteString message)
    {
        List<SliceExtent> extents = [];
        CodedInputStream input = message.CreateCodedInput();
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (tag == 0x0A)
            {
                (long start, long length) = ParsePair(input.ReadBytes(), SliceExtent.Whole);
                extents.Add(new(start, length));
            }
            else
            {
                input.SkipLastField();
            }
        }
        return extents.Count <= ShapeMath.MaxRank ? [.. extents] : throw new InvalidDataException($"a slice has {extents.Count} dimensions");
    }

    // TensorShapeProto.Dim { size = 1; name = 2 (a string, skipped) } and TensorSliceProto.Extent { start = 1; length = 2 }.
    private static (long First, long Second) ParsePair(ByteString message, long second)
    {
        long first = 0;
        CodedInputStream input = message.CreateCodedInput();
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case 0x08:
                    first = input.ReadInt64();
                    break;
                case 0x10:
                    second = input.ReadInt64();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
        return (first, second);
    }
}

/// <summary>One dimension of a slice; Length is <see cref="Whole"/> where the slice takes the whole dimension.</summary>
internal readonly record struct SliceExtent(long Start, long Length)
{
    public const long Whole = -1;
}

/// <summary>The key under which a slice of a partitioned variable is stored, in TensorFlow's order-preserving encoding.</summary>
internal static class OrderedCode
{
    /// <summary>0, name, rank, then start and length of every dimension.</summary>
    public static byte[] SliceKey(string name, ReadOnlySpan<SliceExtent> slice)
    {
        List<byte> key = [];
        WriteUnsigned(key, 0);
        WriteString(key, Encoding.UTF8.GetBytes(name));
        WriteUnsigned(key, (ulong)slice.Length);
        foreach (SliceExtent extent in slice)
        {
            WriteSigned(key, extent.Start);
            WriteSigned(key, extent.Length);
        }
        return [.. key];
    }

    /// <summary>Count of significant bytes, then those bytes, most significant first.</summary>
    public static void WriteUnsigned(List<byte> key, ulong value)
    {
        int bytes = (64 - System.Numerics.BitOperations.LeadingZeroCount(value) + 7) / 8;
        key.Add((byte)bytes);
        for (int i = bytes - 1; i >= 0; i--)
        {
            key.Add((byte)(value >> (8 * i)));
        }
    }

    /// <summary>The bytes with 00 and FF escaped, then the terminator 00 01.</summary>
    public static void WriteString(List<byte> key, ReadOnlySpan<byte> text)
    {
        foreach (byte value in text)
        {
            key.Add(value);
            if (value is 0x00 or 0xFF)
            {
                key.Add((byte)~value);
            }
        }
        key.Add(0x00);
        key.Add(0x01);
    }

    /// <summary>
    /// n bytes hold 7n - 1 bits below the sign: n leading ones of the sign's kind, one separator, then the value; negative
    /// numbers are the complement of their positive twin, so that byte order is number order.
    /// </summary>
    public static void WriteSigned(List<byte> key, long value)
    {
        UInt128 magnitude = (ulong)(value < 0 ? ~value : value);
        int bytes = 1;
        while (bytes < 10 && magnitude >> ((7 * bytes) - 1) != 0)
        {
            bytes++;
        }
        // The header is n one bits (n = bytes) at the top of the 8 * bytes bits, followed by a zero bit and the magnitude.
        UInt128 code = magnitude | (((UInt128.One << bytes) - 1) << (7 * bytes));
        code = value < 0 ? ~code : code;
        for (int i = bytes - 1; i >= 0; i--)
        {
            key.Add((byte)(code >> (8 * i)));
        }
    }
}
