// hloc's HDF5 file: read back by h5py as hloc does it, and by PureHDF.

using System.Globalization;
using Mirror.Formats;
using Mirror.Pairs.Export;
using Mirror.Synthesis;
using Mirror.Tests.TestSupport;
using NUnit.Framework;
using PureHDF;

namespace Mirror.Tests.Pairs.Export;

/// <summary>Global features for hloc.</summary>
public sealed class HlocFeaturesTests
{
    private const int Dimension = 5;
    private const int Regions = 3;

    // As hloc lists names (every dataset's parent), reads vectors and ranks by dot products.
    private const string Reader = """
        import sys, h5py, numpy
        f = h5py.File(sys.argv[1], 'r')
        names = []
        f.visititems(lambda _, o: names.append(o.parent.name.strip('/')) if isinstance(o, h5py.Dataset) else None)
        names = sorted(set(names))
        rows = numpy.stack([f[name]['global_descriptor'][()].astype(numpy.float32) for name in names])
        best = (rows @ rows.T).argmax(axis=1)
        for i, name in enumerate(names):
            size = f[name]['image_size'][()]
            print(name, f[name]['global_descriptor'].dtype, best[i] == i, size[0], size[1], *[repr(float(x)) for x in rows[i]], sep='|')
        """;

    private TempFolder folder = null!;
    private float[][] stored = null!;

    [SetUp]
    public void MakeResult()
    {
        folder = Paths.NewTempFolder();
        SmallSurvey.Write(folder.Root);
        var random = new Random(5);
        stored = [.. SmallSurvey.Names.Select(_ => Enumerable.Range(0, Dimension * Regions).Select(_ => random.NextSingle() - 0.25f).ToArray())];
        var features = SmallSurvey.Names.Select(name => Path.ChangeExtension(name, ".npy")).ToArray();
        for (var i = 0; i < stored.Length; i++)
        {
            NpyFile.Write(Path.Combine(folder.File("features"), features[i]), stored[i], Dimension, Regions);
        }

        File.WriteAllLines(Path.Combine(folder.File("features"), "features.txt"), features);
        SyntheticSurvey.Render(new SynthOptions { Scenes = 1, ViewsPerScene = 6, Width = 64, Height = 48, Seed = 3 }, folder.File("synth"), null, CancellationToken.None);
        var rendered = Mirror.Photographs.PhotoCollection.FromDirectory(folder.File("synth")).Photos;
        foreach (var (name, i) in SmallSurvey.Names.Select((name, i) => (name, i)))
        {
            var path = Path.Combine(folder.File("photos"), name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Copy(rendered[i].Path, path);
        }
    }

    [TearDown]
    public void Clean() => folder.Dispose();

    [Test]
    public void Export_Features_AreReadByH5pyAsHlocReadsThem()
    {
        var python = PythonProcess.WithModuleOrSkip("h5py");
        var result = MirrorProcess.Run("export", "hloc", folder.Root, "--features", folder.File("features"), "--images", folder.File("photos"));
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(folder.File("pairs.hloc.txt"), Does.Exist);
        var read = PythonProcess.Run(python, ["-c", Reader, folder.File(HlocFeatures.FileName)]);
        Assert.That(read.ExitCode, Is.Zero, read.Error);
        var rows = read.Output.TrimEnd().Split('\n').Select(line => line.Split('|')).ToArray();
        Assert.That(rows.Select(row => row[0]), Is.EquivalentTo(SmallSurvey.Names));
        foreach (var row in rows)
        {
            Assert.That(row[1..5], Is.EqualTo(new[] { "float32", "True", "64", "48" }), row[0]);
            var vector = row[5..].Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
            RequireUnitSum(Array.IndexOf(SmallSurvey.Names, row[0]), vector);
        }
    }

    [Test]
    public void Export_FeaturesWithoutPhotographs_HaveNoSizesAndSaySo()
    {
        var result = MirrorProcess.Run("export", "hloc", folder.Root, "--features", folder.File("features"));
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.Contain("has no image_size, which needs --images DIR"));
        var path = folder.File(HlocFeatures.FileName);
        Assert.That(File.ReadAllBytes(path)[..8], Is.EqualTo("\x89HDF\r\n\x1a\n".Select(c => (byte)c)));
        using var file = H5File.OpenRead(path);
        for (var i = 0; i < SmallSurvey.Names.Length; i++)
        {
            Assert.That(file.Group(SmallSurvey.Names[i]).Children().Select(child => child.Name), Is.EqualTo(new[] { "global_descriptor" }));
            RequireUnitSum(i, [.. file.Dataset($"{SmallSurvey.Names[i]}/global_descriptor").Read<float[]>().Select(value => (double)value)]);
        }
    }

    [Test]
    public void Export_FeaturesOfOtherImages_AreRefusedAndNothingIsWritten()
    {
        var lines = File.ReadAllLines(Path.Combine(folder.File("features"), "features.txt"));
        File.WriteAllLines(Path.Combine(folder.File("features"), "features.txt"), lines.Reverse());
        var result = MirrorProcess.Run("export", "hloc", folder.Root, "--features", folder.File("features"));
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("has no descriptors of 6 of 6 images ('cam0/001.jpg', 'cam0/002.jpg', 'cam1/101.jpg', ...)"));
        File.WriteAllLines(Path.Combine(folder.File("features"), "features.txt"), lines[1..]);
        Assert.That(MirrorProcess.Run("export", "hloc", folder.Root, "--features", folder.File("features")).Error, Does.Contain("5 descriptors, the result 6 images"));
        Assert.That(folder.File("pairs.hloc.txt"), Does.Not.Exist);
        Assert.That(folder.File(HlocFeatures.FileName), Does.Not.Exist);
    }

    [Test]
    public void Export_PhotographsMissing_AreRefused()
    {
        File.Delete(Path.Combine(folder.File("photos"), "over.jpg"));
        File.WriteAllText(Path.Combine(folder.File("photos"), "cam0/001.jpg"), "no photograph");
        var result = MirrorProcess.Run("export", "hloc", folder.Root, "--features", folder.File("features"), "--images", folder.File("photos"));
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("2 of 6 photographs are missing or unreadable ('cam0/001.jpg', 'over.jpg')"));
        Assert.That(folder.File("pairs.hloc.txt"), Does.Not.Exist);
    }

    // In double: the sum over the regions of the stored [D, R] array, divided by its length.
    private void RequireUnitSum(int image, double[] vector)
    {
        var sum = Enumerable.Range(0, Dimension).Select(d => Enumerable.Range(0, Regions).Sum(r => (double)stored[image][(d * Regions) + r])).ToArray();
        var length = Math.Sqrt(sum.Sum(x => x * x));
        Assert.That(vector, Is.EqualTo(sum.Select(x => x / length)).Within(1e-6));
    }
}
