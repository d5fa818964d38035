// Writes a LevelDB table (SSTable) byte for byte as TensorFlow's builder does: block size, restarts and separators are part of the bytes.

using System.Buffers.Binary;

namespace Mirror.Formats;

/// <summary>Builds a LevelDB table as TensorFlow's table builder does with its default options, uncompressed.</summary>
internal sealed class SsTableBuilder
{
    private const int BlockLength = 262_144;
    private const int RestartInterval = 16;
    private const int FooterLength = 48;

    private readonly List<byte> _file = [];
    private readonly Block _index = new(1);
    private Block _block = new(RestartInterval);
    private byte[] _last = [];
    private byte[]? _pending;

    /// <summary>Adds an entry; keys must come in ascending byte order.</summary>
    public void Add(byte[] key, ReadOnlySpan<byte> value)
    {
        AddPending(Separator(_last, key));
        _block.Add(key, value);
        _last = key;
        if (_block.Length >= BlockLength)
        {
            Flush();
        }
    }

    /// <summary>The whole table.</summary>
    public byte[] Finish()
    {
        Flush();
        byte[] meta = Store(new Block(RestartInterval));
        AddPending(Successor(_last));
        byte[] index = Store(_index);
        byte[] footer = new byte[FooterLength];
        meta.CopyTo(footer, 0);
        index.CopyTo(footer, meta.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(footer.AsSpan(FooterLength - sizeof(ulong)), SsTable.Magic);
        _file.AddRange(footer);
        return _file.ToArray();
    }

    // The handle of a finished block waits for the next key, which decides how short its separator can be.
    private void Flush()
    {
        if (!_block.IsEmpty)
        {
            _pending = Store(_block);
            _block = new(RestartInterval);
        }
    }

    private void AddPending(byte[] separator)
    {
        if (_pending is not null)
        {
            _index.Add(separator, _pending);
            _pending = null;
        }
    }

    // The shortest key >= last and < next.
    private static byte[] Separator(byte[] last, byte[] next)
    {
        int same = last.AsSpan().CommonPrefixLength(next);
        return same < Math.Min(last.Length, next.Length) && last[same] < 0xFF && last[same] + 1 < next[same] ? [.. last.AsSpan(0, same), (byte)(last[same] + 1)] : last;
    }

    // A short key >= last.
    private static byte[] Successor(byte[] last)
    {
        int at = last.AsSpan().IndexOfAnyExcept((byte)0xFF);
        return at < 0 ? last : [.. last.AsSpan(0, at), (byte)(last[at] + 1)];
    }

    // Block, compression type 0, masked checksum of both; the handle is offset and length of the block alone.
    private byte[] Store(Block block)
    {
        byte[] stored = [.. block.Finish(), 0];
        Span<byte> crc = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(crc, Crc32C.Mask(Crc32C.Compute(stored)));
        List<byte> handle = [];
        Varint.Write(handle, (ulong)_file.Count);
        Varint.Write(handle, (ulong)stored.Length - 1);
        _file.AddRange(stored);
        _file.AddRange(crc);
        return [.. handle];
    }

    // Entries whose keys share their beginning with the key before, except every interval-th, whose place is noted.
    private sealed class Block(int interval)
    {
        private readonly List<byte> _bytes = [];
        private readonly List<int> _restarts = [0];
        private byte[] _previous = [];
        private int _sinceRestart;

        public bool IsEmpty => _bytes.Count == 0;

        public int Length => _bytes.Count + ((_restarts.Count + 1) * sizeof(uint));

        public void Add(byte[] key, ReadOnlySpan<byte> value)
        {
            int shared = 0;
            if (_sinceRestart < interval)
            {
                shared = key.AsSpan().CommonPrefixLength(_previous);
            }
            else
            {
                _restarts.Add(_bytes.Count);
                _sinceRestart = 0;
            }
            Varint.Write(_bytes, (ulong)shared);
            Varint.Write(_bytes, (ulong)(key.Length - shared));
            Varint.Write(_bytes, (ulong)value.Length);
            _bytes.AddRange(key.AsSpan(shared));
            _bytes.AddRange(value);
            _previous = key;
            _sinceRestart++;
        }

        public byte[] Finish()
        {
            byte[] numbers = new byte[(_restarts.Count + 1) * sizeof(uint)];
            for (int i = 0; i <= _restarts.Count; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(numbers.AsSpan(i * sizeof(uint)), i < _restarts.Count ? _restarts[i] : _restarts.Count);
            }
            return [.. _bytes, .. numbers];
        }
    }
}
