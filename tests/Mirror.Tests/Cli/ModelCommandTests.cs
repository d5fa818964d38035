using NUnit.Framework;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Cli;

/// <summary>mirror model: import, info and export as a user calls them.</summary>
public sealed class ModelCommandTests
{
    private static readonly NamedTensor[] Tensors = [new("a/kernel", [2, 2], [1, 2, 3, 4]), new("a/bias", [2], [5, 6])];

    [Test]
    public void Model_FrozenGraphToTensorFlowAndBack_KeepsEveryTensor()
    {
        using var folder = Paths.NewTempFolder();
        var graph = new GraphBuilder();
        Array.ForEach(Tensors, tensor => graph.Variable(tensor));
        File.WriteAllBytes(folder.File("m.pb"), graph.ToArray());
        Succeeds("2 tensors, 6 parameters", "import", folder.File("m.pb"), "--all", "-o", folder.File("m.safetensors"));
        Succeeds("2 tensors, 6 parameters", "export", folder.File("m.safetensors"), "--format", "tensorflow", "-o", folder.File("out/m.ckpt"));
        var info = Succeeds("TensorFlow V2 checkpoint", "info", folder.File("out/m.ckpt"), "--verify");
        Assert.That(info, Does.Contain("every checksum is good").And.Contain("a/kernel").And.Contain("[2, 2]"));
        using var source = Mirror.Formats.ModelSource.Open(folder.File("out/m.ckpt"));
        Assert.That(source.ReadBytes("a/kernel"), Is.EqualTo(Tensors[0].Bytes));
    }

    [TestCase("one of --net NAME and --all")]
    [TestCase("one of --net NAME and --all", "--all", "--net", "resnet-50")]
    [TestCase("no-such-model", "--all")]
    [TestCase("no-such-model", "--net", "resnet-50")]
    public void Import_WithoutASource_SaysWhatIsWrong(string message, params string[] options)
    {
        using var folder = Paths.NewTempFolder();
        var result = MirrorProcess.Run(["model", "import", "no-such-model", "-o", folder.File("out"), .. options]);
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Output);
        Assert.That(result.Error, Does.Contain(message));
        Assert.That(File.Exists(folder.File("out")), Is.False);
    }

    private static string Succeeds(string expected, params string[] arguments)
    {
        var result = MirrorProcess.Run(["model", .. arguments]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain(expected));
        return result.Output;
    }
}
