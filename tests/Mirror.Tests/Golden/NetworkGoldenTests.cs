using NUnit.Framework;
using System.Globalization;
using System.Text.Json;
using Mirror.Formats;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Golden;

/// <summary>Every network at every golden size, square or not: the map and the region vectors within 1e-5 of the largest value.</summary>
[NonParallelizable]
public sealed class NetworkGoldenTests
{
    private const double Fp32Tolerance = 1e-5;

    // bfloat16 has 8 bits of mantissa: 2^-9 of rounding a layer; measured 0.004 to 0.013 of max|output|.
    private const double Bf16Tolerance = 0.02;
    private static readonly float[] Mean = [124, 117, 104];

    [TestCase("googlenet")]
    [TestCase("half_googlenet")]
    [TestCase("googlenet_bn")]
    [TestCase("googlenet_places")]
    [TestCase("resnet-50")]
    [TestCase("resnet-101")]
    [TestCase("resnet-152")]
    public void Network_GoldenWeights_EqualTheDoublePrecisionReference(string network)
    {
        var golden = Npz.Open(Paths.SharedOrSkip($"golden/nets/{network}.npz"));
        using var layers = JsonDocument.Parse(File.ReadAllText(Paths.SharedOrSkip($"golden/nets/{network}.layers.json")));
        using var folder = Paths.NewTempFolder();
        GoldenWeights.Write(network, folder.File("model.safetensors"));
        using var device = Device.Open("cpu");
        using var model = Model.Load(folder.File("model.safetensors"));

        foreach (var size in layers.RootElement.GetProperty("sizes").EnumerateObject())
        {
            var (height, width) = (Part(size.Name, 0), Part(size.Name, 1));
            int[] steps = [.. size.Value.GetProperty("rmac_steps").EnumerateArray().Select(step => step.GetInt32())];
            var images = golden[$"image_{size.Name}"];
            var input = Centred(images);
            foreach (var pooling in (RegionPooling[])[RegionPooling.Max, RegionPooling.Avg, RegionPooling.L2])
            {
                var options = new ExtractorOptions { Width = width, Height = height, Batch = (int)images.Shape[0], Steps = steps, Pooling = pooling };
                using var extractor = new Extractor(device, model, options);
                if (pooling == RegionPooling.Max)
                {
                    AssertMap(extractor, input, golden[$"output_{size.Name}"], $"{network} {size.Name}", Fp32Tolerance);
                }

                AssertRegions(extractor, input, golden[$"rmac_{size.Name}_{pooling.ToString().ToUpperInvariant()}"], $"{network} {size.Name} {pooling}");
            }

            if (device.Info.Precisions.Contains(Precision.Bf16))
            {
                using var half = new Extractor(device, model, new ExtractorOptions { Width = width, Height = height, Steps = steps, Precision = Precision.Bf16 });
                AssertMap(half, input, golden[$"output_{size.Name}"], $"{network} {size.Name} bf16", Bf16Tolerance);
            }
        }
    }

    [TestCase("test0_224")]
    [TestCase("test1_224")]
    [TestCase("test0_448")]
    [TestCase("test1_448")]
    public void DefaultModel_ReferencePictures_EqualTheDoublePrecisionReference(string picture)
    {
        var reference = Npz.Open(Paths.SharedOrSkip("models/reference.npz"))[picture];
        using var image = Mirror.Photographs.PhotoDecoder.Decode(Paths.SharedOrSkip($"models/{picture}.png")).Image;
        using var device = Device.Open("cpu");
        using var model = Model.Load(Paths.InRoot("models/default.safetensors"));
        using var extractor = new Extractor(device, model, new ExtractorOptions { Width = image.Width, Height = image.Height });
        var input = new float[image.Width * image.Height * 3];
        Operations.Preprocess(device, image, image.Height, image.Width, Mean, input);
        AssertMap(extractor, input, reference, picture, Fp32Tolerance);
    }

    private static void AssertMap(Extractor extractor, float[] input, NpyArray expected, string name, double tolerance)
    {
        var map = new float[expected.Count];
        extractor.RunMap(input, map);
        AssertClose(map, expected.ToFloat32(), name + " map", tolerance);
    }

    private static void AssertRegions(Extractor extractor, float[] input, NpyArray expected, string name)
    {
        var (count, dimension, regions) = ((int)expected.Shape[0], extractor.Info.Dimension, extractor.Info.Regions);
        Assert.That(expected.Shape, Is.EqualTo(new long[] { count, dimension, regions }), name);
        var rows = new float[expected.Count];
        extractor.RunInput(input, rows);
        var wanted = expected.ToFloat32();
        var transposed = new float[wanted.Length];
        for (var i = 0; i < wanted.Length; i++)
        {
            var (image, d, r) = (i / (dimension * regions), i / regions % dimension, i % regions);
            transposed[(((image * regions) + r) * dimension) + d] = wanted[i];
        }

        AssertClose(rows, transposed, name + " regions", Fp32Tolerance);
    }

    private static void AssertClose(float[] actual, float[] expected, string name, double tolerance)
    {
        var largest = expected.Max(Math.Abs);
        var error = actual.Zip(expected, (a, b) => Math.Abs((double)a - b)).Max() / largest;
        TestContext.Out.WriteLine($"{name}: largest error {error:E1} of max|output|");
        Assert.That(error, Is.LessThanOrEqualTo(tolerance), name);
    }

    private static float[] Centred(NpyArray images)
    {
        var bytes = images.Bytes;
        var input = new float[bytes.Length];
        for (var i = 0; i < input.Length; i++)
        {
            input[i] = bytes[i] - Mean[i % 3];
        }

        return input;
    }

    private static int Part(string size, int index) => int.Parse(size.Split('x')[index], CultureInfo.InvariantCulture);
}
