// The reproducible weights behind the golden networks: every variable is a stream of splitmix64 numbers seeded by its name.

using System.Runtime.InteropServices;
using System.Text;
using Mirror.Formats;

namespace Mirror.Tests.TestSupport;

/// <summary>Writes a network's golden weights as a model file.</summary>
internal static class GoldenWeights
{
    private const ulong Seed = 1;
    private const ulong Golden = 0x9E3779B97F4A7C15;

    public static void Write(string network, string path)
    {
        var items = Networks.Variables(network)
            .Select(variable => new SafeTensorsItem(variable.Name, ElementType.Float32, variable.Dimensions, () => MemoryMarshal.AsBytes(Values(network, variable).AsSpan()).ToArray()))
            .ToArray();
        SafeTensorsWriter.Write(path, new Dictionary<string, string> { ["network"] = network, ["origin"] = "golden weights, seed 1" }, items);
    }

    public static float[] Values(string network, TensorShape variable)
    {
        var (name, dims) = (variable.Name, variable.Dimensions);
        var values = new float[dims.Aggregate(1L, (product, size) => product * size)];
        var start = SplitMix64(Fnv1a64(name) ^ unchecked(Seed * Golden));
        var scale = KernelScale(network, name, dims);
        for (var i = 0; i < values.Length; i++)
        {
            var u = (SplitMix64(unchecked(start + (ulong)i)) >> 11) * Math.ScaleB(1, -53);
            var r = (2 * u) - 1;
            values[i] = (float)(Leaf(name) switch
            {
                "kernel" => r * scale,
                "bias" => 0.1 * r,
                "gamma" => (1 + (0.2 * r)) * (name.EndsWith("branch2c/gamma", StringComparison.Ordinal) ? 0.3 : 1),
                "beta" => 0.2 * r,
                "moving_mean" => 0.3 * r,
                "moving_variance" => 0.5 + u,
                var other => throw new InvalidOperationException($"{name}: no rule for {other}"),
            });
        }

        return values;
    }

    private static double KernelScale(string network, string name, IReadOnlyList<long> dims)
    {
        if (Leaf(name) != "kernel")
        {
            return 1;
        }

        var first = network is "googlenet" or "googlenet_places" ? 2 : 60;
        return Math.Sqrt(6.0 / (dims[0] * dims[1] * dims[2])) / (dims[2] == 3 ? first : 1);
    }

    private static string Leaf(string name) => name[(name.LastIndexOf('/') + 1)..];

    private static ulong Fnv1a64(string text) =>
        Encoding.UTF8.GetBytes(text).Aggregate(0xCBF29CE484222325, (hash, value) => unchecked((hash ^ value) * 0x100000001B3));

    private static ulong SplitMix64(ulong x)
    {
        var z = unchecked(x + Golden);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        return z ^ (z >> 31);
    }
}
