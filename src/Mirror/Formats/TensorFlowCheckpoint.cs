// Reads a TensorFlow V2 checkpoint ("bundle"): PREFIX.index tells where each tensor lies in PREFIX.data-SSSSS-of-NNNNN.
//
// Opening reads and checks the whole table of contents (checksums, names, shapes, ranges against the real length of the shards)
// but no tensor; each tensor is read when asked for, one at a time, and its checksum is verified. Nothing in the files is trusted.

using System.Text;
using Google.Protobuf;
using Microsoft.Win32.SafeHandles;

namespace Mirror.Formats;

/// <summary>
/// A TensorFlow V2 checkpoint, opened for reading. Instances may be read from several threads at once.
/// </summary>
public sealed class TensorFlowCheckpoint : ITensorSource
{
    private const int MaxShards = 99_999;
    private const int ChunkLength = 1 << 20;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly bool _bigEndian;
    private readonly Dictionary<string, BundleEntry> _entries = new(StringComparer.Ordinal);

    // Slices of partitioned variables by their encoded key, one char a byte: they have no name of their own.
    private readonly Dictionary<string, BundleEntry> _slices = new(StringComparer.Ordinal);
    private readonly Dictionary<int, SafeFileHandle> _shards = [];
    private readonly Dictionary<string, TensorEntry> _tensors = new(StringComparer.Ordinal);

    private TensorFlowCheckpoint(string prefix)
    {
        Prefix = prefix;
        IndexPath = prefix + ".index";
        List<KeyValuePair<byte[], ReadOnlyMemory<byte>>> table = SsTable.Read(IndexPath);
        if (table.Count == 0 || table[0].Key.Length != 0)
        {
            throw new InvalidDataException($"{IndexPath}: the table has no header (empty key)");
        }
        BundleHeader header = Parse("header", table[0].Value, BundleHeader.Parse);
        if (header.Shards is < 1 or > MaxShards)
        {
            throw new InvalidDataException($"{IndexPath}: header: {header.Shards} shards, expected 1 to {MaxShards}");
        }
        if (header.MinConsumer > 1)
        {
            throw new InvalidDataException($"{IndexPath}: written for readers of version {header.MinConsumer} and later; this one is version 1");
        }
        ShardCount = header.Shards;
        _bigEndian = header.BigEndian;
        try
        {
            foreach ((byte[] key, ReadOnlyMemory<byte> value) in table.Skip(1))
            {
                Add(key, value);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        Tensors = [.. _tensors.Values];
    }

    /// <inheritdoc/>
    public string Kind => "TensorFlow V2 checkpoint";

    /// <inheritdoc/>
    string ITensorSource.Path => IndexPath;

    /// <inheritdoc/>
    public string Name => Path.GetFileName(Prefix);

    /// <inheritdoc/>
    public IReadOnlyList<string> Notes => [];

    /// <summary>The path that all files of the checkpoint begin with, as resolved.</summary>
    public string Prefix { get; }

    /// <summary>The file with the table of contents.</summary>
    public string IndexPath { get; }

    /// <summary>Number of data shards, 1 to 99,999.</summary>
    public int ShardCount { get; }

    /// <summary>All tensors in ascending byte order of their names; partitioned variables appear once, whole.</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>The index file and the shards that hold data, in order.</summary>
    public IReadOnlyList<string> Files => [IndexPath, .. _shards.Keys.Order().Select(ShardPath)];

    /// <summary>Opens a checkpoint.</summary>
    /// <param name="path">PREFIX, PREFIX-STEP, any of the checkpoint's files, or a folder with a `checkpoint` state file or a single checkpoint.</param>
    /// <param name="step">The training step, at least 0, where <paramref name="path"/> is a prefix or folder without it; else null.</param>
    /// <exception cref="FileNotFoundException">There is no such checkpoint, or one of its shards is missing; the message names the file.</exception>
    /// <exception cref="InvalidDataException">The files are damaged or no V2 checkpoint; the message names file, tensor and values.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty or <paramref name="step"/> negative.</exception>
    public static TensorFlowCheckpoint Open(string path, long? step = null) => new(CheckpointPaths.Resolve(path, step));

    /// <summary>The tensor of this name; null where there is none.</summary>
    public TensorEntry? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>Reads one tensor's elements, row-major and little-endian, and verifies its checksum.</summary>
    /// <exception cref="KeyNotFoundException">There is no tensor of this name.</exception>
    /// <exception cref="InvalidDataException">The checksum is wrong, the slices do not form the tensor, or the type cannot be read.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public byte[] ReadBytes(string name)
    {
        if (!_tensors.TryGetValue(name, out TensorEntry? tensor))
        {
            throw new KeyNotFoundException($"{IndexPath}: no tensor \"{name}\"");
        }
        if (tensor.Type == ElementType.Other)
        {
            throw new InvalidDataException($"{IndexPath}: tensor \"{name}\" is of type {tensor.TypeName}, which can be listed but not read");
        }
        if (tensor.ByteLength > Array.MaxLength)
        {
            throw new InvalidDataException($"{IndexPath}: tensor \"{name}\" has {tensor.ByteLength} bytes; at most {Array.MaxLength} can be read");
        }
        BundleEntry entry = _entries[name];
        return entry.Slices.Count == 0
            ? ReadEntry(name, entry, tensor.Type)
            : SlicedTensor.Assemble(IndexPath, tensor, entry, _slices, StoredBytes(), slice => ReadEntry(name, slice, tensor.Type));
    }

    /// <summary>Reads everything once and verifies every checksum, those of slices and string tensors included; memory stays small.</summary>
    /// <returns>Names of tensors whose type has a checksum that this reader does not know how to form (resource, variant); normally empty.</returns>
    /// <exception cref="InvalidDataException">A checksum is wrong; the message names file and tensor.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public IReadOnlyList<string> VerifyAll()
    {
        List<string> unknown = [];
        IEnumerable<KeyValuePair<string, BundleEntry>> slices = _slices.Values.Select(entry => KeyValuePair.Create("(a slice)", entry));
        foreach ((string name, BundleEntry entry) in _entries.Concat(slices).Where(pair => pair.Value.Slices.Count == 0))
        {
            (ElementType type, string typeName) = ElementTypes.FromTensorFlow(entry.Type);
            if (type != ElementType.Other)
            {
                Verify(name, entry, Checksum(name, entry));
            }
            else if (typeName == "string")
            {
                Verify(name, entry, StringTensor.Checksum(IndexPath, name, entry, ReadRange));
            }
            else
            {
                unknown.Add(name);
            }
        }
        return unknown;
    }

    /// <inheritdoc/>
    public string Verify()
    {
        IReadOnlyList<string> unknown = VerifyAll();
        return unknown.Count == 0 ? "every checksum is good" : $"every checksum is good, but {string.Join(", ", unknown)} could not be checked";
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        foreach (SafeFileHandle shard in _shards.Values)
        {
            shard.Dispose();
        }
    }

    private void Add(byte[] key, ReadOnlyMemory<byte> value)
    {
        bool isSlice = key[0] == 0;
        string name = isSlice ? Encoding.Latin1.GetString(key) : DecodeName(key);
        BundleEntry entry = Parse(isSlice ? "a slice" : $"tensor \"{name}\"", value, BundleEntry.Parse);
        (ElementType type, string typeName) = ElementTypes.FromTensorFlow(entry.Type);
        int width = type.Size();
        bool partitioned = entry.Slices.Count > 0;
        string what = $"{IndexPath}: " + (isSlice ? $"a slice of shape {ShapeMath.Text(entry.Shape)}" : $"tensor \"{name}\" {ShapeMath.Text(entry.Shape)} {typeName}");
        if (!ShapeMath.TryCount(entry.Shape, out long count) || (width > 0 && count > long.MaxValue / width))
        {
            throw new InvalidDataException($"{what}: more elements than 64 bits can count");
        }
        if (width > 0 && !partitioned && entry.Size != count * width)
        {
            throw new InvalidDataException($"{what}: {entry.Size} bytes stored, expected {count * width}");
        }
        if (entry.Shard < 0 || entry.Shard >= ShardCount)
        {
            throw new InvalidDataException($"{what}: in shard {entry.Shard} of {ShardCount}");
        }
        if (!partitioned)
        {
            long length = RandomAccess.GetLength(OpenShard(entry.Shard));
            if (entry.Offset < 0 || entry.Size < 0 || entry.Offset > length || entry.Size > length - entry.Offset)
            {
                throw new InvalidDataException($"{what}: bytes {entry.Offset} + {entry.Size} lie outside {ShardPath(entry.Shard)}, which has {length}: the file is truncated or of another checkpoint");
            }
        }
        if (isSlice)
        {
            _slices.Add(name, entry);
        }
        else
        {
            _entries.Add(name, entry);
            _tensors.Add(name, new(name, type, typeName, entry.Shape, count, width > 0 ? count * width : entry.Size));
        }
    }

    private string DecodeName(byte[] key)
    {
        try
        {
            return StrictUtf8.GetString(key);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"{IndexPath}: the tensor name {Convert.ToHexString(key)} is not UTF-8", e);
        }
    }

    private delegate T Parser<out T>(ReadOnlySpan<byte> value);

    private T Parse<T>(string what, ReadOnlyMemory<byte> value, Parser<T> parser)
    {
        try
        {
            return parser(value.Span);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
        {
            throw new InvalidDataException($"{IndexPath}: {what}: {e.Message}", e);
        }
    }

    private string ShardPath(int shard) => CheckpointPaths.Shard(Prefix, shard, ShardCount);

    private SafeFileHandle OpenShard(int shard)
    {
        if (!_shards.TryGetValue(shard, out SafeFileHandle? handle))
        {
            string path = ShardPath(shard);
            if (!File.Exists(path))
            {
                throw new FileNotFoundException($"{path}: no such file; {IndexPath} needs it (shard {shard} of {ShardCount})", path);
            }
            _shards.Add(shard, handle = File.OpenHandle(path));
        }
        return handle;
    }

    private long StoredBytes() => _shards.Values.Sum(RandomAccess.GetLength);

    private byte[] ReadEntry(string name, BundleEntry entry, ElementType type)
    {
        byte[] data = new byte[entry.Size];
        ReadRange(entry, 0, data);
        Verify(name, entry, Crc32C.Compute(data));
        if (_bigEndian)
        {
            ElementData.SwapBytes(type, data);
        }
        return data;
    }

    private uint Checksum(string name, BundleEntry entry)
    {
        byte[] chunk = new byte[Math.Min(entry.Size, ChunkLength)];
        uint state = Crc32C.Start;
        for (long done = 0; done < entry.Size; done += chunk.Length)
        {
            Span<byte> part = chunk.AsSpan(0, (int)Math.Min(chunk.Length, entry.Size - done));
            ReadRange(entry, done, part);
            state = Crc32C.Append(state, part);
        }
        return Crc32C.Finish(state);
    }

    private void Verify(string name, BundleEntry entry, uint crc)
    {
        uint actual = Crc32C.Mask(crc);
        if (actual != entry.MaskedCrc)
        {
            throw new InvalidDataException($"{ShardPath(entry.Shard)}: tensor \"{name}\" at {entry.Offset}: checksum is {actual:x8}, the index says {entry.MaskedCrc:x8}: the file is damaged, copy it again");
        }
    }

    // The range was checked against the length when the checkpoint was opened; a file that shrank since then ends early.
    private void ReadRange(BundleEntry entry, long skip, Span<byte> into)
    {
        for (int done = 0; done < into.Length;)
        {
            int read = RandomAccess.Read(_shards[entry.Shard], into[done..], entry.Offset + skip + done);
            done += read > 0 ? read : throw new EndOfStreamException($"{ShardPath(entry.Shard)}: the file became shorter while it was read");
        }
    }
}
