// Regional pooling as ONNX nodes: every region is a Slice of the map and a reduction over its cells, whatever the layout.

using System.Globalization;
using Mirror.Formats;

namespace Mirror.Export;

/// <summary>Appends the pooling of all regions.</summary>
internal sealed class OnnxRegionPool(OnnxNetwork network, ExtractorOptions options)
{
    // The native core's.
    private const float GemFloor = 1e-6f;

    /// <summary>One value [N, D, 1, 1] for every region of a map, in the core's order.</summary>
    public IEnumerable<string> Append(string map, MapShape shape, string suffix)
    {
        var prepared = Prepare(map, suffix);
        var layout = Operations.RegionLayout(shape.Height, shape.Width, [.. options.Steps], options.Fit);
        return [.. layout.Select((region, index) =>
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"region{index}{suffix}");
            var whole = (region.Height, region.Width) == (shape.Height, shape.Width);
            var cells = whole ? prepared : Slice(prepared, [region.Y, region.X], [region.Y + region.Height, region.X + region.Width], [1, 1], name + "/cells");
            return Reduce(cells, name);
        })];
    }

    /// <summary>Every <paramref name="step"/>-th row and column.</summary>
    public string Subsample(string input, int step, string name) => Slice(input, [0, 0], [options.Height, options.Width], [step, step], name);

    /// <summary>Joins the regions of all scales to [N, R, D].</summary>
    public void Finish(IReadOnlyList<string> regions, string name)
    {
        var joined = network.Node("Concat", name + "/joined", regions, OnnxProto.Attribute("axis", 3));
        var flat = network.Node("Squeeze", name + "/flat", [joined, Index(name + "/axis", 2)]);
        network.Node("Transpose", name, [flat], OnnxProto.Attribute("perm", [0, 2, 1]));
    }

    // What is done to every cell once, before regions are cut.
    private string Prepare(string map, string suffix) => options.Pooling switch
    {
        RegionPooling.L2 => network.Node("Mul", "map/squares" + suffix, [map, map]),
        RegionPooling.Gem => network.Node("Max", "map/positive" + suffix, [map, Scalar("map/floor" + suffix, GemFloor)]),
        _ => map,
    };

    private string Reduce(string cells, string name)
    {
        var axes = OnnxProto.Attribute("axes", [2, 3]);
        switch (options.Pooling)
        {
            case RegionPooling.Max:
                return network.Node("ReduceMax", name, [cells], axes);
            case RegionPooling.Avg:
                return network.Node("ReduceMean", name, [cells], axes);
            case RegionPooling.L2:
                return network.Node("Sqrt", name, [network.Node("ReduceMean", name + "/mean", [cells], axes)]);
            case RegionPooling.Gem:
                // Of values up to 1, so that no power overflows.
                var largest = network.Node("ReduceMax", name + "/largest", [cells], axes);
                var scaled = network.Node("Div", name + "/scaled", [cells, largest]);
                var power = network.Node("Pow", name + "/power", [scaled, Scalar(name + "/p", options.GemPower)]);
                var mean = network.Node("ReduceMean", name + "/mean", [power], axes);
                var root = network.Node("Pow", name + "/root", [mean, Scalar(name + "/inverse", 1 / options.GemPower)]);
                return network.Node("Mul", name, [root, largest]);
            default:
                throw new ArgumentException($"pooling {options.Pooling} cannot be exported to ONNX");
        }
    }

    private string Slice(string input, ReadOnlySpan<long> start, ReadOnlySpan<long> end, ReadOnlySpan<long> step, string name) => network.Node(
        "Slice",
        name,
        [input, Index(name + "/start", start), Index(name + "/end", end), Index(name + "/axes", 2, 3), Index(name + "/step", step)]);

    private string Scalar(string name, float value)
    {
        network.Initializers.Add(OnnxProto.FloatTensor(name, [1], ElementData.FromFloat32([value])));
        return name;
    }

    private string Index(string name, params ReadOnlySpan<long> values)
    {
        network.Initializers.Add(OnnxProto.IndexTensor(name, values));
        return name;
    }
}
