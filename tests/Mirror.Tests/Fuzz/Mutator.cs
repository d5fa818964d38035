// Damages bytes the way disks, transfers and attackers do: flipped bits, cuts, insertions, and numbers replaced by nasty ones.
//
// Everything follows from a seed, so a failing case is replayed from its number alone.

using System.Buffers.Binary;

namespace Mirror.Tests.Fuzz;

/// <summary>A seeded source of damaged copies.</summary>
internal sealed class Mutator(int seed)
{
    // Values at which sizes, signs and products go wrong.
    private static readonly ulong[] Nasty =
    [
        0, 1, 2, 7, 8, 63, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x3FFFFFFF, 0x40000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF,
        0x100000000, 0x3FFFFFFFFFFFFFFF, 0x4000000000000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFF0, 0xFFFFFFFFFFFFFFFF,
    ];

    private readonly Random _random = new(seed);

    /// <summary>0 &lt;= result &lt; limit; 0 where limit is 0.</summary>
    public int Next(int limit) => limit > 0 ? _random.Next(limit) : 0;

    /// <summary>A copy with one to four damages, the last of which may change its length.</summary>
    public byte[] Mutate(ReadOnlySpan<byte> original)
    {
        byte[] data = original.ToArray();
        for (int count = 1 + Next(Next(4) == 0 ? 4 : 1); count > 0; count--)
        {
            data = Next(12) switch
            {
                0 or 1 or 2 => FlipBit(data),
                3 => SetByte(data),
                4 => data[..Next(data.Length)],
                5 => [.. data, .. RandomBytes(1 + Next(40))],
                6 => Insert(data, RandomBytes(1 + Next(16))),
                7 => Remove(data),
                8 => Insert(data, Piece(data)),
                9 => SetVarint(data),
                10 => SetDigits(data),
                _ => SetNumber(data),
            };
        }
        return data;
    }

    private byte[] FlipBit(byte[] data)
    {
        if (data.Length > 0)
        {
            data[Next(data.Length)] ^= (byte)(1 << Next(8));
        }
        return data;
    }

    private byte[] SetByte(byte[] data)
    {
        if (data.Length > 0)
        {
            data[Next(data.Length)] = (byte)Next(256);
        }
        return data;
    }

    // A fixed-width length field, either byte order.
    private byte[] SetNumber(byte[] data)
    {
        int width = 1 << Next(4);
        if (data.Length >= width)
        {
            Span<byte> number = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(number, NastyNumber());
            number = number[..width];
            if (Next(4) == 0)
            {
                number.Reverse();
            }
            // Length fields lie near the front more often than not.
            number.CopyTo(data.AsSpan(Next(2) == 0 ? Next(Math.Min(64, data.Length - width + 1)) : Next(data.Length - width + 1)));
        }
        return data;
    }

    private byte[] SetVarint(byte[] data)
    {
        List<byte> varint = [];
        ulong value = NastyNumber();
        for (; value >= 0x80; value >>= 7)
        {
            varint.Add((byte)(value | 0x80));
        }
        varint.Add((byte)value);
        int at = Next(data.Length);
        // In place of one byte: what follows moves, as when a writer had meant it.
        return [.. data[..at], .. varint, .. data[Math.Min(at + 1, data.Length)..]];
    }

    // Text headers: another number where a digit stands.
    private byte[] SetDigits(byte[] data)
    {
        int[] digits = [.. Enumerable.Range(0, data.Length).Where(i => data[i] is >= (byte)'0' and <= (byte)'9').Take(4096)];
        if (digits.Length == 0)
        {
            return FlipBit(data);
        }
        int at = digits[Next(digits.Length)];
        string number = Next(3) == 0 ? "-1" : NastyNumber().ToString(System.Globalization.CultureInfo.InvariantCulture);
        return [.. data[..at], .. System.Text.Encoding.ASCII.GetBytes(number), .. data[(at + 1)..]];
    }

    private byte[] Insert(byte[] data, byte[] piece)
    {
        int at = Next(data.Length + 1);
        return [.. data[..at], .. piece, .. data[at..]];
    }

    private byte[] Remove(byte[] data)
    {
        int at = Next(data.Length);
        return [.. data[..at], .. data[Math.Min(data.Length, at + 1 + Next(16))..]];
    }

    private byte[] Piece(byte[] data)
    {
        int at = Next(data.Length);
        return data[at..Math.Min(data.Length, at + 1 + Next(32))];
    }

    private byte[] RandomBytes(int count)
    {
        byte[] bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }

    private ulong NastyNumber() => Next(4) == 0 ? (ulong)_random.NextInt64() : Nasty[Next(Nasty.Length)];
}
