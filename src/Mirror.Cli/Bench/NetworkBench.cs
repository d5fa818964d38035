// Images per second of each network, beside the best rate of oneDNN's plain GEMM measured in the same run.

using System.Globalization;
using System.Runtime.InteropServices;
using Mirror.Formats;

namespace Mirror.Cli.Bench;

internal static class NetworkBench
{
    public static void Run(Device device, IReadOnlyList<string> networks, IReadOnlyList<int> sizes, int batch, Terminal terminal, CancellationToken cancellationToken)
    {
        var precisions = device.Info.Precisions;
        var gemm = precisions.ToDictionary(precision => precision, precision => GemmRate(device, precision, cancellationToken));
        terminal.Result("GEMM, best of three shapes: " + string.Join(", ", gemm.Select(pair => Invariant($"{Name(pair.Key)} {pair.Value / 1e9:F0} GFLOP/s"))));
        terminal.Result($"{"network",-18} {"size",5} {"prec",5} {"ms/image",9} {"images/s",9} {"GFLOP/s",8} {"of GEMM",8} {"arena MB",9}");
        var folder = Directory.CreateTempSubdirectory("mirror-bench-");
        try
        {
            foreach (var network in networks)
            {
                var path = Path.Combine(folder.FullName, network + ".safetensors");
                RandomModel.Write(network, path);
                using var model = Model.Load(path);
                foreach (var size in sizes.Where(size => size >= model.Info.MinSize))
                {
                    foreach (var precision in precisions)
                    {
                        var (seconds, info) = Measure(device, model, size, precision, batch, cancellationToken);
                        var rate = info.Flops / seconds;
                        terminal.Result(Invariant(
                            $"{network,-18} {size,5} {Name(precision),5} {seconds * 1e3,9:F2} {1 / seconds,9:F1} {rate / 1e9,8:F0} {rate / gemm[precision],8:P0} {info.ArenaBytes / 1e6,9:F1}"));
                    }
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // Seconds per image.
    private static (double Seconds, ExtractorInfo Info) Measure(Device device, Model model, int size, Precision precision, int batch, CancellationToken cancellationToken)
    {
        using var extractor = new Extractor(device, model, new ExtractorOptions { Width = size, Height = size, Precision = precision, Batch = batch, Steps = [1] });
        var input = new float[checked(batch * size * size * 3)];
        Timing.FillNormal(input, seed: size, scale: 60);
        var output = new float[checked(batch * extractor.Info.Regions * extractor.Info.Dimension)];
        return (Timing.Median(() => extractor.RunInput(input, output), cancellationToken: cancellationToken) / batch, extractor.Info);
    }

    // FLOP/s.
    private static double GemmRate(Device device, Precision precision, CancellationToken cancellationToken)
    {
        var best = 0.0;
        foreach (var (m, n, k) in ((int, int, int)[])[(1120, 2240, 256), (2048, 2048, 2048), (4096, 4096, 1024)])
        {
            var (a, b, c) = (new float[m * k], new float[n * k], new float[m * n]);
            Timing.FillNormal(a, seed: 1);
            Timing.FillNormal(b, seed: 2);
            best = Math.Max(best, 2.0 * m * n * k / Timing.Median(() => Operations.Gemm(device, a, b, m, n, k, precision, c), cancellationToken: cancellationToken));
        }

        return best;
    }

    private static string Name(Precision precision) => precision.ToString().ToLowerInvariant();

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A model file with seeded random weights (He et al. 2015), for measuring speed only.</summary>
internal static class RandomModel
{
    public static void Write(string network, string path)
    {
        var tensors = Networks.Variables(network).Select((variable, index) =>
        {
            var values = new float[variable.Dimensions.Aggregate(1L, (product, size) => product * size)];
            if (variable.Dimensions.Count == 4)
            {
                var fanIn = variable.Dimensions[0] * variable.Dimensions[1] * variable.Dimensions[2];
                Timing.FillNormal(values, seed: index, scale: Math.Sqrt(2.0 / fanIn));
            }
            else if (variable.Name.EndsWith("gamma", StringComparison.Ordinal) || variable.Name.EndsWith("moving_variance", StringComparison.Ordinal))
            {
                Array.Fill(values, 1);
            }

            return new SafeTensorsItem(variable.Name, ElementType.Float32, variable.Dimensions, () => MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
        });
        SafeTensorsWriter.Write(path, new Dictionary<string, string> { ["format"] = "mirror", ["network"] = network, ["origin"] = "random weights" }, [.. tensors]);
    }
}
