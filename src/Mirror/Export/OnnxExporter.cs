// Exports a model to ONNX, opset 17: from the preprocessed picture to the region vectors that `mirror extract` writes.

using System.Globalization;
using Google.Protobuf;
using Mirror.Formats;

namespace Mirror.Export;

/// <summary>What an ONNX export did.</summary>
/// <param name="Network">The network.</param>
/// <param name="Nodes">Nodes of the graph.</param>
/// <param name="Regions">R: rows of <c>descriptors</c>.</param>
/// <param name="Dimension">D: columns of it.</param>
/// <param name="Bytes">Length of the file.</param>
public sealed record OnnxExportReport(string Network, int Nodes, int Regions, int Dimension, long Bytes);

/// <summary>Writes ONNX files.</summary>
public static class OnnxExporter
{
    private const int IrVersion = 8;
    private const int Opset = 17;
    private const int MaxBytes = int.MaxValue;

    /// <summary>
    /// Writes a model whose input is <c>image</c> [N, 3, Height, Width] float32, RGB 0..255 with the mean already subtracted, and whose outputs are
    /// <c>descriptors</c> [N, R, D], the region vectors (not normalised), and <c>map</c> [N, D, h, w], the network's output at the first scale.
    /// </summary>
    /// <param name="modelPath">A safetensors model.</param>
    /// <param name="options">Input size, regions, pooling and scales; batch, precision and layer are not used.</param>
    /// <param name="output">The file; replaced where it exists, once everything is written.</param>
    /// <exception cref="FileNotFoundException">There is no such model.</exception>
    /// <exception cref="InvalidDataException">The model is damaged.</exception>
    /// <exception cref="ArgumentException">The size is below the network's minimum, no region step fits the map, or scales do not fit the size.</exception>
    /// <exception cref="IOException">Reading or writing failed; nothing is left behind.</exception>
    public static OnnxExportReport Export(string modelPath, ExtractorOptions options, string output)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(output);
        using var model = Model.Load(modelPath);
        // The native core checks the options, and tells the shapes that the file must arrive at.
        using var device = Device.Open("cpu");
        using var extractor = new Extractor(device, model, options with { Batch = 1, Precision = Precision.Fp32, Layer = null });
        using var weights = SafeTensorsFile.Open(modelPath);
        var network = new OnnxNetwork(NetworkGraph.Layers(model.Info.Network), weights);
        var pool = new OnnxRegionPool(network, options);
        var regions = new List<string>();
        MapShape map = default;
        for (var scale = 0; scale < extractor.Info.Scales; scale++)
        {
            var suffix = scale == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"@{1 << scale}");
            var input = scale == 0 ? "image" : pool.Subsample("image", 1 << scale, "image" + suffix);
            var (name, shape) = network.Append(input, Scaled(options.Height), Scaled(options.Width), suffix);
            if (scale == 0)
            {
                map = shape;
                network.Node("Identity", "map", [name]);
            }

            regions.AddRange(pool.Append(name, shape, suffix));

            // As many pixels as every 2^scale-th are.
            int Scaled(int side) => (side + (1 << scale) - 1) >> scale;
        }

        if (regions.Count != extractor.Info.Regions || map.Channels != extractor.Info.Dimension)
        {
            throw new InvalidOperationException($"the exported graph gives {regions.Count} x {map.Channels}, the extractor {extractor.Info.Regions} x {extractor.Info.Dimension}");
        }

        pool.Finish(regions, "descriptors");
        List<byte[]> graph =
        [
            new OnnxMessage().Text(2, model.Info.Network).ToArray(),
            .. network.Nodes.Select(node => new OnnxMessage().Message(1, node).ToArray()),
            .. network.Initializers.Select(tensor => new OnnxMessage().Message(5, tensor).ToArray()),
            new OnnxMessage()
                .Message(11, OnnxProto.Value("image", [-1, 3, options.Height, options.Width]))
                .Message(12, OnnxProto.Value("descriptors", [-1, regions.Count, map.Channels]))
                .Message(12, OnnxProto.Value("map", [-1, map.Channels, map.Height, map.Width]))
                .ToArray(),
        ];
        var length = graph.Sum(part => (long)part.Length);
        if (length > MaxBytes)
        {
            throw new InvalidDataException($"{modelPath}: the graph takes {length} bytes, ONNX files hold at most {MaxBytes}");
        }

        var header = Header(model.Info, options);
        AtomicFile.Write(output, stream =>
        {
            stream.Write(header);
            using (var coded = new CodedOutputStream(stream, leaveOpen: true))
            {
                coded.WriteTag(7, WireFormat.WireType.LengthDelimited);
                coded.WriteLength((int)length);
            }

            graph.ForEach(part => stream.Write(part));
        });
        return new(model.Info.Network, network.Nodes.Count, regions.Count, map.Channels, new FileInfo(output).Length);
    }

    // Everything of the model but its graph.
    private static byte[] Header(ModelInfo info, ExtractorOptions options)
    {
        var message = new OnnxMessage()
            .Number(1, IrVersion)
            .Text(2, "mirror")
            .Text(3, MirrorLibrary.Version)
            .Message(8, new OnnxMessage().Text(1, "").Number(2, Opset));
        foreach (var (key, value) in new (string, string)[]
        {
            ("network", info.Network),
            ("origin", info.Origin),
            ("mean_rgb", string.Join(',', options.Mean.Select(mean => mean.ToString(CultureInfo.InvariantCulture)))),
            ("regions", string.Join(',', options.Steps)),
            ("pooling", options.Pooling.ToString().ToLowerInvariant()),
            ("gem_power", options.GemPower.ToString(CultureInfo.InvariantCulture)),
            ("fit", options.Fit.ToString().ToLowerInvariant()),
            ("scales", options.MultiScale ? "several" : "one"),
        })
        {
            message.Message(14, new OnnxMessage().Text(1, key).Text(2, value));
        }

        return message.ToArray();
    }
}
