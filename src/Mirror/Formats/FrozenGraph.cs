// Reads a frozen GraphDef (.pb): the program of a network whose variables were turned into constants of the same names.
//
// Only constants matter, and one trace of optimisation: optimize_for_inference multiplies a batch norm that directly follows a
// bias-free convolution into the kernel, drops its four variables and leaves the rest as a constant "<convolution>_bn_offset" that a
// BiasAdd under the batch norm's own name adds. Such a batch norm is given back as one that does nothing but add (FoldedBatchNorm).

using Google.Protobuf;

namespace Mirror.Formats;

/// <summary>Reader of frozen graphs.</summary>
internal static class FrozenGraph
{
    /// <summary>The first byte of a graph: the tag of its first node.</summary>
    public const byte FirstByte = 0x0A;

    private const int MaxNodes = 1 << 20;
    private const int MaxInputs = 1 << 20;

    // What repeated values may expand to in all constants together: weights are never all the same.
    private const long MaxRepeatedBytes = 32 << 20;

    /// <summary>Opens a graph and checks the size of every constant.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, no GraphDef, or has a folded batch norm that cannot be told apart.</exception>
    public static SingleFileSource Open(string path)
    {
        List<GraphNode> nodes = [];
        string where = "graph";
        try
        {
            ProtoReader graph = new(WholeFile.Read(path));
            int inputs = 0;
            while (graph.Next())
            {
                where = $"node {nodes.Count}";
                if (graph.Field != 1)
                {
                    graph.Skip();
                    continue;
                }
                nodes.Add(GraphNode.Parse(graph.Bytes()));
                inputs += nodes[^1].Inputs.Count;
                if (nodes.Count > MaxNodes || inputs > MaxInputs)
                {
                    throw new InvalidDataException($"more than {MaxNodes} nodes or {MaxInputs} inputs");
                }
            }
            long repeated = 0;
            List<SourceTensor> constants = [];
            foreach (GraphNode node in nodes.Where(node => node.Op == "Const"))
            {
                where = $"constant \"{node.Name}\"";
                constants.Add(Constant(path, node, ref repeated));
            }
            where = "folded batch norms";
            (List<SourceTensor> tensors, int folded) = FoldedBatchNorm.Restore(nodes, constants);
            string[] notes = folded == 0 ? [] : [$"{folded} batch norms were folded into their convolutions (optimize_for_inference): kernels are taken as stored, each beta is the stored offset, gamma 1, mean 0 and variance 1 - 1e-5"];
            return tensors.Count > 0
                ? new("TensorFlow frozen graph", path, tensors, notes, "the size of every constant; frozen graphs have no checksums")
                : throw new InvalidDataException($"{nodes.Count} nodes, but no constants: it is no frozen graph (freeze it with freeze_graph first)");
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
        {
            throw new InvalidDataException($"{path}: GraphDef, {where}: {e.Message}", e);
        }
    }

    private static SourceTensor Constant(string path, GraphNode node, ref long repeated)
    {
        TensorProto value = TensorProto.Parse(node.Value ?? throw new InvalidDataException("it has no value"));
        (ElementType type, string typeName) = ElementTypes.FromTensorFlow(value.Type);
        if (!ShapeMath.TryCount(value.Shape, out long count) || count > Array.MaxLength / Math.Max(1, type.Size()))
        {
            throw new InvalidDataException($"shape {ShapeMath.Text(value.Shape)} of {typeName} has more bytes than can be read ({Array.MaxLength})");
        }
        if (type != ElementType.Other)
        {
            repeated += value.RepeatedBytes(type, count);
            if (repeated > MaxRepeatedBytes)
            {
                throw new InvalidDataException($"shape {ShapeMath.Text(value.Shape)}: the graph's repeated values take more than {MaxRepeatedBytes} bytes: these are no weights");
            }
        }
        TensorEntry entry = new(node.Name, type, typeName, value.Shape, count, count * type.Size());
        return new(entry, () => Read(path, value, entry));
    }

    private static byte[] Read(string path, TensorProto value, TensorEntry entry)
    {
        try
        {
            return value.Read(entry.Type, entry.ElementCount);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: constant \"{entry.Name}\": {e.Message}", e);
        }
    }
}

/// <summary>NodeDef: what matters of one operation.</summary>
internal sealed record GraphNode(string Name, string Op, List<string> Inputs, ReadOnlyMemory<byte>? Value)
{
    // NodeDef { name = 1; op = 2; repeated input = 3; map<string, AttrValue> attr = 5 }.
    public static GraphNode Parse(ReadOnlyMemory<byte> message)
    {
        string name = "", op = "";
        List<string> inputs = [];
        ReadOnlyMemory<byte>? value = null;
        ProtoReader reader = new(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    name = reader.Text();
                    break;
                case 2:
                    op = reader.Text();
                    break;
                case 3:
                    inputs.Add(reader.Text());
                    break;
                case 5:
                    value = Attribute(reader.Bytes()) ?? value;
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return name.Length > 0 && op.Length > 0 ? new(name, op, inputs, value) : throw new InvalidDataException("it has no name or no operation");
    }

    // The tensor of the attribute "value": { key = 1; value = 2 { tensor = 8 } }.
    private static ReadOnlyMemory<byte>? Attribute(ReadOnlyMemory<byte> entry)
    {
        bool isValue = false;
        ReadOnlyMemory<byte>? tensor = null;
        ProtoReader reader = new(entry);
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                isValue = reader.Bytes().Span.SequenceEqual("value"u8);
            }
            else if (reader.Field == 2)
            {
                ProtoReader attribute = new(reader.Bytes());
                while (attribute.Next())
                {
                    if (attribute.Field == 8)
                    {
                        tensor = attribute.Bytes();
                    }
                    else
                    {
                        attribute.Skip();
                    }
                }
            }
            else
            {
                reader.Skip();
            }
        }
        return isValue ? tensor : null;
    }
}
