// Networks and model files.
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Core;

[TestFixture]
public sealed class ModelTests : NativeFixture
{
    [Test]
    public void Networks_AreTheSevenOfTheOriginal()
    {
        string[] original = ["googlenet", "half_googlenet", "googlenet_bn", "googlenet_places", "resnet-50", "resnet-101", "resnet-152"];
        Assert.That(Networks.Names, Is.EquivalentTo(original));
    }

    [TestCase("googlenet", 114)]
    [TestCase("half_googlenet", 114)]
    [TestCase("googlenet_bn", 345)]
    [TestCase("resnet-50", 266)]
    [TestCase("resnet-152", 775)]
    public void Variables_AreSortedAndComplete(string network, int count)
    {
        IReadOnlyList<TensorShape> variables = Networks.Variables(network);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(variables, Has.Count.EqualTo(count));
            Assert.That(variables.Select(v => v.Name), Is.Ordered.Using<string>(StringComparer.Ordinal));
            Assert.That(variables.Where(v => v.Name.EndsWith("/kernel", StringComparison.Ordinal)).Select(v => v.Dimensions.Count), Is.All.EqualTo(4));
            Assert.That(variables.SelectMany(v => v.Dimensions), Is.All.Positive);
        }
    }

    [Test]
    public void Variables_OfUnknownNetwork_ThrowsWithName() =>
        Assert.That(() => Networks.Variables("vgg"), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("vgg"));

    [Test]
    public void Load_TellsWhatTheFileIs()
    {
        using TempFolder folder = Paths.NewTempFolder();
        string path = folder.File("größe 鏡.safetensors");
        TestModel.Write(path);
        using Model model = Model.Load(path);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(model.Info.Network, Is.EqualTo(TestModel.Network));
            Assert.That(model.Info.Channels, Is.EqualTo(512));
            Assert.That(model.Info.Tensors, Is.EqualTo(114));
            Assert.That(model.Info.Parameters, Is.EqualTo(1_497_560));
            Assert.That(model.Info.MinSize, Is.Positive);
            Assert.That(model.Info.Origin, Is.EqualTo(TestModel.Origin));
        }
    }

    [Test]
    public void Load_AsAnotherNetwork_NamesTheTensor()
    {
        using TempFolder folder = Paths.NewTempFolder();
        string path = folder.File("model.safetensors");
        TestModel.Write(path);
        Assert.That(() => Model.Load(path, "googlenet"), Throws.InstanceOf<SystemException>().With.Message.Contains("conv1_7x7_s2/"));
    }

    [Test]
    public void Load_MissingFile_NamesIt()
    {
        using TempFolder folder = Paths.NewTempFolder();
        string path = folder.File("missing.safetensors");
        Assert.That(() => Model.Load(path), Throws.TypeOf<FileNotFoundException>().With.Message.Contains(path));
    }

    [TestCase(0)]
    [TestCase(7)]
    [TestCase(1000)]
    public void Load_Garbage_IsInvalidData(int length)
    {
        using TempFolder folder = Paths.NewTempFolder();
        string path = folder.File("garbage.safetensors");
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        File.WriteAllBytes(path, bytes);
        Assert.That(() => Model.Load(path), Throws.TypeOf<InvalidDataException>().With.Message.Contains(path));
    }
}
