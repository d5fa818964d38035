using System.Globalization;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Mirror.Export;
using Mirror.Tests.Core;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Export;

/// <summary>Exported models, run by ONNX Runtime: the double-precision golden set within 1e-4 of the largest value.</summary>
[NonParallelizable]
public sealed class OnnxExporterTests
{
    private const double Tolerance = 1e-4;

    [TestCase("googlenet")]
    [TestCase("half_googlenet")]
    [TestCase("googlenet_bn")]
    [TestCase("googlenet_places")]
    [TestCase("resnet-50")]
    [TestCase("resnet-101")]
    [TestCase("resnet-152")]
    public void Export_GoldenWeights_OnnxRuntimeEqualsTheDoublePrecisionReference(string network)
    {
        var golden = Npz.Open(Paths.SharedOrSkip($"golden/nets/{network}.npz"));
        using var layers = JsonDocument.Parse(File.ReadAllText(Paths.SharedOrSkip($"golden/nets/{network}.layers.json")));
        using var folder = Paths.NewTempFolder();
        GoldenWeights.Write(network, folder.File("model.safetensors"));
        // The odd, oblong size: it catches wrong padding.
        var size = layers.RootElement.GetProperty("sizes").EnumerateObject().Single(item => item.Name is "131x163" or "231x263");
        int[] steps = [.. size.Value.GetProperty("rmac_steps").EnumerateArray().Select(step => step.GetInt32())];
        var images = golden[$"image_{size.Name}"];
        var (count, height, width) = ((int)images.Shape[0], (int)images.Shape[1], (int)images.Shape[2]);
        float[] mean = [124, 117, 104];
        var input = images.Bytes.ToArray().Select((value, i) => value - mean[i % 3]).ToArray();
        foreach (var pooling in (RegionPooling[])[RegionPooling.Max, RegionPooling.Avg, RegionPooling.L2])
        {
            var options = new ExtractorOptions { Width = width, Height = height, Steps = steps, Pooling = pooling };
            var report = OnnxExporter.Export(folder.File("model.safetensors"), options, folder.File("model.onnx"));
            var (descriptors, map) = Run(folder.File("model.onnx"), input, count, height, width);

            // [count, h, w, D] and [count, D, R].
            var (output, rmac) = (golden[$"output_{size.Name}"], golden[$"rmac_{size.Name}_{pooling.ToString().ToUpperInvariant()}"]);
            AssertClose(map, Transposed(output.ToFloat32(), count, (int)(output.Shape[1] * output.Shape[2]), (int)output.Shape[3]), $"{network} map");
            AssertClose(descriptors, Transposed(rmac.ToFloat32(), count, report.Dimension, report.Regions), $"{network} {pooling}");
        }
    }

    [Test]
    public void Export_SeveralScales_OnnxRuntimeEqualsTheExtractor() =>
        AssertEqualsTheExtractor(new ExtractorOptions { Width = 448, Height = 448, MultiScale = true, Steps = [1, 2] });

    [Test]
    public void Export_ScalesOfOddSizes_OnnxRuntimeEqualsTheExtractor() =>
        AssertEqualsTheExtractor(new ExtractorOptions { Width = 450, Height = 350, Fit = FitMode.Whole, MultiScale = true });

    [TestCase(3f)]
    [TestCase(32f)]
    public void Export_WholePhotographGem_OnnxRuntimeEqualsTheExtractor(float power) =>
        AssertEqualsTheExtractor(new ExtractorOptions { Width = 512, Height = 384, Fit = FitMode.Whole, Pooling = RegionPooling.Gem, GemPower = power });

    private static void AssertEqualsTheExtractor(ExtractorOptions options)
    {
        using var folder = Paths.NewTempFolder();
        TestModel.Write(folder.File("model.safetensors"));
        OnnxExporter.Export(folder.File("model.safetensors"), options, folder.File("model.onnx"));
        const int seed = 4711;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var input = Enumerable.Range(0, options.Height * options.Width * 3).Select(_ => (float)((random.NextDouble() * 255) - 115)).ToArray();
        using var device = Device.Open("cpu");
        using var model = Model.Load(folder.File("model.safetensors"));
        using var extractor = new Extractor(device, model, options);
        var expected = new float[extractor.Info.Regions * extractor.Info.Dimension];
        extractor.RunInput(input, expected);

        AssertClose(Run(folder.File("model.onnx"), input, 1, options.Height, options.Width).Descriptors, expected, options.ToString());
    }

    [Test]
    public void Export_SizeBelowTheNetworksMinimum_IsRefusedAndLeavesNothing()
    {
        using var folder = Paths.NewTempFolder();
        GoldenWeights.Write("resnet-50", folder.File("model.safetensors"));

        Assert.That(
            () => OnnxExporter.Export(folder.File("model.safetensors"), new ExtractorOptions { Width = 96, Height = 96 }, folder.File("model.onnx")),
            Throws.ArgumentException.With.Message.Contain("96"));
        Assert.That(File.Exists(folder.File("model.onnx")), Is.False);
    }

    // input [count, height, width, 3].
    private static (float[] Descriptors, float[] Map) Run(string path, float[] input, int count, int height, int width)
    {
        using var session = new InferenceSession(path);
        using var image = OrtValue.CreateTensorValueFromMemory(Transposed(input, count, height * width, 3), [count, 3, height, width]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, ["image"], [image], ["descriptors", "map"]);
        return (outputs[0].GetTensorDataAsSpan<float>().ToArray(), outputs[1].GetTensorDataAsSpan<float>().ToArray());
    }

    // [count, rows, columns] -> [count, columns, rows].
    private static float[] Transposed(float[] values, int count, int rows, int columns)
    {
        var result = new float[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var (item, row, column) = (i / (rows * columns), i / columns % rows, i % columns);
            result[(((item * columns) + column) * rows) + row] = values[i];
        }

        Assert.That(values, Has.Length.EqualTo(count * rows * columns));
        return result;
    }

    private static void AssertClose(float[] actual, float[] expected, string name)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length), name);
        var error = actual.Zip(expected, (a, b) => Math.Abs((double)a - b)).Max() / expected.Max(Math.Abs);
        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: largest error {error:E1} of max|output|"));
        Assert.That(error, Is.LessThanOrEqualTo(Tolerance), name);
    }
}
