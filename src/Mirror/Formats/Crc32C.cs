// CRC-32C (Castagnoli) as LevelDB tables and TensorFlow bundles use it, computed with the processor's instruction where there is one.
//
// The stored form is masked: a checksum of data that itself contains checksums would otherwise be weak.

using System.Buffers.Binary;
using System.Numerics;

namespace Mirror.Formats;

/// <summary>CRC-32C, plain and masked.</summary>
internal static class Crc32C
{
    /// <summary>State before the first byte: pass to <see cref="Append"/>, close with <see cref="Finish"/>.</summary>
    public const uint Start = 0xFFFFFFFF;

    public static uint Compute(ReadOnlySpan<byte> data) => Finish(Append(Start, data));

    public static uint Append(uint state, ReadOnlySpan<byte> data)
    {
        while (data.Length >= sizeof(ulong))
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[sizeof(ulong)..];
        }
        foreach (byte value in data)
        {
            state = BitOperations.Crc32C(state, value);
        }
        return state;
    }

    public static uint Finish(uint state) => ~state;

    /// <summary>The form in which files store a checksum.</summary>
    public static uint Mask(uint crc) => BitOperations.RotateRight(crc, 15) + 0xA282EAD8;
}
