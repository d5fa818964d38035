// Writes small TensorFlow V2 bundles for tests: any number of blocks and shards, snappy or not, either byte order, sliced variables.
//
// Blocks pass through a hook before their checksum is formed, so that fuzzing can damage what the checksum protects.

using System.Buffers.Binary;
using Google.Protobuf;
using Mirror.Formats;
using static Mirror.Tests.Formats.Proto;

namespace Mirror.Tests.Formats;

/// <summary>A tensor for <see cref="BundleBuilder"/>; Type is TensorFlow's number, Slices makes it a partitioned variable's head.</summary>
internal sealed record BundleTensor(byte[] Key, int Type, long[] Shape, byte[] Data, int Shard = 0, List<SliceExtent[]>? Slices = null);

internal sealed class BundleBuilder
{
    private readonly List<BundleTensor> _tensors = [];

    public int Shards { get; init; } = 1;

    public bool BigEndian { get; init; }

    public int MinConsumer { get; init; }

    public bool Snappy { get; init; }

    public int EntriesPerBlock { get; init; } = 1000;

    /// <summary>Replaces an entry's stored value: to write what no honest writer would.</summary>
    public Func<byte[], byte[]> EntryHook { get; init; } = value => value;

    /// <summary>Replaces a block's bytes before compression and checksum.</summary>
    public Func<byte[], byte[]> BlockHook { get; init; } = block => block;

    public BundleBuilder Add(string name, int type, long[] shape, byte[] data, int shard = 0)
    {
        _tensors.Add(new(System.Text.Encoding.UTF8.GetBytes(name), type, shape, data, shard));
        return this;
    }

    public BundleBuilder AddSliced(string name, int type, long[] shape, params (SliceExtent[] Slice, long[] Shape, byte[] Data)[] parts)
    {
        _tensors.Add(new(System.Text.Encoding.UTF8.GetBytes(name), type, shape, [], 0, [.. parts.Select(part => part.Slice)]));
        _tensors.AddRange(parts.Select(part => new BundleTensor(OrderedCode.SliceKey(name, part.Slice), type, part.Shape, part.Data)));
        return this;
    }

    /// <summary>Writes PREFIX.index and the data shards.</summary>
    public void Write(string prefix)
    {
        MemoryStream[] shards = [.. Enumerable.Range(0, Shards).Select(_ => new MemoryStream())];
        List<(byte[] Key, byte[] Value)> entries = [([], Message(output =>
        {
            Number(output, 1, Shards);
            Number(output, 2, BigEndian ? 1 : 0);
            Nested(output, 3, Message(version =>
            {
                Number(version, 1, 1);
                Number(version, 2, MinConsumer);
            }));
        }))];
        foreach (BundleTensor tensor in _tensors.Order(Comparer<BundleTensor>.Create((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key))))
        {
            entries.Add((tensor.Key, EntryHook(Entry(tensor, shards[tensor.Shard].Length))));
            shards[tensor.Shard].Write(tensor.Data);
        }
        File.WriteAllBytes(prefix + ".index", Table(entries));
        for (int i = 0; i < Shards; i++)
        {
            File.WriteAllBytes($"{prefix}.data-{i:D5}-of-{Shards:D5}", shards[i].ToArray());
        }
    }

    private static byte[] Entry(BundleTensor tensor, long offset) => Message(output =>
    {
        Number(output, 1, tensor.Type);
        Nested(output, 2, Message(shape =>
        {
            foreach (long dim in tensor.Shape)
            {
                Nested(shape, 2, Message(size => Number(size, 1, dim)));
            }
        }));
        Number(output, 3, tensor.Shard);
        Number(output, 4, tensor.Slices is null ? offset : 0);
        Number(output, 5, tensor.Data.Length);
        output.WriteTag(6, WireFormat.WireType.Fixed32);
        output.WriteFixed32(Crc32C.Mask(Crc32C.Compute(tensor.Data)));
        foreach (SliceExtent[] slice in tensor.Slices ?? [])
        {
            Nested(output, 7, Message(message =>
            {
                foreach (SliceExtent extent in slice)
                {
                    Nested(message, 1, Message(pair =>
                    {
                        Number(pair, 1, extent.Start);
                        Number(pair, 2, extent.Length == SliceExtent.Whole ? 0 : extent.Length);
                    }));
                }
            }));
        }
    });

    /// <summary>A whole table; V1 checkpoints are one.</summary>
    public byte[] Table(List<(byte[] Key, byte[] Value)> entries)
    {
        MemoryStream file = new();
        List<(byte[] Key, byte[] Value)> index = [];
        foreach ((byte[] Key, byte[] Value)[] chunk in entries.Chunk(EntriesPerBlock))
        {
            index.Add((chunk[^1].Key, Handle(Store(file, Block(chunk, 16)))));
        }
        byte[] meta = Handle(Store(file, Block([], 16)));
        byte[] top = Handle(Store(file, Block(index, 1)));
        byte[] footer = new byte[48];
        meta.CopyTo(footer, 0);
        top.CopyTo(footer, meta.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(footer.AsSpan(40), 0xDB4775248B80FB57);
        file.Write(footer);
        return file.ToArray();
    }

    private (long Offset, long Size) Store(MemoryStream file, byte[] plain)
    {
        byte[] block = BlockHook(plain);
        byte[] stored = [.. Snappy ? Snappier.Snappy.CompressToArray(block) : block, (byte)(Snappy ? 1 : 0)];
        long offset = file.Length;
        file.Write(stored);
        Span<byte> crc = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(crc, Crc32C.Mask(Crc32C.Compute(stored)));
        file.Write(crc);
        return (offset, stored.Length - 1);
    }

    private static byte[] Block(IReadOnlyList<(byte[] Key, byte[] Value)> entries, int interval)
    {
        List<uint> restarts = [0];
        byte[] body = Message(output =>
        {
            byte[] previous = [];
            for (int i = 0; i < entries.Count; i++)
            {
                int shared = i % interval == 0 ? 0 : entries[i].Key.AsSpan().CommonPrefixLength(previous);
                if (i > 0 && i % interval == 0)
                {
                    restarts.Add((uint)output.Position);
                }
                output.WriteUInt32((uint)shared);
                output.WriteUInt32((uint)(entries[i].Key.Length - shared));
                output.WriteUInt32((uint)entries[i].Value.Length);
                output.WriteRawTag(entries[i].Key.AsSpan(shared));
                output.WriteRawTag(entries[i].Value);
                previous = entries[i].Key;
            }
        });
        MemoryStream block = new();
        block.Write(body);
        foreach (uint restart in (uint[])[.. restarts, (uint)restarts.Count])
        {
            block.Write(BitConverter.GetBytes(restart));
        }
        return block.ToArray();
    }

    private static byte[] Handle((long Offset, long Size) at) => Message(output =>
    {
        output.WriteInt64(at.Offset);
        output.WriteInt64(at.Size);
    });
}

internal static class RawBytes
{
    // CodedOutputStream has no public call for raw spans: one byte at a time through WriteRawTag.
    public static void WriteRawTag(this CodedOutputStream output, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            output.WriteRawTag(value);
        }
    }
}
