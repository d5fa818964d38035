// Writes models in the forms that import reads besides V2 bundles: frozen graphs, V1 checkpoints, numpy dictionaries. Tests only.

using System.Text;
using Mirror.Formats;
using static Mirror.Tests.Formats.Proto;

namespace Mirror.Tests.Formats;

/// <summary>A float32 tensor by name.</summary>
internal sealed record NamedTensor(string Name, long[] Shape, float[] Values)
{
    public byte[] Bytes => ElementData.FromFloat32(Values);
}

/// <summary>GraphDef files.</summary>
internal sealed class GraphBuilder
{
    private readonly List<byte[]> _nodes = [];

    /// <summary>A constant with raw content, and the Identity that freezing leaves behind it.</summary>
    public GraphBuilder Variable(NamedTensor tensor) => Const(tensor.Name, 1, tensor.Shape, value => Nested(value, 4, tensor.Bytes)).Node(tensor.Name + "/read", "Identity", tensor.Name);

    /// <summary>A constant whose values <paramref name="values"/> writes into the TensorProto.</summary>
    public GraphBuilder Const(string name, int type, long[] shape, Action<Google.Protobuf.CodedOutputStream> values)
    {
        byte[] tensor = Message(output =>
        {
            Number(output, 1, type);
            Nested(output, 2, Shape(shape));
            values(output);
        });
        _nodes.Add(Message(output =>
        {
            Text(output, 1, name);
            Text(output, 2, "Const");
            Attribute(output, "dtype", value => Number(value, 6, type));
            Attribute(output, "value", value => Nested(value, 8, tensor));
        }));
        return this;
    }

    public GraphBuilder Node(string name, string op, params string[] inputs)
    {
        _nodes.Add(Message(output =>
        {
            Text(output, 1, name);
            Text(output, 2, op);
            foreach (string input in inputs)
            {
                Text(output, 3, input);
            }
            Attribute(output, "T", value => Number(value, 6, 1));
        }));
        return this;
    }

    public byte[] ToArray() => Message(output =>
    {
        foreach (byte[] node in _nodes)
        {
            Nested(output, 1, node);
        }
        Nested(output, 4, Message(versions => Number(versions, 1, 24)));
    });

    private static void Attribute(Google.Protobuf.CodedOutputStream output, string key, Action<Google.Protobuf.CodedOutputStream> value) =>
        Nested(output, 5, Message(entry =>
        {
            Text(entry, 1, key);
            Nested(entry, 2, Message(value));
        }));
}

/// <summary>V1 checkpoints.</summary>
internal static class V1Builder
{
    /// <summary>Each tensor in rows of at most <paramref name="rows"/>; 0: in one piece. The hook replaces entries.</summary>
    public static byte[] Write(IEnumerable<NamedTensor> tensors, int rows = 0, Func<byte[], byte[]>? hook = null, Func<byte[], byte[]>? blockHook = null)
    {
        hook ??= value => value;
        List<(byte[] Key, byte[] Value)> entries = [];
        List<byte[]> metas = [];
        foreach (NamedTensor tensor in tensors)
        {
            List<(SliceExtent[] Slice, float[] Values)> parts = [.. Parts(tensor, rows)];
            metas.Add(Message(meta =>
            {
                Text(meta, 1, tensor.Name);
                Nested(meta, 2, Shape(tensor.Shape));
                Number(meta, 3, 1);
                parts.ForEach(part => Nested(meta, 4, Slice(part.Slice)));
            }));
            entries.AddRange(parts.Select(part => (OrderedCode.SliceKey(tensor.Name, part.Slice), hook(Message(value => Nested(value, 2, Message(data =>
            {
                Text(data, 1, tensor.Name);
                Nested(data, 2, Slice(part.Slice));
                Nested(data, 3, Message(proto => Nested(proto, 5, ElementData.FromFloat32(part.Values))));
            })))))));
        }
        byte[] head = Message(value => Nested(value, 1, Message(meta =>
        {
            metas.ForEach(tensor => Nested(meta, 1, tensor));
            Nested(meta, 2, Message(versions => Number(versions, 1, 1)));
        })));
        entries.Sort((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
        return new BundleBuilder { EntriesPerBlock = 7, BlockHook = blockHook ?? (block => block) }.Table([([], hook(head)), .. entries]);
    }

    private static IEnumerable<(SliceExtent[] Slice, float[] Values)> Parts(NamedTensor tensor, int rows)
    {
        if (rows == 0 || tensor.Shape.Length == 0 || tensor.Shape[0] <= rows)
        {
            yield return ([.. tensor.Shape.Select(_ => new SliceExtent(0, SliceExtent.Whole))], tensor.Values);
            yield break;
        }
        int row = tensor.Values.Length / (int)tensor.Shape[0];
        for (int start = 0; start < tensor.Shape[0]; start += rows)
        {
            int count = Math.Min(rows, (int)tensor.Shape[0] - start);
            yield return ([new(start, count), .. tensor.Shape.Skip(1).Select(_ => new SliceExtent(0, SliceExtent.Whole))], tensor.Values[(start * row)..((start + count) * row)]);
        }
    }

    private static byte[] Slice(SliceExtent[] slice) => Message(message =>
    {
        foreach (SliceExtent extent in slice)
        {
            Nested(message, 1, Message(pair =>
            {
                Number(pair, 1, extent.Start);
                Number(pair, 2, extent.Length == SliceExtent.Whole ? 0 : extent.Length);
            }));
        }
    });
}

/// <summary>Numpy dictionaries {layer: {parameter: array}} as numpy wrote them under Python 2 (protocol 2) and Python 3 (protocol 3).</summary>
internal sealed class NumpyDictionaryBuilder(bool python3)
{
    private readonly List<byte> _pickle = [];
    private int _memo;

    /// <summary>"layer/parameter" names become two levels; names without slash stay in the first.</summary>
    public byte[] Write(IEnumerable<NamedTensor> tensors)
    {
        Put(0x80, (byte)(python3 ? 3 : 2));
        NdArray([], "O8", "|", () => Put((byte)']', (byte)'(').Dictionary(tensors).Put((byte)'e'));
        Put((byte)'.');
        string header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }".PadRight(python3 ? 117 : 69) + "\n";
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), .. _pickle];
    }

    private NumpyDictionaryBuilder Dictionary(IEnumerable<NamedTensor> tensors)
    {
        Put((byte)'}').Memoize().Put((byte)'(');
        foreach (IGrouping<string, NamedTensor> layer in tensors.GroupBy(tensor => tensor.Name.Contains('/', StringComparison.Ordinal) ? tensor.Name[..tensor.Name.LastIndexOf('/')] : ""))
        {
            if (layer.Key.Length > 0)
            {
                Text(layer.Key).Put((byte)'}').Memoize().Put((byte)'(');
            }
            foreach (NamedTensor tensor in layer)
            {
                Text(tensor.Name[(tensor.Name.LastIndexOf('/') + 1)..]).NdArray(tensor.Shape, "f4", "<", () => Bytes(tensor.Bytes));
            }
            if (layer.Key.Length > 0)
            {
                Put((byte)'u');
            }
        }
        return Put((byte)'u');
    }

    private NumpyDictionaryBuilder NdArray(long[] shape, string type, string order, Action data)
    {
        Global("numpy.core.multiarray\n_reconstruct\n").Global("numpy\nndarray\n").Put((byte)'K', 0, 0x85).Memoize().Bytes("b"u8.ToArray()).Put(0x87, (byte)'R').Memoize();
        Put((byte)'(', (byte)'K', 1, (byte)'(');
        foreach (long dim in shape)
        {
            Put((byte)'J').Put(BitConverter.GetBytes((int)dim));
        }
        Put((byte)'t').Memoize();
        Global("numpy\ndtype\n").Text(type).Put((byte)'K', 0, (byte)'K', 1, 0x87, (byte)'R').Memoize();
        Put((byte)'(', (byte)'K', 3).Text(order).Put((byte)'N', (byte)'N', (byte)'N').Put((byte)'J', 255, 255, 255, 255).Put((byte)'J', 255, 255, 255, 255).Put((byte)'K', 0, (byte)'t', (byte)'b', 0x89);
        data();
        return Put((byte)'t').Memoize().Put((byte)'b');
    }

    private NumpyDictionaryBuilder Global(string name) => Put((byte)'c').Put(Encoding.ASCII.GetBytes(name)).Memoize();

    private NumpyDictionaryBuilder Text(string text) => python3
        ? Put((byte)'X').Put(BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text))).Put(Encoding.UTF8.GetBytes(text)).Memoize()
        : Bytes(Encoding.UTF8.GetBytes(text));

    private NumpyDictionaryBuilder Bytes(byte[] bytes)
    {
        (byte small, byte large) = python3 ? ((byte)'C', (byte)'B') : ((byte)'U', (byte)'T');
        return (bytes.Length < 256 ? Put(small, (byte)bytes.Length) : Put(large).Put(BitConverter.GetBytes(bytes.Length))).Put(bytes).Memoize();
    }

    private NumpyDictionaryBuilder Memoize()
    {
        int index = _memo++;
        return index < 256 ? Put((byte)'q', (byte)index) : Put((byte)'r').Put(BitConverter.GetBytes(index));
    }

    private NumpyDictionaryBuilder Put(params byte[] bytes)
    {
        _pickle.AddRange(bytes);
        return this;
    }
}
