// Mirror's CPU backend beside ONNX Runtime: same weights, same input, same threads, taking turns in one process, so that a noisy neighbour
// meets all of them. Prints medians, the ratios, and how far the results are apart; ends with 1 where that is too far, with 2 where an argument is wrong.
//
//     dotnet run -c Release --project benchmarks/Mirror.Benchmarks -- [--threads 2] [--rounds 7] [--size 896] [NETWORK...]
//     dotnet run -c Release --project benchmarks/Mirror.Benchmarks -- random-model NETWORK FILE     seeded random weights, to compare a model with

using System.Diagnostics;
using System.Globalization;
using Mirror;
using Mirror.Benchmarks;
using Mirror.Cli.Bench;
using Mirror.Export;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    var settings = BenchmarkSettings.Parse(args);
    if (settings.ModelFile is { } file)
    {
        RandomModel.Write(settings.Networks[0], file);
        return 0;
    }

    return Compare(settings) ? 0 : 1;
}
catch (Exception failure) when (failure is ArgumentException or IOException)
{
    Console.Error.WriteLine($"error: {failure.Message}");
    return 2;
}

// Whether all results agree.
static bool Compare(BenchmarkSettings settings)
{
    var (threads, rounds, size) = (settings.Threads, settings.Rounds, settings.Size);
    using var device = Device.Open("cpu", threads);
    Console.WriteLine($"{device.Info.Name}, {threads} threads, {size} x {size}, batch 1, medians of {rounds} rounds; ONNX Runtime {OnnxPeer.Version}");
    Console.WriteLine($"{"network",-18} {"Mirror fp32",12} {"ONNX Runtime",13} {"ratio",6} {"Mirror bf16",12} {"speed-up",9}   largest difference to ONNX Runtime, of max; lowest cosine bf16 : fp32 of a region");
    var folder = Directory.CreateTempSubdirectory("mirror-benchmarks-");
    try
    {
        var agree = true;
        foreach (var network in settings.Networks)
        {
            agree &= CompareNetwork(device, network, settings, folder.FullName);
        }

        return agree;
    }
    finally
    {
        folder.Delete(recursive: true);
    }
}

static bool CompareNetwork(Device device, string network, BenchmarkSettings settings, string folder)
{
    var (threads, rounds, size) = (settings.Threads, settings.Rounds, settings.Size);
    var path = Path.Combine(folder, network + ".safetensors");
    RandomModel.Write(network, path);
    using var model = Model.Load(path);
    var options = new ExtractorOptions { Width = size, Height = size };
    var onnx = Path.Combine(folder, network + ".onnx");
    OnnxExporter.Export(path, options, onnx);
    var image = new float[size * size * 3];
    Timing.FillNormal(image, seed: 1, scale: 60);

    using var extractor = new Extractor(device, model, options);
    using var half = device.Info.Precisions.Contains(Precision.Bf16) ? new Extractor(device, model, options with { Precision = Precision.Bf16 }) : null;
    var (regions, dimension) = (extractor.Info.Regions, extractor.Info.Dimension);
    float[] ours = new float[regions * dimension], theirs = new float[ours.Length], rounded = new float[ours.Length];
    using var peer = new OnnxPeer(onnx, threads, image, size, theirs, regions, dimension);
    List<Action> work = [() => extractor.RunInput(image, ours), peer.Run];
    if (half is not null)
    {
        work.Add(() => half.RunInput(image, rounded));
    }

    var times = work.ConvertAll(_ => new List<double>());
    for (var round = -1; round < rounds; round++)
    {
        for (var i = 0; i < work.Count; i++)
        {
            Thread.Sleep(50); // lets the other's waiting threads go to sleep
            var start = Stopwatch.GetTimestamp();
            work[i]();
            if (round >= 0)
            {
                times[i].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }
    }

    var median = times.ConvertAll(list => list.Order().ElementAt(rounds / 2));
    var largest = ours.Max(Math.Abs);
    var difference = ours.Zip(theirs, (a, b) => Math.Abs(a - b)).Max() / largest;
    var bf16 = half is null ? $"{"-",12} {"-",9}" : $"{median[2],9:F1} ms {median[0] / median[2],8:F2}x";
    double? cosine = half is null ? null : Enumerable.Range(0, regions).Min(r => Cosine(ours.AsSpan(r * dimension, dimension), rounded.AsSpan(r * dimension, dimension)));
    Console.WriteLine($"{network,-18} {median[0],9:F1} ms {median[1],10:F1} ms {median[1] / median[0],6:F2} {bf16}   {difference:E1}; {cosine?.ToString("F5") ?? "-"}");
    string[] failures = [.. Agreement.Failures(difference, cosine)];
    Array.ForEach(failures, failure => Console.Error.WriteLine($"error: {network}: {failure}"));
    return failures.Length == 0;
}

static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
{
    double product = 0, first = 0, second = 0;
    for (var i = 0; i < a.Length; i++)
    {
        product += (double)a[i] * b[i];
        first += (double)a[i] * a[i];
        second += (double)b[i] * b[i];
    }

    return product / Math.Sqrt(first * second);
}
