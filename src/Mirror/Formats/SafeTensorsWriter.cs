// Writes a safetensors file whose bytes depend on its contents alone: header keys and data sorted by name, no dates.
//
// Tensors are asked for one at a time, so memory holds one of them; the file appears under its name only when it is complete.

using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mirror.Formats;

/// <summary>One tensor to be written.</summary>
/// <param name="Name">Unique, not empty and not "__metadata__".</param>
/// <param name="Type">A type that safetensors has a name for: all but Complex128 and Other.</param>
/// <param name="Shape">Dimensions, each at least 0; empty for a scalar.</param>
/// <param name="Data">Called once, in name order: the elements, row-major and little-endian, exactly as many bytes as the shape has.</param>
public sealed record SafeTensorsItem(string Name, ElementType Type, IReadOnlyList<long> Shape, Func<ReadOnlyMemory<byte>> Data)
{
    /// <summary>A float32 tensor from values in memory, which must stay unchanged until the file is written.</summary>
    /// <exception cref="ArgumentException">The length of <paramref name="values"/> is not the product of <paramref name="shape"/>.</exception>
    public static SafeTensorsItem FromFloats(string name, IReadOnlyList<long> shape, float[] values)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(values);
        return ShapeMath.TryCount(shape, out long count) && count == values.Length
            ? new(name, ElementType.Float32, shape, () => ElementData.FromFloat32(values))
            : throw new ArgumentException($"tensor \"{name}\": {values.Length} values do not fill shape {ShapeMath.Text(shape)}", nameof(values));
    }
}

/// <summary>Writer of safetensors files.</summary>
public static class SafeTensorsWriter
{
    private const int Alignment = 8;

    /// <summary>Writes all of <paramref name="items"/> to <paramref name="path"/>, replacing an older file only when everything is on the disk.</summary>
    /// <param name="path">The file; its folder is created where absent.</param>
    /// <param name="metadata">Free text pairs; may be empty.</param>
    /// <param name="items">The tensors, in any order.</param>
    /// <exception cref="ArgumentException">A name occurs twice or is not allowed, a type has no safetensors name, a dimension is negative, or data has the wrong length.</exception>
    /// <exception cref="IOException">The file cannot be written; nothing is left behind.</exception>
    public static void Write(string path, IReadOnlyDictionary<string, string> metadata, IReadOnlyCollection<SafeTensorsItem> items)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(items);
        SafeTensorsItem[] sorted = [.. items.OrderBy(item => item.Name, StringComparer.Ordinal)];
        byte[] header = Header(metadata, sorted);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            foreach (SafeTensorsItem item in sorted)
            {
                ReadOnlyMemory<byte> data = item.Data();
                long expected = ByteLength(item);
                if (data.Length != expected)
                {
                    throw new ArgumentException($"tensor \"{item.Name}\" {ShapeMath.Text(item.Shape)}: {data.Length} bytes given, expected {expected}", nameof(items));
                }
                stream.Write(data.Span);
            }
        });
    }

    private static byte[] Header(IReadOnlyDictionary<string, string> metadata, SafeTensorsItem[] sorted)
    {
        using MemoryStream stream = new();
        stream.SetLength(sizeof(ulong));
        stream.Position = sizeof(ulong);
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }
                json.WriteEndObject();
            }
            WriteTensors(json, sorted);
            json.WriteEndObject();
        }
        while (stream.Length % Alignment != 0)
        {
            stream.WriteByte((byte)' ');
        }
        byte[] bytes = stream.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)(bytes.Length - sizeof(ulong)));
        return bytes.Length - sizeof(ulong) <= SafeTensorsFile.MaxHeaderLength
            ? bytes
            : throw new ArgumentException($"the header would have {bytes.Length} bytes, more than the format allows ({SafeTensorsFile.MaxHeaderLength})", nameof(sorted));
    }

    private static void WriteTensors(Utf8JsonWriter json, SafeTensorsItem[] sorted)
    {
        long offset = 0;
        string previous = "";
        foreach (SafeTensorsItem item in sorted)
        {
            if (item.Name.Length == 0 || item.Name == "__metadata__" || item.Name == previous)
            {
                throw new ArgumentException($"tensor name \"{item.Name}\" is empty, reserved or occurs twice", nameof(sorted));
            }
            string type = item.Type.SafeTensorsName() ?? throw new ArgumentException($"tensor \"{item.Name}\": safetensors has no type {item.Type}", nameof(sorted));
            long end = checked(offset + ByteLength(item));
            json.WriteStartObject(item.Name);
            json.WriteString("dtype", type);
            WriteNumbers(json, "shape", item.Shape);
            WriteNumbers(json, "data_offsets", [offset, end]);
            json.WriteEndObject();
            offset = end;
            previous = item.Name;
        }
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IReadOnlyList<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (long number in numbers)
        {
            json.WriteNumberValue(number);
        }
        json.WriteEndArray();
    }

    private static long ByteLength(SafeTensorsItem item) =>
        !item.Shape.Any(dim => dim < 0) && ShapeMath.TryCount(item.Shape, out long count) && count <= long.MaxValue / item.Type.Size()
            ? count * item.Type.Size()
            : throw new ArgumentException($"tensor \"{item.Name}\": shape {ShapeMath.Text(item.Shape)} is not possible", nameof(item));
}
