// Writes protocol-buffer messages field by field. Tests only.

using Google.Protobuf;

namespace Mirror.Tests.Formats;

internal static class Proto
{
    public static byte[] Message(Action<CodedOutputStream> write)
    {
        using MemoryStream stream = new();
        using (CodedOutputStream output = new(stream))
        {
            write(output);
        }
        return stream.ToArray();
    }

    /// <summary>A varint; 0 is omitted.</summary>
    public static void Number(CodedOutputStream output, int field, long value)
    {
        if (value != 0)
        {
            output.WriteTag(field, WireFormat.WireType.Varint);
            output.WriteInt64(value);
        }
    }

    /// <summary>A message, bytes or packed numbers.</summary>
    public static void Nested(CodedOutputStream output, int field, byte[] message)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(message));
    }

    public static void Text(CodedOutputStream output, int field, string text) => Nested(output, field, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>TensorShapeProto.</summary>
    public static byte[] Shape(IEnumerable<long> shape) => Message(output =>
    {
        foreach (long dim in shape)
        {
            Nested(output, 2, Message(size => Number(size, 1, dim)));
        }
    });
}
