// Import of checkpoints: values kept, bytes reproducible, and messages for what does not fit.

using System.Text.Json;
using Mirror.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Formats;

internal sealed class ModelImporterTests
{
    private static readonly NetworkVariables Net = new("net", [new("a/bias", [2]), new("a/kernel", [1, 1, 1, 2])]);
    private static readonly NetworkVariables Other = new("other", [new("b/bias", [1])]);
    private static readonly byte[] TwoFloats = [0, 0, 128, 63, 0, 0, 0, 64];

    [Test]
    public void Import_FittingCheckpoint_WritesNeededTensorsOnly()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("a/bias", 1, [2], TwoFloats).Add("a/kernel", 1, [1, 1, 1, 2], TwoFloats).Add("a/bias/Momentum", 1, [2], TwoFloats).Add("global_step", 3, [], [1, 0, 0, 0])
            .Write(folder.File("m.ckpt-5"));
        ImportReport report = Import(folder, step: 5);
        Assert.That(report, Has.Property("Tensors").EqualTo(2).And.Property("Parameters").EqualTo(4).And.Property("Ignored").EqualTo(2).And.Property("Warnings").Empty);
        using SafeTensorsFile file = SafeTensorsFile.Open(folder.File("out.safetensors"));
        Assert.That(string.Join(" ", file.Tensors.Select(tensor => tensor.Name)), Is.EqualTo("a/bias a/kernel"));
        Assert.That(file.ReadBytes("a/kernel"), Is.EqualTo(TwoFloats));
        Assert.That(file.Metadata, Is.EquivalentTo(new Dictionary<string, string> { ["format"] = "mirror", ["network"] = "net", ["origin"] = "m.ckpt-5" }));

        ModelFileInfo info = ModelFileInfo.Read(folder.File("out.safetensors"));
        Assert.That(info, Has.Property("Network").EqualTo("net").And.Property("Origin").EqualTo("m.ckpt-5").And.Property("Parameters").EqualTo(4));
        Assert.That(info.Files.Single().Sha256, Is.EqualTo(report.Sha256));
    }

    [Test]
    public void Import_Twice_GivesTheSameBytes()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("a/bias", 1, [2], TwoFloats).Add("a/kernel", 1, [1, 1, 1, 2], TwoFloats).Write(folder.File("m.ckpt"));
        Assert.That(Import(folder).Sha256, Is.EqualTo(Import(folder).Sha256));
    }

    [Test]
    public void Import_DoubleAndHalf_ConvertsWithWarnings()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("a/bias", 2, [2], [.. BitConverter.GetBytes(1.0), .. BitConverter.GetBytes(2.0)]).Add("a/kernel", 19, [1, 1, 1, 2], [0, 0x3C, 0, 0x40]).Write(folder.File("m.ckpt"));
        ImportReport report = Import(folder);
        Assert.That(report.Warnings, Has.Count.EqualTo(2).And.Some.Contains("float64").And.Some.Contains("half").Or.Some.Contains("float16"));
        using SafeTensorsFile file = SafeTensorsFile.Open(report.Output);
        Assert.That(file.ReadBytes("a/kernel"), Is.EqualTo(TwoFloats));
        Assert.That(file.ReadBytes("a/bias"), Is.EqualTo(TwoFloats));
    }

    [Test]
    public void Import_MissingVariables_CountsThemAndSuggestsTheNetworkThatFits()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("b/bias", 1, [1], TwoFloats[..4]).Write(folder.File("m.ckpt"));
        Fails(folder, "2 of the 2 variables of net are missing: a/bias, a/kernel", "all variables of other");
    }

    [Test]
    public void Import_WrongShape_SaysBothShapes()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("a/bias", 1, [2], TwoFloats).Add("a/kernel", 1, [2], TwoFloats).Write(folder.File("m.ckpt"));
        Fails(folder, "a/kernel is [2], expected [1, 1, 1, 2]", "m.ckpt.index");
    }

    [Test]
    public void Import_IntegerVariable_SaysItsType()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("a/bias", 3, [2], TwoFloats).Add("a/kernel", 1, [1, 1, 1, 2], TwoFloats).Write(folder.File("m.ckpt"));
        Fails(folder, "a/bias", "int32");
    }

    [Test]
    public void Import_NotANumber_NamesTheElement()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("a/bias", 1, [2], [0, 0, 128, 63, 0, 0, 0xC0, 0x7F]).Add("a/kernel", 1, [1, 1, 1, 2], TwoFloats).Write(folder.File("m.ckpt"));
        Fails(folder, "a/bias [2]: element 1 is NaN", "");
    }

    [Test]
    public void Import_DamagedData_WritesNothing()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("a/bias", 1, [2], TwoFloats).Add("a/kernel", 1, [1, 1, 1, 2], TwoFloats).Write(folder.File("m.ckpt"));
        byte[] data = File.ReadAllBytes(folder.File("m.ckpt.data-00000-of-00001"));
        data[^1] ^= 1;
        File.WriteAllBytes(folder.File("m.ckpt.data-00000-of-00001"), data);
        Fails(folder, "checksum", "a/kernel");
    }

    [Test]
    public void Import_OntoItsSourceOrWithLongOrigin_IsRefused()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("a/bias", 1, [2], TwoFloats).Add("a/kernel", 1, [1, 1, 1, 2], TwoFloats).Write(folder.File("m.ckpt"));
        Assert.That(() => ModelImporter.Import(folder.File("m.ckpt"), Net, () => [], null, folder.File("m.ckpt.index"), null), Throws.ArgumentException);
        Assert.That(() => ModelImporter.Import(folder.File("m.ckpt"), Net, () => [], null, folder.File("o"), new string('x', 200)), Throws.ArgumentException.With.Message.Contains("200 bytes"));
    }

    [TestCase("golden/models/model.ckpt-400000", 58)]
    [TestCase("models/half_googlenet.ckpt-300000", 1)]
    public void Import_HalfGoogLeNet_TakesEveryNeededVariable(string source, int ignored)
    {
        string prefix = Paths.SharedOrSkip(source);
        using JsonDocument networks = JsonDocument.Parse(File.ReadAllBytes(Paths.SharedOrSkip("golden/networks.json")));
        NetworkVariables half = new("half_googlenet", [.. networks.RootElement.GetProperty("networks").GetProperty("half_googlenet").GetProperty("layers").EnumerateArray()
            .Where(layer => layer.GetProperty("needed").GetBoolean())
            .SelectMany(layer => layer.GetProperty("variables").EnumerateArray())
            .Select(variable => new TensorShape(variable[0].GetString()!, [.. variable[1].EnumerateArray().Select(dim => dim.GetInt64())]))]);
        using TempFolder folder = new();
        ImportReport report = ModelImporter.Import(prefix, half, () => [], null, folder.File("half.safetensors"), null);
        TestContext.Out.WriteLine(report);
        Assert.That(report, Has.Property("Tensors").EqualTo(114).And.Property("Parameters").EqualTo(1497560).And.Property("Ignored").EqualTo(ignored));
        Assert.That(report.Origin, Is.EqualTo(Path.GetFileName(prefix)));
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(prefix);
        using SafeTensorsFile file = SafeTensorsFile.Open(report.Output);
        foreach (TensorEntry tensor in file.Tensors)
        {
            Assert.That(file.ReadBytes(tensor.Name).AsSpan().SequenceEqual(checkpoint.ReadBytes(tensor.Name)), tensor.Name);
        }
    }

    [Test]
    public void Read_Checkpoint_ListsVerifiesAndPrints()
    {
        ModelFileInfo info = ModelFileInfo.Read(Paths.Data("models") + "/small.ckpt", verify: true);
        using StringWriter text = new();
        info.Write(text);
        TestContext.Out.WriteLine(text);
        Assert.That(info.Verification, Is.EqualTo("every checksum is good"));
        Assert.That(info.Files, Has.Count.EqualTo(2));
        Assert.That(text.ToString(), Does.Contain("conv1/kernel").And.Contain("[3, 3, 2, 4]").And.Contain(info.Files[1].Sha256));
    }

    private static ImportReport Import(TempFolder folder, long? step = null) =>
        ModelImporter.Import(folder.File("m.ckpt"), Net, () => [Net, Other], step, folder.File("out.safetensors"), null);

    private static void Fails(TempFolder folder, string first, string second)
    {
        int files = Directory.GetFiles(folder.Root).Length;
        Assert.That(() => Import(folder), Throws.TypeOf<InvalidDataException>().With.Message.Contains(first).And.Message.Contains(second));
        Assert.That(Directory.GetFiles(folder.Root), Has.Length.EqualTo(files), "nothing is left behind");
    }
}
