// Frozen graphs after optimize_for_inference: the same descriptors as the batch norms that it folded, and no guesses.

using Mirror.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Formats;

[NonParallelizable]
internal sealed class FoldedBatchNormTests
{
    private const double Epsilon = 1e-5;
    private static readonly NamedTensor Kernel = new("c/kernel", [1, 1, 1, 2], [1, 2]);
    private static readonly NamedTensor Offset = new("c/Conv2D_bn_offset", [2], [3, 4]);

    [TestCase("resnet-50", "Conv2D", 52)]
    [TestCase("googlenet_bn", "convolution", 69)]
    public void Import_FoldedNetwork_GivesTheSameMap(string network, string convolution, int folded)
    {
        Dictionary<string, NamedTensor> weights = Networks.Variables(network)
            .ToDictionary(variable => variable.Name, variable => new NamedTensor(variable.Name, [.. variable.Dimensions], GoldenWeights.Values(network, variable)));
        using TempFolder folder = new();
        SafeTensorsWriter.Write(folder.File("whole.safetensors"), new Dictionary<string, string> { ["network"] = network }, [.. weights.Values.Select(tensor => SafeTensorsItem.FromFloats(tensor.Name, tensor.Shape, tensor.Values))]);
        File.WriteAllBytes(folder.File("folded.pb"), Fold(network, weights, convolution));
        ImportReport report = ModelImporter.Import(folder.File("folded.pb"), network, null, folder.File("folded.safetensors"), null);
        Assert.That(report.Notes, Has.Count.EqualTo(1));
        Assert.That(report.Notes[0], Does.StartWith($"{folded} batch norms were folded"));

        float[] expected = Map(folder.File("whole.safetensors")), actual = Map(folder.File("folded.safetensors"));
        double error = expected.Zip(actual, (a, b) => Math.Abs((double)a - b)).Max() / expected.Max(Math.Abs);
        TestContext.Out.WriteLine($"{network}: {folded} folded, largest error {error:E1} of max|output|");
        Assert.That(error, Is.LessThanOrEqualTo(1e-5));
    }

    // What the core's own folding makes of the restored variables: a factor that float32 does not see.
    [Test]
    public void Open_FoldedGraph_RestoresABatchNormThatOnlyAdds()
    {
        using TempFolder folder = new();
        File.WriteAllBytes(folder.File("m.pb"), Graph().ToArray());
        using ITensorSource source = ModelSource.Open(folder.File("m.pb"));
        Assert.That(source.Tensors.Select(tensor => tensor.Name), Is.EqualTo(new[] { "bn/beta", "bn/gamma", "bn/moving_mean", "bn/moving_variance", "c/kernel" }));
        Assert.That(source.ReadFloat32("bn/beta"), Is.EqualTo(Offset.Values));
        Assert.That(source.ReadFloat32("bn/moving_mean"), Is.EqualTo(new float[2]));
        Assert.That(source.ReadFloat32("c/kernel"), Is.EqualTo(Kernel.Values));
        double factor = source.ReadFloat32("bn/gamma")[0] / Math.Sqrt(source.ReadFloat32("bn/moving_variance")[0] + Epsilon);
        Assert.That(factor, Is.EqualTo(1).Within(3e-8));
    }

    [TestCase("bn/FusedBatchNorm", "Add", "c/Conv2D", "(Add), expected one BiasAdd")]
    [TestCase("bn/something", "BiasAdd", "c/Conv2D", "no batch norm's name")]
    [TestCase("FusedBatchNorm", "BiasAdd", "c/Conv2D", "no batch norm's name")]
    [TestCase("bn/FusedBatchNorm", "BiasAdd", "elsewhere", "expected the Conv2D")]
    [TestCase("bn/FusedBatchNorm", "BiasAdd", "c/Conv2D", "fit", 3)]
    [TestCase("a/FusedBatchNorm", "BiasAdd", "c/Conv2D", "is there although")]
    public void Open_UnusualFolding_IsRefused(string name, string op, string input, string message, int channels = 2)
    {
        using TempFolder folder = new();
        File.WriteAllBytes(folder.File("m.pb"), Graph(name, op, input, channels).Variable(new("a/gamma", [2], [1, 1])).ToArray());
        Assert.That(() => ModelSource.Open(folder.File("m.pb")), Throws.TypeOf<InvalidDataException>().With.Message.Contains("c/Conv2D_bn_offset").And.Message.Contains(message));
    }

    private static GraphBuilder Graph(string name = "bn/FusedBatchNorm", string op = "BiasAdd", string input = "c/Conv2D", int channels = 2) => new GraphBuilder()
        .Const("c/kernel", 1, Kernel.Shape, value => Proto.Nested(value, 4, Kernel.Bytes))
        .Const("c/Conv2D_bn_offset", 1, [channels], value => Proto.Nested(value, 4, ElementData.FromFloat32([3, 4, 5]).AsSpan(0, channels * 4).ToArray()))
        .Node("c/Conv2D", "Conv2D", "x", "c/kernel")
        .Node(name, op, input, "c/Conv2D_bn_offset");

    // As optimize_for_inference does: convolutions without bias that have a batch norm, in double, Identity nodes removed.
    private static byte[] Fold(string network, Dictionary<string, NamedTensor> weights, string convolution)
    {
        GraphBuilder graph = new();
        HashSet<string> gone = [];
        foreach (NamedTensor gamma in weights.Values.Where(tensor => tensor.Name.EndsWith("/gamma", StringComparison.Ordinal)))
        {
            string scope = gamma.Name[..^"/gamma".Length];
            string layer = network == "googlenet_bn" ? scope[..^"/bn".Length] : scope == "bn_conv1" ? "conv1" : "res" + scope["bn".Length..];
            if (weights.ContainsKey(layer + "/bias"))
            {
                continue;
            }
            NamedTensor kernel = weights[layer + "/kernel"];
            float[] scaled = new float[kernel.Values.Length], offset = new float[gamma.Values.Length];
            double[] scale = [.. gamma.Values.Zip(weights[scope + "/moving_variance"].Values, (g, v) => g / Math.Sqrt(v + Epsilon))];
            for (int i = 0; i < scaled.Length; i++)
            {
                scaled[i] = (float)(kernel.Values[i] * scale[i % scale.Length]);
            }
            for (int i = 0; i < offset.Length; i++)
            {
                offset[i] = (float)(weights[scope + "/beta"].Values[i] - (weights[scope + "/moving_mean"].Values[i] * scale[i]));
            }
            string conv = $"{layer}/{convolution}";
            graph.Const(kernel.Name, 1, kernel.Shape, value => Proto.Nested(value, 4, ElementData.FromFloat32(scaled)))
                .Node(conv, "Conv2D", "before", kernel.Name)
                .Const(conv + "_bn_offset", 1, [offset.Length], value => Proto.Nested(value, 4, ElementData.FromFloat32(offset)))
                .Node(scope + "/FusedBatchNorm", "BiasAdd", conv, conv + "_bn_offset");
            gone.UnionWith([kernel.Name, gamma.Name, scope + "/beta", scope + "/moving_mean", scope + "/moving_variance"]);
        }
        foreach (NamedTensor tensor in weights.Values.Where(tensor => !gone.Contains(tensor.Name)))
        {
            graph.Const(tensor.Name, 1, tensor.Shape, value => Proto.Nested(value, 4, tensor.Bytes));
        }
        return graph.ToArray();
    }

    private static float[] Map(string file)
    {
        const int Side = 224;
        using Device device = Device.Open("cpu");
        using Model model = Model.Load(file);
        using Extractor extractor = new(device, model, new ExtractorOptions { Width = Side, Height = Side });
        Random random = new(5);
        float[] input = [.. Enumerable.Range(0, Side * Side * 3).Select(_ => (random.NextSingle() * 255) - 128)];
        float[] map = new float[extractor.Info.MapHeight * extractor.Info.MapWidth * extractor.Info.Dimension];
        extractor.RunMap(input, map);
        return map;
    }
}
