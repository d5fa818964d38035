// Gives a batch norm that optimize_for_inference folded its four variables back, such that it only adds the stored offset.
//
// Folding a batch norm multiplies a kernel by gamma / sqrt(variance + 1e-5). With gamma 1 and variance 1 - 1e-5 that factor is 1 (to
// 1e-8, as float32 has it), and with mean 0 what is added is beta.

using System.Buffers.Binary;

namespace Mirror.Formats;

/// <summary>Batch norms that are no longer in their graph.</summary>
internal static class FoldedBatchNorm
{
    private const string OffsetSuffix = "_bn_offset";
    private const float Variance = (float)(1 - 1e-5);
    private static readonly string[] Operations = ["FusedBatchNorm", "BatchNormWithGlobalNormalization"];

    /// <summary>The constants with every offset replaced by the variables of its batch norm, and how many there were.</summary>
    /// <param name="nodes">The graph.</param>
    /// <param name="constants">Its constants.</param>
    /// <exception cref="InvalidDataException">An offset is used otherwise than folding leaves it, so that its batch norm is unknown.</exception>
    public static (List<SourceTensor> Tensors, int Folded) Restore(List<GraphNode> nodes, List<SourceTensor> constants)
    {
        Dictionary<string, SourceTensor> byName = new(StringComparer.Ordinal);
        foreach (SourceTensor constant in constants)
        {
            if (!byName.TryAdd(constant.Entry.Name, constant))
            {
                throw new InvalidDataException($"two constants are called \"{constant.Entry.Name}\"");
            }
        }
        SourceTensor[] offsets = [.. constants.Where(constant => constant.Entry.Name.EndsWith(OffsetSuffix, StringComparison.Ordinal))];
        if (offsets.Length == 0)
        {
            return (constants, 0);
        }
        Dictionary<string, GraphNode> operations = nodes.GroupBy(node => node.Name, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        ILookup<string, GraphNode> users = nodes.Where(node => node.Inputs.Count > 1).ToLookup(node => node.Inputs[1], StringComparer.Ordinal);
        foreach (SourceTensor offset in offsets)
        {
            string scope = Scope(offset.Entry, [.. users[offset.Entry.Name]], operations, byName);
            byName.Remove(offset.Entry.Name);
            Add(byName, offset, $"{scope}/beta", offset.Read);
            Add(byName, offset, $"{scope}/gamma", () => Filled(offset, 1));
            Add(byName, offset, $"{scope}/moving_mean", () => Filled(offset, 0));
            Add(byName, offset, $"{scope}/moving_variance", () => Filled(offset, Variance));
        }
        return ([.. byName.Values], offsets.Length);
    }

    // The scope of the batch norm: its operation's name without the last part, kept by the BiasAdd that replaced it.
    private static string Scope(TensorEntry offset, GraphNode[] users, Dictionary<string, GraphNode> operations, Dictionary<string, SourceTensor> constants)
    {
        if (users is not [{ Op: "BiasAdd", Inputs.Count: 2 } add])
        {
            throw new InvalidDataException($"\"{offset.Name}\" is used by {users.Length} operations ({string.Join(", ", users.Take(3).Select(user => user.Op))}), expected one BiasAdd under its batch norm's name");
        }
        string convolution = offset.Name[..^OffsetSuffix.Length];
        if (add.Inputs[0] != convolution || !operations.TryGetValue(convolution, out GraphNode? conv) || conv.Op != "Conv2D" || conv.Inputs.Count < 2)
        {
            throw new InvalidDataException($"\"{offset.Name}\" is added to \"{add.Inputs[0]}\", expected the Conv2D \"{convolution}\"");
        }
        if (!constants.TryGetValue(conv.Inputs[1], out SourceTensor? kernel) || kernel.Entry.Shape is not [.., long channels] || offset.Type != ElementType.Float32 || offset.Shape is not [long length] || length != channels)
        {
            throw new InvalidDataException($"\"{offset.Name}\" {offset.ShapeText} {offset.TypeName} does not fit \"{conv.Inputs[1]}\" {kernel?.Entry.ShapeText}, the kernel of \"{convolution}\"");
        }
        int slash = add.Name.LastIndexOf('/');
        return slash > 0 && Array.Exists(Operations, operation => add.Name.AsSpan(slash + 1).StartsWith(operation, StringComparison.Ordinal))
            ? add.Name[..slash]
            : throw new InvalidDataException($"\"{offset.Name}\" is added by \"{add.Name}\", which is no batch norm's name (SCOPE/FusedBatchNorm)");
    }

    private static void Add(Dictionary<string, SourceTensor> tensors, SourceTensor offset, string name, Func<byte[]> read)
    {
        if (!tensors.TryAdd(name, new(offset.Entry with { Name = name }, read)))
        {
            throw new InvalidDataException($"\"{name}\" is there although \"{offset.Entry.Name}\" says that it was folded");
        }
    }

    private static byte[] Filled(SourceTensor offset, float value)
    {
        byte[] bytes = new byte[offset.Entry.ByteLength];
        for (int at = 0; at < bytes.Length; at += sizeof(float))
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(at), value);
        }
        return bytes;
    }
}
