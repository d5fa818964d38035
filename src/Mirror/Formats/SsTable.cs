// Reads a LevelDB table (SSTable), the container of a TensorFlow checkpoint's .index file: sorted keys and values in checksummed blocks.
//
// The whole file is taken into memory once (an index has tens of kilobytes for a network, a V1 checkpoint its tensors as well); everything below is bounds-checked
// slicing of it. Memory stays proportional to the file: compressed blocks, shared key prefixes and block handles are all limited
// before anything is allocated. Layout: [block][type byte][masked crc] ... [metaindex] [index] [footer].

using System.Buffers.Binary;
using Snappier;

namespace Mirror.Formats;

/// <summary>A table, read and verified completely.</summary>
internal static class SsTable
{
    private const int FooterLength = 48;
    private const int TrailerLength = 5;
    /// <summary>The last eight bytes of every table.</summary>
    public const ulong Magic = 0xDB4775248B80FB57;
    private const long MaxIndexLength = 64 << 20;
    private const long MaxPlainBytes = 64 << 20;
    private const int MaxEntries = 1 << 20;
    private const int MaxKeyLength = 64 << 10;
    private const long MaxKeyBytes = 64 << 20;

    // Snappy's densest element turns 3 bytes into 64: whatever claims to expand more than this cannot be honest.
    private const int MaxSnappyRatio = 64;

    /// <summary>True where the file ends in the table magic: an .index file, or a V1 checkpoint.</summary>
    public static bool HasMagic(string path)
    {
        using FileStream stream = File.OpenRead(path);
        if (stream.Length < FooterLength)
        {
            return false;
        }
        Span<byte> magic = stackalloc byte[sizeof(ulong)];
        stream.Seek(-sizeof(ulong), SeekOrigin.End);
        stream.ReadExactly(magic);
        return BinaryPrimitives.ReadUInt64LittleEndian(magic) == Magic;
    }

    /// <summary>All entries in ascending key order; values are slices of the file or of its decompressed blocks.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxLength">The longest file taken, in bytes; the default is ample for an index, a V1 checkpoint holds its tensors too.</param>
    /// <exception cref="InvalidDataException">The file is no valid table; the message names the file and what is wrong.</exception>
    public static List<KeyValuePair<byte[], ReadOnlyMemory<byte>>> Read(string path, long maxLength = MaxIndexLength)
    {
        long length = new FileInfo(path).Length;
        if (length < FooterLength || length > maxLength)
        {
            throw Bad(path, $"is {length} bytes long; a table has {FooterLength} to {maxLength}");
        }
        byte[] file = File.ReadAllBytes(path);
        ReadOnlySpan<byte> footer = file.AsSpan(file.Length - FooterLength);
        ulong magic = BinaryPrimitives.ReadUInt64LittleEndian(footer[40..]);
        if (magic != Magic)
        {
            throw Bad(path, $"ends in {magic:x16}, not in the table magic {Magic:x16}: it is truncated or no TensorFlow V2 index");
        }
        ReadOnlySpan<byte> handles = footer[..40];
        (ulong Offset, ulong Size) meta = ReadHandle(path, "footer", ref handles);
        (ulong Offset, ulong Size) index = ReadHandle(path, "footer", ref handles);
        List<KeyValuePair<byte[], ReadOnlyMemory<byte>>> entries = [];
        Parser parser = new(path, entries);
        long budget = MaxPlainBytes;
        ReadBlock(path, file, meta, ref budget);
        List<KeyValuePair<byte[], ReadOnlyMemory<byte>>> blocks = [];
        new Parser(path, blocks).Parse(ReadBlock(path, file, index, ref budget), index.Offset);
        ulong end = 0;
        foreach ((byte[] separator, ReadOnlyMemory<byte> value) in blocks)
        {
            ReadOnlySpan<byte> rest = value.Span;
            (ulong Offset, ulong Size) handle = ReadHandle(path, "index block", ref rest);
            if (!rest.IsEmpty || handle.Offset < end)
            {
                throw Bad(path, $"index block: handle of block at {handle.Offset} overlaps the block before it or has {rest.Length} extra bytes");
            }
            parser.Parse(ReadBlock(path, file, handle, ref budget), handle.Offset);
            end = handle.Offset + handle.Size;
            if (entries.Count > 0 && entries[^1].Key.AsSpan().SequenceCompareTo(separator) > 0)
            {
                throw Bad(path, $"block at {handle.Offset}: its last key is greater than its separator in the index block");
            }
        }
        return entries;
    }

    private static ReadOnlyMemory<byte> ReadBlock(string path, byte[] file, (ulong Offset, ulong Size) handle, ref long budget)
    {
        // Offset and size come from a varint64: compare without adding, so that nothing wraps.
        ulong room = (ulong)(file.Length - FooterLength);
        if (handle.Offset > room || handle.Size > room - handle.Offset || room - handle.Offset - handle.Size < TrailerLength)
        {
            throw Bad(path, $"block at {handle.Offset} of {handle.Size} bytes lies outside the file's {room} bytes before the footer");
        }
        ReadOnlyMemory<byte> stored = file.AsMemory((int)handle.Offset, (int)handle.Size + TrailerLength);
        ReadOnlySpan<byte> covered = stored.Span[..^4];
        uint expected = BinaryPrimitives.ReadUInt32LittleEndian(stored.Span[^4..]);
        uint actual = Crc32C.Mask(Crc32C.Compute(covered));
        if (actual != expected)
        {
            throw Bad(path, $"block at {handle.Offset}: checksum is {actual:x8}, the file says {expected:x8}: the file is damaged, copy it again");
        }
        ReadOnlyMemory<byte> body = stored[..^TrailerLength];
        return covered[^1] switch
        {
            0 => body,
            1 => Decompress(path, body.Span, handle.Offset, ref budget),
            byte other => throw Bad(path, $"block at {handle.Offset}: compression type {other}; known are 0 (none) and 1 (snappy)"),
        };
    }

    private static byte[] Decompress(string path, ReadOnlySpan<byte> body, ulong offset, ref long budget)
    {
        ReadOnlySpan<byte> rest = body;
        if (!Varint.TryRead(ref rest, out ulong length) || length > (ulong)budget || length > (ulong)body.Length * MaxSnappyRatio)
        {
            throw Bad(path, $"block at {offset}: {body.Length} snappy bytes declare {length} bytes; possible are {(long)body.Length * MaxSnappyRatio}, in all blocks together {MaxPlainBytes}");
        }
        budget -= (long)length;
        byte[] plain = new byte[length];
        try
        {
            int written = Snappy.Decompress(body, plain);
            return written == plain.Length ? plain : throw Bad(path, $"block at {offset}: snappy gave {written} bytes, declared {length}");
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            throw new InvalidDataException($"{path}: block at {offset}: not valid snappy data ({e.Message})", e);
        }
    }

    private static (ulong Offset, ulong Size) ReadHandle(string path, string where, ref ReadOnlySpan<byte> span) =>
        Varint.TryRead(ref span, out ulong offset) && Varint.TryRead(ref span, out ulong size)
            ? (offset, size)
            : throw Bad(path, $"{where}: a block handle is cut off");

    private static InvalidDataException Bad(string path, string what) => new($"{path}: {what}");

    // Appends the entries of one block after another, holding the keys to one ascending order over all of them.
    private sealed class Parser(string path, List<KeyValuePair<byte[], ReadOnlyMemory<byte>>> entries)
    {
        private byte[]? _last;
        private long _keyBytes;

        public void Parse(ReadOnlyMemory<byte> block, ulong offset)
        {
            ReadOnlySpan<byte> all = block.Span;
            uint restarts = all.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(all[^4..]) : 0;
            if (restarts == 0 || restarts > (all.Length / 4) - 1)
            {
                throw Bad(path, $"block at {offset}: {restarts} restart points do not fit its {all.Length} bytes");
            }
            int end = all.Length - 4 - ((int)restarts * 4);
            ReadOnlySpan<byte> table = all[end..^4];
            int next = 0;
            ReadOnlySpan<byte> rest = all[..end];
            byte[] previous = [];
            while (!rest.IsEmpty)
            {
                int position = end - rest.Length;
                if (!Varint.TryRead(ref rest, out ulong shared) || !Varint.TryRead(ref rest, out ulong own) || !Varint.TryRead(ref rest, out ulong size) ||
                    own > (ulong)rest.Length || size > (ulong)rest.Length - own || shared > (ulong)previous.Length)
                {
                    throw Bad(path, $"block at {offset}: entry at {position} does not fit the block");
                }
                bool restart = next < restarts && BinaryPrimitives.ReadUInt32LittleEndian(table[(next * 4)..]) == position;
                if (restart ? shared != 0 : position == 0)
                {
                    throw Bad(path, $"block at {offset}: entry at {position} does not agree with the restart points");
                }
                next += restart ? 1 : 0;
                _keyBytes += (long)(shared + own);
                if (shared + own > MaxKeyLength || _keyBytes > MaxKeyBytes || entries.Count >= MaxEntries)
                {
                    throw Bad(path, $"block at {offset}: keys are too long or too many ({shared + own} bytes in one, {_keyBytes} in {entries.Count + 1}; limits {MaxKeyLength}, {MaxKeyBytes} and {MaxEntries})");
                }
                byte[] key = [.. previous.AsSpan(0, (int)shared), .. rest[..(int)own]];
                if (_last is not null && key.AsSpan().SequenceCompareTo(_last) <= 0)
                {
                    throw Bad(path, $"block at {offset}: the key at {position} is not greater than the key before it");
                }
                entries.Add(new(key, block.Slice(end - rest.Length + (int)own, (int)size)));
                rest = rest[(int)(own + size)..];
                previous = _last = key;
            }
            // An empty block has the one restart point 0.
            if (next != restarts && !(end == 0 && restarts == 1))
            {
                throw Bad(path, $"block at {offset}: restart point {next} of {restarts} is at no entry");
            }
        }
    }
}

/// <summary>Base-128 numbers, least significant group first, at most 64 bits.</summary>
internal static class Varint
{
    /// <summary>Appends one number.</summary>
    public static void Write(List<byte> bytes, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }
        bytes.Add((byte)value);
    }

    /// <summary>Takes one number off the front; false where it is cut off or has more than 64 bits.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> span, out ulong value)
    {
        value = 0;
        for (int i = 0; i < span.Length && i < 10; i++)
        {
            ulong bits = span[i] & 0x7Fu;
            if (i == 9 && bits > 1)
            {
                return false;
            }
            value |= bits << (7 * i);
            if (span[i] < 0x80)
            {
                span = span[(i + 1)..];
                return true;
            }
        }
        return false;
    }
}
