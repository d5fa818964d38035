using NUnit.Framework;
using Mirror.Formats;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Cli;

/// <summary>Bad input gets one line that names the file or value, exit code 1, and leaves nothing half written.</summary>
public sealed class BadInputTests
{
    private static readonly string Photos = Paths.InRoot("samples/photos");

    [Test]
    public void Match_FolderWithoutImages_NamesTheFolder()
    {
        using var folder = Paths.NewTempFolder();
        File.WriteAllText(Path.Combine(folder.Root, "notes.md"), "no photograph");
        Fails([folder.Root, ".jpg"], "match", "--images", folder.Root, "--out", Path.Combine(folder.Root, "out"));
    }

    [Test]
    public void Match_AbsentFolder_NamesIt() =>
        Fails(["no-such-folder"], "match", "--images", "no-such-folder", "--out", "unused");

    [Test]
    public void Match_ListWithMissingFile_NamesTheLine()
    {
        using var folder = Paths.NewTempFolder();
        var list = Path.Combine(folder.Root, "list.txt");
        File.WriteAllLines(list, [Directory.EnumerateFiles(Photos, "*.jpg").First(), "gone.jpg"]);
        Fails(["gone.jpg", "2"], "match", "--images", list, "--out", Path.Combine(folder.Root, "out"));
    }

    [Test]
    public void Match_OutBelowAFile_NamesIt()
    {
        using var folder = Paths.NewTempFolder();
        var file = Path.Combine(folder.Root, "file");
        File.WriteAllText(file, "");
        Fails([file], "match", "--images", Photos, "--out", Path.Combine(file, "out"), "--size", "224");
    }

    [Test]
    public void Match_CudaDevice_SaysThisBuildHasNone()
    {
        using var folder = Paths.NewTempFolder();
        Fails(["cuda"], "match", "--images", Photos, "--out", folder.Root, "--device", "cuda");
    }

    [Test]
    public void Match_HalfPrecisionOnTheCpu_NamesThePrecision()
    {
        using var folder = Paths.NewTempFolder();
        Fails(["fp16"], "match", "--images", Photos, "--out", folder.Root, "--precision", "fp16");
    }

    [Test]
    public void Match_DimensionAboveTheDescriptor_NamesBoth()
    {
        using var folder = Paths.NewTempFolder();
        Fails(["513", "512"], "match", "--images", Photos, "--out", folder.Root, "--size", "224", "--dim", "513");
    }

    [TestCase("0", "size", TestName = "Match_SizeZero_NamesTheValue")]
    [TestCase("-1", "size", TestName = "Match_SizeNegative_NamesTheValue")]
    [TestCase("1000000", "1000000", TestName = "Match_SizeHuge_NamesTheValue")]
    public void Match_ImpossibleSize(string size, string expected)
    {
        using var folder = Paths.NewTempFolder();
        Fails([expected], "match", "--images", Photos, "--out", folder.Root, "--size", size);
    }

    [Test]
    public void Match_MultiScaleAtAnotherSize_NamesTheSizes()
    {
        using var folder = Paths.NewTempFolder();
        Fails(["320", "448"], "match", "--images", Photos, "--out", folder.Root, "--size", "320", "--fit", "crop", "--multi-scale");
    }

    [TestCase("--decode", "exact")]
    [TestCase("--fit", "whole")]
    [TestCase("--pool", "gem")]
    [TestCase("--exif", "apply")]
    public void Extract_CompatBesideWhatTheOriginalHadNot_NamesTheOption(string option, string value)
    {
        using var folder = Paths.NewTempFolder();
        Fails([option, "--compat mirror"], "extract", "--images", Photos, "--out", folder.Root, "--size", "224", "--compat", "mirror", option, value);
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Root), Is.Empty);
    }

    [Test]
    public void Extract_PowerWithoutGem_NamesBoth()
    {
        using var folder = Paths.NewTempFolder();
        Fails(["--gem-p", "--pool gem"], "extract", "--images", Photos, "--out", folder.Root, "--size", "224", "--gem-p", "4");
    }

    [Test]
    public void ModelExport_PowerWithoutGem_NamesBoth()
    {
        using var folder = Paths.NewTempFolder();
        Fails(["--gem-p", "--pool gem"], "model", "export", Paths.InRoot("models/default.safetensors"), "--format", "onnx", "--gem-p", "4", "-o", folder.File("m.onnx"));
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Root), Is.Empty);
    }

    [Test]
    public void Match_ModelThatIsNoModel_NamesTheFile()
    {
        using var folder = Paths.NewTempFolder();
        var model = Path.Combine(folder.Root, "model.safetensors");
        File.WriteAllText(model, "not a model");
        Fails([model], "match", "--images", Photos, "--out", Path.Combine(folder.Root, "out"), "--model", model);
    }

    [Test]
    public void Query_FeaturesOfDifferentShape_NamesBothFiles()
    {
        using var folder = Paths.NewTempFolder();
        NpyFile.Write(Path.Combine(folder.Root, "a.npy"), new float[8], [4, 2]);
        NpyFile.Write(Path.Combine(folder.Root, "b.npy"), new float[12], [4, 3]);
        Fails(["a.npy", "b.npy", "[4, 2]", "[4, 3]"], "query", "--features", folder.Root, "--out", Path.Combine(folder.Root, "out"));
    }

    [Test]
    public void Query_FeatureWithNaN_NamesTheFile()
    {
        using var folder = Paths.NewTempFolder();
        NpyFile.Write(Path.Combine(folder.Root, "bad.npy"), [1, float.NaN, 2, 3], [4, 1]);
        Fails(["bad.npy", "NaN"], "query", "--features", folder.Root, "--out", Path.Combine(folder.Root, "out"));
    }

    [Test]
    public void Query_ExpansionWithEuclidean_IsRefused()
    {
        using var folder = Paths.NewTempFolder();
        Fails(["--expand", "--euclidean"], "query", "--features", folder.Root, "--out", folder.Root, "--expand", "3", "--euclidean");
    }

    [Test]
    public void ModelImport_UnknownNetwork_NamesTheKnownOnes()
    {
        using var folder = Paths.NewTempFolder();
        Fails(["vgg", "half_googlenet"], "model", "import", Path.Combine(Paths.Data("models"), "small.ckpt"), "--net", "vgg", "-o", Path.Combine(folder.Root, "m.safetensors"));
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Root), Is.Empty);
    }

    [Test]
    public void ModelImport_CheckpointOfAnotherNetwork_NamesTheMissingTensors()
    {
        using var folder = Paths.NewTempFolder();
        Fails(["conv1_7x7_s2/kernel"], "model", "import", Path.Combine(Paths.Data("models"), "small.ckpt"), "--net", "googlenet", "-o", Path.Combine(folder.Root, "m.safetensors"));
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Root), Is.Empty);
    }

    private static void Fails(string[] named, params string[] arguments)
    {
        var result = MirrorProcess.Run(arguments);
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Error + result.Output);
        var message = result.Error.TrimEnd('\n').Split('\n')[^1];
        Assert.That(message, Does.StartWith("mirror: "), result.Error);
        foreach (var text in named)
        {
            Assert.That(message, Does.Contain(text));
        }
    }
}
