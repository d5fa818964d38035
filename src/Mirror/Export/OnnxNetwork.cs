// A network as ONNX nodes: every layer under TensorFlow's name, sizes fixed, padding explicit. Batch norm stays a node of its own; runtimes
// fold it. Maps are NCHW, as ONNX has them; kernels are turned from HWIO to OIHW.

using Mirror.Formats;

namespace Mirror.Export;

/// <summary>Appends the nodes of a network, once per scale, and its weights, once.</summary>
internal sealed class OnnxNetwork(IReadOnlyList<NetworkLayer> layers, SafeTensorsFile weights)
{
    private readonly HashSet<string> written = new(StringComparer.Ordinal);

    public List<OnnxMessage> Nodes { get; } = [];

    public List<OnnxMessage> Initializers { get; } = [];

    /// <summary>The value name and shape of the output map for an input of <paramref name="height"/> x <paramref name="width"/>.</summary>
    /// <param name="input">Value name of the input, [N, 3, height, width].</param>
    /// <param name="height">Rows of it.</param>
    /// <param name="width">Columns of it.</param>
    /// <param name="suffix">Makes the names of a scale different from those of others.</param>
    public (string Name, MapShape Shape) Append(string input, int height, int width, string suffix)
    {
        var names = new string[layers.Count];
        var sizes = new (int Height, int Width)[layers.Count];
        (names[0], sizes[0]) = (input, (height, width));
        for (var i = 1; i < layers.Count; i++)
        {
            var layer = layers[i];
            sizes[i] = sizes[layer.Inputs[0]];
            var inputs = layer.Inputs.Select(index => names[index]).ToArray();
            var name = layer.Name + suffix;
            if (layer.Kind is LayerKind.Conv or LayerKind.MaxPool or LayerKind.AvgPool)
            {
                sizes[i] = (layer.Window(sizes[i].Height).Output, layer.Window(sizes[i].Width).Output);
            }

            names[i] = layer.Kind switch
            {
                LayerKind.Conv => Convolution(layer, inputs[0], sizes[layer.Inputs[0]], name),
                LayerKind.BatchNorm => inputs[0],
                LayerKind.Relu => Node("Relu", name, inputs),
                LayerKind.Add => Node("Add", name, inputs),
                LayerKind.MaxPool => Node("MaxPool", name, inputs, Window(layer, sizes[layer.Inputs[0]])),
                LayerKind.AvgPool => Node("AveragePool", name, inputs, [.. Window(layer, sizes[layer.Inputs[0]]), OnnxProto.Attribute("count_include_pad", 1)]),
                LayerKind.Lrn => Node("LRN", name, inputs, Normalization(layer.Lrn)),
                LayerKind.Concat => Node("Concat", name, inputs, OnnxProto.Attribute("axis", 1)),
                _ => throw new InvalidOperationException($"layer {layer.Name} is of kind {layer.Kind}"),
            };
            if (layer.BatchNorm is { } scope)
            {
                names[i] = BatchNorm(scope, names[i], scope + suffix);
            }

            if (layer.Relu)
            {
                names[i] = Node("Relu", name + "/relu", [names[i]]);
            }
        }

        return (names[^1], new MapShape(1, sizes[^1].Height, sizes[^1].Width, layers[^1].Channels));
    }

    /// <summary>Appends a node whose only output has its name.</summary>
    public string Node(string operation, string name, IEnumerable<string> inputs, params ReadOnlySpan<OnnxMessage> attributes)
    {
        Nodes.Add(OnnxProto.Node(operation, name, inputs, name, attributes));
        return name;
    }

    private string Convolution(NetworkLayer layer, string input, (int Height, int Width) size, string name)
    {
        string[] inputs = [input, Weight(layer.Name + "/kernel")];
        return Node("Conv", name, layer.HasBias ? [.. inputs, Weight(layer.Name + "/bias")] : inputs, Window(layer, size));
    }

    private string BatchNorm(string scope, string input, string name) => Node(
        "BatchNormalization",
        name,
        [input, Weight(scope + "/gamma"), Weight(scope + "/beta"), Weight(scope + "/moving_mean"), Weight(scope + "/moving_variance")],
        OnnxProto.Attribute("epsilon", NetworkLayer.BatchNormEpsilon));

    // TensorFlow's alpha is per element, ONNX divides its own by the window.
    private static OnnxMessage[] Normalization(LrnParameters lrn)
    {
        var size = (2 * lrn.Radius) + 1;
        return
        [
            OnnxProto.Attribute("size", size), OnnxProto.Attribute("alpha", lrn.Alpha * size),
            OnnxProto.Attribute("beta", lrn.Beta), OnnxProto.Attribute("bias", lrn.Bias),
        ];
    }

    private static OnnxMessage[] Window(NetworkLayer layer, (int Height, int Width) size)
    {
        var (top, bottom, _) = layer.Window(size.Height);
        var (left, right, _) = layer.Window(size.Width);
        return
        [
            OnnxProto.Attribute("kernel_shape", [layer.Kernel, layer.Kernel]),
            OnnxProto.Attribute("strides", [layer.Stride, layer.Stride]),
            OnnxProto.Attribute("pads", [top, left, bottom, right]),
        ];
    }

    private string Weight(string name)
    {
        if (written.Add(name))
        {
            var shape = weights.Find(name)!.Shape;
            var data = weights.ReadBytes(name);
            Initializers.Add(shape.Count == 4
                ? OnnxProto.FloatTensor(name, [shape[3], shape[2], shape[0], shape[1]], OutputsFirst(data, shape))
                : OnnxProto.FloatTensor(name, shape, data));
        }

        return name;
    }

    // HWIO -> OIHW.
    private static byte[] OutputsFirst(byte[] data, IReadOnlyList<long> shape)
    {
        var (window, inputs, outputs) = ((int)(shape[0] * shape[1]), (int)shape[2], (int)shape[3]);
        var result = new byte[data.Length];
        var from = 0;
        for (var cell = 0; cell < window; cell++)
        {
            for (var i = 0; i < inputs; i++)
            {
                for (var o = 0; o < outputs; o++, from += sizeof(float))
                {
                    data.AsSpan(from, sizeof(float)).CopyTo(result.AsSpan(((((o * inputs) + i) * window) + cell) * sizeof(float)));
                }
            }
        }

        return result;
    }
}
