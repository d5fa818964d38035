// The checksum of a TensorFlow string tensor: n varint lengths, the masked checksum of the lengths, then all the bytes.
//
// The lengths enter the checksum as integers, not as stored, so it cannot be formed without parsing them. Strings themselves are
// of no use to Mirror (TensorFlow 2 keeps its object graph in one).

using System.Buffers.Binary;

namespace Mirror.Formats;

/// <summary>Checksums of string tensors.</summary>
internal static class StringTensor
{
    private const int MaxLength = 64 << 20;

    public delegate void RangeReader(BundleEntry entry, long skip, Span<byte> into);

    /// <summary>The unmasked checksum of the whole tensor; the inner checksum of the lengths is verified on the way.</summary>
    /// <exception cref="InvalidDataException">The lengths do not fit the stored size, or their own checksum is wrong.</exception>
    public static uint Checksum(string path, string name, BundleEntry entry, RangeReader read)
    {
        if (entry.Size > MaxLength)
        {
            throw new InvalidDataException($"{path}: string tensor \"{name}\" has {entry.Size} bytes; at most {MaxLength} are verified");
        }
        byte[] data = new byte[entry.Size];
        read(entry, 0, data);
        ReadOnlySpan<byte> rest = data;
        uint state = Crc32C.Start;
        ulong total = 0;
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        ShapeMath.TryCount(entry.Shape, out long count);
        for (long i = 0; i < count; i++)
        {
            if (!Varint.TryRead(ref rest, out ulong length) || length > MaxLength)
            {
                throw new InvalidDataException($"{path}: string tensor \"{name}\": length {i} of {count} is cut off or above {MaxLength}");
            }
            // Lengths above 2^32 - 1 would enter with 8 bytes; the limit above excludes them.
            total += length;
            BinaryPrimitives.WriteUInt64LittleEndian(number, length);
            state = Crc32C.Append(state, number[..sizeof(uint)]);
        }
        if (rest.Length < sizeof(uint) || (ulong)(rest.Length - sizeof(uint)) != total)
        {
            throw new InvalidDataException($"{path}: string tensor \"{name}\": {rest.Length} bytes follow the lengths, expected 4 + {total}");
        }
        uint expected = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        uint actual = Crc32C.Mask(Crc32C.Finish(state));
        if (actual != expected)
        {
            throw new InvalidDataException($"{path}: string tensor \"{name}\": checksum of the lengths is {actual:x8}, the file says {expected:x8}");
        }
        return Crc32C.Finish(Crc32C.Append(state, rest));
    }
}
