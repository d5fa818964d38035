// Every way in: golden and genuine files of each format, the same weights in all of them, and what is refused.

using Mirror.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;
using static Mirror.Tests.Formats.Proto;

namespace Mirror.Tests.Formats;

internal sealed class ModelSourceTests
{
    private static readonly NamedTensor Kernel = new("a/kernel", [2, 3], [1, 2, 3, 4, 5, 6]);
    private static readonly NamedTensor Bias = new("a/bias", [3], [7, 8, 9]);
    private static readonly NamedTensor Scalar = new("step", [], [10]);

    [TestCase("small.ckpt", "TensorFlow V2 checkpoint")]
    [TestCase("small_frozen.pb", "TensorFlow frozen graph")]
    [TestCase("small_py2.npy", "numpy dictionary")]
    [TestCase("small_py3.npy", "numpy dictionary")]
    public void Open_GoldenFile_HasTheValuesOfNumpy(string name, string kind)
    {
        IReadOnlyDictionary<string, NpyArray> expected = Npz.Open(Paths.SharedOrSkip("golden/models/small.npz"));
        using ITensorSource source = ModelSource.Open(Paths.SharedOrSkip("golden/models/" + name));
        Assert.That(source.Kind, Is.EqualTo(kind));
        Assert.That(source.Notes, Is.Empty);
        Assert.That(source.Verify(), Is.Not.Empty);
        Assert.That(source.Tensors.Select(tensor => tensor.Name), Is.EquivalentTo(expected.Keys.Select(key => key.Replace('.', '/'))));
        foreach ((string key, NpyArray array) in expected)
        {
            string variable = key.Replace('.', '/');
            Assert.That(source.Find(variable)!.Shape, Is.EqualTo(array.Shape), variable);
            Assert.That(source.ReadBytes(variable), Is.EqualTo(array.Bytes.ToArray()), variable);
        }
    }

    [Test]
    public void Open_GenuineV1Checkpoint_ReadsBothVariables()
    {
        using ITensorSource source = ModelSource.Open(Paths.SharedOrSkip("golden/genuine/tensorflow_serving/bad_half_plus_two_v1/export"));
        Assert.That(source.Kind, Is.EqualTo("TensorFlow V1 checkpoint"));
        Assert.That(source.Tensors.Select(tensor => $"{tensor.Name} {tensor.ShapeText} {source.ReadFloat32(tensor.Name)[0]}"), Is.EqualTo(new[] { "Variable [] 0.5", "Variable_1 [] 2" }));
    }

    [Test]
    public void Open_GenuineFrozenGraph_ReadsItsConstants()
    {
        using ITensorSource source = ModelSource.Open(Paths.SharedOrSkip("golden/genuine/frozen_pb/frozen_model.pb"));
        Assert.That(source.Tensors.Select(tensor => $"{tensor.Name} {tensor.ShapeText}"), Is.EqualTo(new[] { "biases [10]", "weights [784, 10]" }));
        Assert.That(source.ReadFloat32("weights"), Has.All.InRange(-4f, 4f).And.Some.Not.Zero);
    }

    [TestCase(0)]
    [TestCase(1)]
    public void Open_V1Checkpoint_PutsSlicesTogether(int rows)
    {
        using TempFolder folder = new();
        File.WriteAllBytes(folder.File("m-7"), V1Builder.Write([Kernel, Bias, Scalar], rows));
        using ITensorSource source = ModelSource.Open(folder.File("m"), 7);
        Assert.That(source.Kind, Is.EqualTo("TensorFlow V1 checkpoint"));
        Assert.That(source.Tensors.Select(tensor => tensor.Name), Is.EqualTo(new[] { "a/bias", "a/kernel", "step" }));
        foreach (NamedTensor tensor in (NamedTensor[])[Kernel, Bias, Scalar])
        {
            Assert.That(source.ReadFloat32(tensor.Name), Is.EqualTo(tensor.Values));
        }
        Assert.That(source.ReadFloat32("a/kernel"), Is.EqualTo(Kernel.Values), "a second time");
    }

    [Test]
    public void Open_V1CheckpointWithOneValueLess_SaysSo()
    {
        using TempFolder folder = new();
        File.WriteAllBytes(folder.File("m"), V1Builder.Write([Bias with { Values = [7, 8] }]));
        using ITensorSource source = ModelSource.Open(folder.File("m"));
        Assert.That(() => source.ReadBytes("a/bias"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("a/bias").And.Message.Contains("lacks 1 of its 3 values"));
    }

    // Packed, one alone, the last repeated, none at all, and every list that TensorProto has.
    [Test]
    public void Open_FrozenGraphWithListedValues_ReadsEachType()
    {
        using TempFolder folder = new();
        File.WriteAllBytes(folder.File("m.pb"), new GraphBuilder()
            .Const("packed", 1, [3], value => Nested(value, 5, ElementData.FromFloat32([1, 2, 3])))
            .Const("repeated", 1, [2, 2], value => Nested(value, 5, ElementData.FromFloat32([1, 2])))
            .Const("alone", 3, [2], value => Number(value, 7, -5))
            .Const("none", 1, [2], _ => { })
            .Const("double", 2, [1], value => Nested(value, 6, BitConverter.GetBytes(2.5)))
            .Const("long", 9, [1], value => Nested(value, 10, [0xAC, 0x02]))
            .Const("half", 19, [1], value => Number(value, 13, 0x3C00))
            .Const("byte", 4, [2], value => Nested(value, 7, [200, 1, 3]))
            .Const("truth", 10, [1], value => Number(value, 11, 1))
            .Const("text", 7, [], value => Nested(value, 8, "abc"u8.ToArray()))
            .ToArray());
        using ITensorSource source = ModelSource.Open(folder.File("m.pb"));
        Assert.That(source.Tensors.Where(tensor => tensor.Type != ElementType.Other).ToDictionary(tensor => tensor.Name, tensor => string.Join(" ", source.ReadFloat32(tensor.Name))), Is.EqualTo(new Dictionary<string, string>
        {
            ["packed"] = "1 2 3",
            ["repeated"] = "1 2 2 2",
            ["alone"] = "-5 -5",
            ["none"] = "0 0",
            ["double"] = "2.5",
            ["long"] = "300",
            ["half"] = "1",
            ["byte"] = "200 3",
            ["truth"] = "1",
        }));
        Assert.That(() => source.ReadBytes("text"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("string"));
    }

    [TestCase(1, new long[] { 2 }, 5, 12, "3 values for 2 elements")]
    [TestCase(1, new long[] { 2 }, 5, 7, "field 5 (7 bytes)")]
    [TestCase(1, new long[] { 2 }, 6, 8, "expected field 5")]
    [TestCase(1, new long[] { 2 }, 4, 12, "12 bytes of content")]
    [TestCase(1, new long[] { 9_000_000 }, 5, 4, "repeated values")]
    [TestCase(1, new long[] { long.MaxValue }, 5, 4, "more bytes than can be read")]
    [TestCase(1, new long[] { -1 }, 5, 4, "not possible")]
    public void Open_ImpossibleConstant_NamesIt(int type, long[] shape, int field, int bytes, string message)
    {
        using TempFolder folder = new();
        File.WriteAllBytes(folder.File("m.pb"), new GraphBuilder().Const("some/kernel", type, shape, value => Nested(value, field, new byte[bytes])).ToArray());
        Assert.That(() => ModelSource.Open(folder.File("m.pb")), Throws.TypeOf<InvalidDataException>().With.Message.Contains("m.pb").And.Message.Contains("some/kernel").And.Message.Contains(message));
    }

    [Test]
    public void Open_OtherFiles_SayWhatTheyAre()
    {
        using TempFolder folder = new();
        SafeTensorsWriter.Write(folder.File("s"), new Dictionary<string, string>(), []);
        NpyFile.Write(folder.File("a.npy"), [1f], 1);
        File.WriteAllText(folder.File("text"), "hello");
        File.WriteAllBytes(folder.File("empty"), []);
        File.WriteAllBytes(folder.File("g.pb"), new GraphBuilder().Node("x", "Placeholder").ToArray());
        foreach ((string name, string message) in ((string, string)[])[("s", "needs no import"), ("a.npy", "numbers of type '<f4'"), ("text", "begins with 68656c6c6f"), ("empty", "begins with "), ("g.pb", "no constants")])
        {
            Assert.That(() => ModelSource.Open(folder.File(name)), Throws.TypeOf<InvalidDataException>().With.Message.Contains(name).And.Message.Contains(message));
        }
        Assert.That(() => ModelSource.Open(folder.File("absent")), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("absent"));
    }

    // Done when 2: one set of weights in five forms gives one file.
    [Test]
    public void Import_SameWeightsInEveryFormat_GivesTheSameBytes()
    {
        NamedTensor[] weights = [.. Networks.Variables("half_googlenet").Select(variable => new NamedTensor(variable.Name, [.. variable.Dimensions], GoldenWeights.Values("half_googlenet", variable)))];
        using TempFolder folder = new();
        BundleBuilder bundle = new();
        GraphBuilder graph = new();
        Array.ForEach(weights, tensor => bundle.Add(tensor.Name, 1, tensor.Shape, tensor.Bytes));
        Array.ForEach(weights, tensor => graph.Variable(tensor));
        bundle.Write(folder.File("v2"));
        File.WriteAllBytes(folder.File("v1"), V1Builder.Write(weights));
        File.WriteAllBytes(folder.File("v1.sliced"), V1Builder.Write(weights, rows: 2));
        File.WriteAllBytes(folder.File("frozen.pb"), graph.ToArray());
        File.WriteAllBytes(folder.File("py2.npy"), new NumpyDictionaryBuilder(python3: false).Write(weights));
        File.WriteAllBytes(folder.File("py3.npy"), new NumpyDictionaryBuilder(python3: true).Write(weights));
        ImportReport[] reports = [.. new[] { "v2", "v1", "v1.sliced", "frozen.pb", "py2.npy", "py3.npy" }
            .Select(name => ModelImporter.Import(folder.File(name), "half_googlenet", null, folder.File(name + ".safetensors"), "the same"))];
        Assert.That(reports.Select(report => report.Kind).Distinct().Count(), Is.EqualTo(4));
        Assert.That(reports.Select(report => report.Sha256).Distinct().Count(), Is.EqualTo(1), string.Join("\n", reports.Select(report => $"{report.Kind} {report.Sha256}")));
        using SafeTensorsFile file = SafeTensorsFile.Open(reports[0].Output);
        Assert.That(file.ReadBytes("conv1_7x7_s2/kernel"), Is.EqualTo(weights.Single(tensor => tensor.Name == "conv1_7x7_s2/kernel").Bytes));
    }
}
