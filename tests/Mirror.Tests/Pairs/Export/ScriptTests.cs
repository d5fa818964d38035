// The scripts for Metashape and OpenSfM run in Python; in place of the programs, which no test can have, stand modules with the functions that the
// scripts call, which note what they are given.

using Mirror.Pairs.Export;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pairs.Export;

/// <summary>Scripts that give pairs to programs without a list.</summary>
public sealed class ScriptTests
{
    private const string Metashape = """
        import sys
        class Photo:
            def __init__(self, path): self.path = path
        class Camera:
            def __init__(self, key, path): (self.key, self.photo) = (key, Photo(path) if path else None)
        class Chunk:
            def __init__(self): self.cameras = [Camera(100 + i, line.rstrip("\n")) for i, line in enumerate(open(__file__[:-3] + ".txt", encoding="utf-8"))]
            def matchPhotos(self, pairs, **options): print(options["reset_matches"], sorted(pairs))
        class Document: pass
        class Application: pass
        app = Application(); app.document = Document(); app.document.chunk = Chunk()
        """;

    private const string Dataset = """
        class DataSet:
            def __init__(self, path): self.path = path
            def images(self): return [line.rstrip("\n") for line in open(self.path, encoding="utf-8")]
            def load_exif(self, image): return {"of": image}
        """;

    private const string Matching = """
        def match_images_with_pairs(data, override, exifs, pairs):
            assert override == {} and all(exifs[image]["of"] == image for pair in pairs for image in pair)
            return {pair: [[0, 0]] for pair in pairs}
        def save_matches(data, images, matched):
            print(sorted(matched))
        """;

    private TempFolder folder = null!;
    private string python = null!;

    [SetUp]
    public void MakeFolder()
    {
        python = PythonProcess.WithModuleOrSkip("sys");
        folder = Paths.NewTempFolder();
    }

    [TearDown]
    public void Clean() => folder?.Dispose();

    [Test]
    public void Metashape_Cameras_ArePairedByTheirKeys()
    {
        WriteMetashape(@"C:\survey\cam1\102_é.jpg", "C:/survey/over.jpg", "", "C:/survey/cam0/001.jpg", "C:/survey/cam0/002.jpg", "C:/survey/cam1/101.jpg", "C:/survey/strange.jpg");
        var result = RunMetashape(new PairExport(SmallSurvey.Table()));
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Is.EqualTo("False [(100, 101), (103, 101), (103, 104), (103, 105), (105, 100)]\n5 pairs of 5 photographs matched\n".ReplaceLineEndings()));
    }

    [Test]
    public void Metashape_CamerasMissingOrDoubled_AreNamed()
    {
        WriteMetashape("/a/over.jpg", "/a/cam0/001.jpg");
        Assert.That(RunMetashape(new PairExport(SmallSurvey.Table())).Error, Does.Contain("3 of 5 photographs are not in the chunk, such as cam0/002.jpg, cam1/101.jpg, cam1/102_é.jpg"));
        WriteMetashape("/a/over.jpg", "/b/over.jpg");
        Assert.That(RunMetashape(new PairExport(SmallSurvey.Table())).Error, Does.Contain("two cameras could be over.jpg"));
    }

    [Test]
    public void Metashape_NamesWithQuotes_ArriveAsTheyAre()
    {
        string[] names = ["\"\"\"a.jpg", "b'\".jpg", "{c}%s.jpg", "\U0001F600 d.jpg", "e.jpg", "#f.jpg\""];
        WriteMetashape([.. names.Select(name => "/x/" + name)]);
        var result = RunMetashape(new PairExport(SmallSurvey.Table(names)));
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Does.StartWith("False [(100, 101), (100, 102), (100, 105), (102, 103), (103, 105)]"));
    }

    [Test]
    public void OpenSfm_Dataset_IsMatchedWithThePairs()
    {
        Directory.CreateDirectory(folder.File("opensfm"));
        File.WriteAllText(folder.File("opensfm/__init__.py"), "");
        File.WriteAllText(folder.File("opensfm/dataset.py"), Dataset);
        File.WriteAllText(folder.File("opensfm/matching.py"), Matching);
        File.WriteAllLines(folder.File("all"), SmallSurvey.Names.Select(name => Path.GetFileName(name)));
        File.WriteAllLines(folder.File("some"), ["001.jpg", "over.jpg"]);
        File.WriteAllBytes(folder.File("script.py"), SmallSurvey.First("opensfm", new PairExport(SmallSurvey.Table())));

        var result = PythonProcess.Run(python, ["-X", "utf8", folder.File("script.py"), folder.File("all")], folder.Root);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output.Split('\n')[0].TrimEnd(), Is.EqualTo("[('001.jpg', '002.jpg'), ('001.jpg', '101.jpg'), ('001.jpg', 'over.jpg'), ('101.jpg', '102_é.jpg'), ('102_é.jpg', 'over.jpg')]"));
        var refused = PythonProcess.Run(python, ["-X", "utf8", folder.File("script.py"), folder.File("some")], folder.Root);
        Assert.That((refused.ExitCode, refused.Output), Is.EqualTo((1, "")));
        Assert.That(refused.Error, Does.Contain("3 of 5 photographs are not in").And.Contain("002.jpg, 101.jpg, 102_é.jpg"));
    }

    private void WriteMetashape(params string[] paths)
    {
        File.WriteAllText(folder.File("Metashape.py"), Metashape);
        File.WriteAllLines(folder.File("Metashape.txt"), paths);
    }

    private ProcessResult RunMetashape(PairExport export)
    {
        File.WriteAllBytes(folder.File("script.py"), SmallSurvey.First("metashape", export));
        return PythonProcess.Run(python, ["-X", "utf8", folder.File("script.py")], folder.Root);
    }
}
