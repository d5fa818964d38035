// Reads a TensorFlow V1 checkpoint: one LevelDB table whose first entry lists the tensors and whose others hold their slices.
//
// A tensor that was never partitioned is one slice over everything. Keys, slices and assembly are those of partitioned variables in
// V2 (SlicedTensor); only the values differ: each is a TensorProto in place of a range of a data file.

using System.Text;
using Google.Protobuf;

namespace Mirror.Formats;

/// <summary>Reader of V1 checkpoints.</summary>
internal static class V1Checkpoint
{
    /// <summary>Opens a checkpoint: reads the file, verifies the checksums of all its blocks, and checks its list of tensors.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or no V1 checkpoint.</exception>
    public static SingleFileSource Open(string path)
    {
        List<KeyValuePair<byte[], ReadOnlyMemory<byte>>> table = SsTable.Read(path, Array.MaxLength);
        if (table.Count == 0 || table[0].Key.Length != 0)
        {
            throw new InvalidDataException($"{path}: the table has no list of tensors (empty key)");
        }
        Dictionary<string, ReadOnlyMemory<byte>> values = table.Skip(1).ToDictionary(pair => Encoding.Latin1.GetString(pair.Key), pair => pair.Value, StringComparer.Ordinal);
        List<SourceTensor> tensors = Guarded(path, "list of tensors", () =>
            Messages(table[0].Value, 1).SelectMany(meta => Messages(meta, 1)).Select(tensor => Tensor(path, tensor, values)).ToList());
        return tensors.Count > 0
            ? new("TensorFlow V1 checkpoint", path, tensors, [], "every checksum is good")
            : throw new InvalidDataException($"{path}: its list of tensors is empty: it is no TensorFlow V1 checkpoint (of a V2 checkpoint name the prefix)");
    }

    // SavedSliceMeta { name = 1; shape = 2; type = 3; repeated slice = 4 }.
    private static SourceTensor Tensor(string path, ReadOnlyMemory<byte> message, Dictionary<string, ReadOnlyMemory<byte>> values)
    {
        string name = "";
        long[] shape = [];
        int dataType = 0;
        List<SliceExtent[]> slices = [];
        ProtoReader reader = new(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    name = reader.Text();
                    break;
                case 2:
                    shape = BundleEntry.ParseShape(ByteString.CopyFrom(reader.Bytes().Span));
                    break;
                case 3:
                    dataType = (int)Math.Min(reader.Varint(), int.MaxValue);
                    break;
                case 4:
                    slices.Add(BundleEntry.ParseSlice(ByteString.CopyFrom(reader.Bytes().Span)));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        (ElementType type, string typeName) = ElementTypes.FromTensorFlow(dataType);
        if (name.Length == 0 || !ShapeMath.TryCount(shape, out long count) || count > Array.MaxLength / Math.Max(1, type.Size()))
        {
            throw new InvalidDataException($"tensor \"{name}\" {ShapeMath.Text(shape)} has no name or more bytes than can be read ({Array.MaxLength})");
        }
        TensorEntry entry = new(name, type, typeName, shape, count, count * type.Size());
        BundleEntry whole = new(dataType, shape, 0, 0, 0, 0, slices);
        return new(entry, () => Read(path, entry, whole, values));
    }

    private static byte[] Read(string path, TensorEntry tensor, BundleEntry whole, Dictionary<string, ReadOnlyMemory<byte>> values)
    {
        // The stored slices in the form of a V2 index: an entry's offset is its place in parts.
        Dictionary<string, BundleEntry> stored = new(StringComparer.Ordinal);
        List<TensorProto> parts = [];
        long storedBytes = 0;
        foreach (SliceExtent[] slice in whole.Slices)
        {
            string key = Encoding.Latin1.GetString(OrderedCode.SliceKey(tensor.Name, slice));
            if (values.TryGetValue(key, out ReadOnlyMemory<byte> value) && slice.Length == tensor.Shape.Count)
            {
                long[] shape = [.. slice.Select((extent, i) => extent.Length == SliceExtent.Whole ? tensor.Shape[i] : extent.Length)];
                TensorProto part = Guarded(path, $"tensor \"{tensor.Name}\"", () => Part(value, tensor.Type, shape));
                long size = ShapeMath.TryCount(shape, out long count) ? count * tensor.Type.Size() : 0;
                stored[key] = new(whole.Type, shape, 0, parts.Count, size, 0, []);
                parts.Add(part);
                storedBytes += size;
            }
        }
        return SlicedTensor.Assemble(path, tensor, whole, stored, storedBytes, entry =>
            Guarded(path, $"tensor \"{tensor.Name}\"", () => parts[(int)entry.Offset].Read(tensor.Type, entry.Size / tensor.Type.Size())));
    }

    // SavedTensorSlices { data = 2 { data = 3 TensorProto } }; every element must be there.
    private static TensorProto Part(ReadOnlyMemory<byte> value, ElementType type, long[] shape)
    {
        ReadOnlyMemory<byte>[] found = [.. Messages(value, 2).SelectMany(data => Messages(data, 3))];
        if (found.Length != 1 || !ShapeMath.TryCount(shape, out long count) || count > Array.MaxLength / type.Size())
        {
            throw new InvalidDataException($"a slice of shape {ShapeMath.Text(shape)} has {found.Length} values, or is too large");
        }
        TensorProto part = TensorProto.Parse(found[0]);
        long absent = part.RepeatedBytes(type, count);
        return absent == 0 ? part : throw new InvalidDataException($"a slice of shape {ShapeMath.Text(shape)} lacks {absent / type.Size()} of its {count} values");
    }

    // The nested messages of one field number.
    private static List<ReadOnlyMemory<byte>> Messages(ReadOnlyMemory<byte> message, int field)
    {
        List<ReadOnlyMemory<byte>> found = [];
        ProtoReader reader = new(message);
        while (reader.Next())
        {
            if (reader.Field == field)
            {
                found.Add(reader.Bytes());
            }
            else
            {
                reader.Skip();
            }
        }
        return found;
    }

    private static T Guarded<T>(string path, string what, Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
        {
            throw new InvalidDataException($"{path}: {what}: {e.Message}", e);
        }
    }
}
