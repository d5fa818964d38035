// The messages of onnx.proto that an exported network consists of, written field by field with Google.Protobuf's coded stream.
// Field numbers: onnx/onnx.proto, IR version 8.

using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace Mirror.Export;

/// <summary>A message under construction: fields are appended, sub-messages as finished bytes.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A MemoryStream holds nothing but memory.")]
internal sealed class OnnxMessage
{
    private readonly MemoryStream bytes = new();

    public OnnxMessage Text(int field, string value) => Write(field, WireFormat.WireType.LengthDelimited, output => output.WriteString(value));

    public OnnxMessage Number(int field, long value) => Write(field, WireFormat.WireType.Varint, output => output.WriteInt64(value));

    public OnnxMessage Real(int field, float value) => Write(field, WireFormat.WireType.Fixed32, output => output.WriteFloat(value));

    public OnnxMessage Message(int field, OnnxMessage value) => Bytes(field, value.ToArray());

    public OnnxMessage Bytes(int field, byte[] value) =>
        Write(field, WireFormat.WireType.LengthDelimited, output => output.WriteBytes(UnsafeByteOperations.UnsafeWrap(value)));

    public byte[] ToArray() => bytes.ToArray();

    private OnnxMessage Write(int field, WireFormat.WireType type, Action<CodedOutputStream> value)
    {
        using var output = new CodedOutputStream(bytes, leaveOpen: true);
        output.WriteTag(field, type);
        value(output);
        return this;
    }
}

/// <summary>The messages.</summary>
internal static class OnnxProto
{
    private const int Float = 1;
    private const int Int64 = 7;

    /// <summary>A float32 tensor from its little-endian bytes.</summary>
    public static OnnxMessage FloatTensor(string name, IReadOnlyList<long> shape, byte[] data) => Tensor(name, shape, Float, data);

    /// <summary>An int64 vector.</summary>
    public static OnnxMessage IndexTensor(string name, params ReadOnlySpan<long> values)
    {
        var data = new byte[values.Length * sizeof(long)];
        for (var i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(i * sizeof(long)), values[i]);
        }

        return Tensor(name, [values.Length], Int64, data);
    }

    public static OnnxMessage Node(string operation, string name, IEnumerable<string> inputs, string output, params ReadOnlySpan<OnnxMessage> attributes)
    {
        var node = new OnnxMessage();
        foreach (var input in inputs)
        {
            node.Text(1, input);
        }

        node.Text(2, output).Text(3, name).Text(4, operation);
        foreach (var attribute in attributes)
        {
            node.Message(5, attribute);
        }

        return node;
    }

    public static OnnxMessage Attribute(string name, float value) => new OnnxMessage().Text(1, name).Real(2, value).Number(20, 1);

    public static OnnxMessage Attribute(string name, long value) => new OnnxMessage().Text(1, name).Number(3, value).Number(20, 2);

    public static OnnxMessage Attribute(string name, params ReadOnlySpan<long> values)
    {
        var attribute = new OnnxMessage().Text(1, name);
        foreach (var value in values)
        {
            attribute.Number(8, value);
        }

        return attribute.Number(20, 7);
    }

    /// <summary>A float32 input or output; a negative dimension is the symbolic "N".</summary>
    public static OnnxMessage Value(string name, params ReadOnlySpan<long> shape)
    {
        var dimensions = new OnnxMessage();
        foreach (var size in shape)
        {
            dimensions.Message(1, size < 0 ? new OnnxMessage().Text(2, "N") : new OnnxMessage().Number(1, size));
        }

        var tensor = new OnnxMessage().Number(1, Float).Message(2, dimensions);
        return new OnnxMessage().Text(1, name).Message(2, new OnnxMessage().Message(1, tensor));
    }

    private static OnnxMessage Tensor(string name, IReadOnlyList<long> shape, int type, byte[] data)
    {
        var tensor = new OnnxMessage();
        foreach (var size in shape)
        {
            tensor.Number(1, size);
        }

        return tensor.Number(2, type).Text(8, name).Bytes(9, data);
    }
}
