// Writes TensorFlow V2 checkpoints as a TF 1.x Saver does, byte for byte: one uncompressed shard, tensors in name order.

using System.Text;
using Google.Protobuf;

namespace Mirror.Formats;

/// <summary>What an export to a checkpoint did.</summary>
/// <param name="Tensors">Tensors written.</param>
/// <param name="Parameters">Elements in them.</param>
/// <param name="Files">The index and the data file.</param>
public sealed record BundleReport(int Tensors, long Parameters, IReadOnlyList<string> Files);

/// <summary>Export of safetensors files to TensorFlow V2 checkpoints.</summary>
public static class BundleWriter
{
    // BundleHeaderProto { num_shards = 1; version { producer = 1 } }; little-endian is 0 and omitted.
    private static readonly byte[] Header = [0x08, 0x01, 0x1A, 0x02, 0x08, 0x01];

    /// <summary>Writes PREFIX.index and PREFIX.data-00000-of-00001 with every tensor of a safetensors file, in its stored type.</summary>
    /// <param name="source">The safetensors file.</param>
    /// <param name="prefix">PREFIX, e.g. model.ckpt-400000; its folder is created where absent, existing files are replaced once both are complete.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no valid safetensors file, or a tensor's name is empty or has a NUL in it.</exception>
    /// <exception cref="ArgumentException">The prefix ends in a folder separator, or would replace the source.</exception>
    /// <exception cref="IOException">Reading or writing failed; no index is left without its own data.</exception>
    public static BundleReport Write(string source, string prefix)
    {
        ArgumentException.ThrowIfNullOrEmpty(prefix);
        string index = prefix + ".index", data = CheckpointPaths.Shard(prefix, 0, 1);
        if (Path.GetFileName(prefix).Length == 0 || Array.Exists([index, data], file => Path.GetFullPath(file) == Path.GetFullPath(source)))
        {
            throw new ArgumentException($"{prefix} is no prefix for {source}: name a new one such as FOLDER/model.ckpt", nameof(prefix));
        }
        using SafeTensorsFile file = SafeTensorsFile.Open(source);
        if (file.Tensors.FirstOrDefault(tensor => tensor.Name.Length == 0 || tensor.Name.Contains('\0')) is { } unfit)
        {
            throw new InvalidDataException($"{source}: tensor \"{unfit.Name.Replace("\0", "\\0", StringComparison.Ordinal)}\": a checkpoint keeps its header under the empty name and slices under names with NUL: rename it");
        }
        SsTableBuilder table = new();
        table.Add([], Header);
        AtomicFile.WriteTogether((data, WriteData), (index, stream => stream.Write(table.Finish())));
        return new(file.Tensors.Count, file.Tensors.Sum(tensor => tensor.ElementCount), [index, data]);

        void WriteData(Stream stream)
        {
            long offset = 0;
            // A Saver orders by the bytes of the name, which a table demands.
            foreach ((byte[] name, TensorEntry tensor) in file.Tensors.Select(tensor => (Encoding.UTF8.GetBytes(tensor.Name), tensor)).OrderBy(pair => pair.Item1, ByteOrder))
            {
                byte[] bytes = file.ReadBytes(tensor.Name);
                table.Add(name, Entry(tensor, offset, Crc32C.Mask(Crc32C.Compute(bytes))));
                stream.Write(bytes);
                offset += bytes.Length;
            }
        }
    }

    private static Comparer<byte[]> ByteOrder { get; } = Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b));

    // BundleEntryProto { dtype = 1; shape = 2; offset = 4; size = 5; crc32c = 6 }; numbers that are 0 are omitted, the shape never is.
    private static byte[] Entry(TensorEntry tensor, long offset, uint crc)
    {
        using MemoryStream stream = new();
        using (CodedOutputStream output = new(stream, leaveOpen: true))
        {
            Number(output, 1, tensor.Type.TensorFlowNumber());
            output.WriteTag(2, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(Shape(tensor.Shape));
            Number(output, 4, offset);
            Number(output, 5, tensor.ByteLength);
            if (crc != 0)
            {
                output.WriteTag(6, WireFormat.WireType.Fixed32);
                output.WriteFixed32(crc);
            }
        }
        return stream.ToArray();
    }

    // TensorShapeProto { repeated Dim dim = 2 { size = 1 } }.
    private static ByteString Shape(IReadOnlyList<long> shape)
    {
        using MemoryStream stream = new();
        using (CodedOutputStream output = new(stream, leaveOpen: true))
        {
            foreach (long dim in shape)
            {
                output.WriteTag(2, WireFormat.WireType.LengthDelimited);
                output.WriteLength(dim == 0 ? 0 : 1 + CodedOutputStream.ComputeInt64Size(dim));
                Number(output, 1, dim);
            }
        }
        return ByteString.CopyFrom(stream.ToArray());
    }

    private static void Number(CodedOutputStream output, int field, long value)
    {
        if (value != 0)
        {
            output.WriteTag(field, WireFormat.WireType.Varint);
            output.WriteInt64(value);
        }
    }
}
