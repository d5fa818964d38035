using Mirror.Formats;
using Mirror.Photographs;
using Mirror.Pipeline;
using Mirror.Tests.Core;
using Mirror.Tests.Photographs;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pipeline;

/// <summary>The overlapping stages of an extraction: same numbers however the work is shared, nothing lost when one of them fails.</summary>
[NonParallelizable]
public sealed class ExtractionTests : NativeFixture
{
    private const int Threads = 3;

    private TempFolder models = null!;

    private string ModelPath => models.File("model.safetensors");

    [OneTimeSetUp]
    public void WriteModel()
    {
        models = Paths.NewTempFolder();
        TestModel.Write(ModelPath);
    }

    [OneTimeTearDown]
    public void DeleteModel() => models.Dispose();

    [Test]
    public void Run_SeveralLanes_EqualsOneThread([Values(FitMode.Crop, FitMode.Whole)] FitMode fit, [Values(1, 3)] int batch)
    {
        using var folder = Paths.NewTempFolder();
        var photos = Photographs(folder, [(64, 48), (48, 64), (90, 30), (64, 48), (50, 50), (48, 64), (64, 48), (33, 99), (64, 48)]);

        var one = Run(folder, "one", photos, 1, fit, new ExtractionRun());
        var several = Run(folder, "several", photos, Threads, fit, new ExtractionRun { Batch = batch });

        Assert.That(several.Photos.Select(photo => photo.Name), Is.EqualTo(photos.Select(photo => photo.Name)));
        foreach (var feature in one.Features)
        {
            var (expected, actual) = (NpyFile.ReadFloat32(folder.File($"one/{feature}"), out _), NpyFile.ReadFloat32(folder.File($"several/{feature}"), out var shape));
            Assert.That(shape, Is.EqualTo(new long[] { one.Info.Dimension, one.Info.Regions }));
            var largest = expected.Max(Math.Abs);
            Assert.That(largest, Is.GreaterThan(0));
            Assert.That(actual.Zip(expected, (a, b) => Math.Abs(a - b)).Max(), Is.LessThanOrEqualTo(1e-5f * largest), feature);
        }
    }

    [Test]
    public void Run_WholeFit_SeesWhatCropCutsOff()
    {
        using var folder = Paths.NewTempFolder();
        var photos = Photographs(folder, [(192, 64)]);
        var report = Run(folder, "whole", photos, 1, FitMode.Whole, new ExtractionRun());

        // The same by hand: the photograph scaled to the shape of its own proportions.
        using var device = Device.Open("cpu", 1);
        using var model = Model.Load(ModelPath);
        using var photo = PhotoDecoder.Decode(photos[0].Path);
        using var extractor = new Extractor(device, model, new ExtractorOptions { Width = 160, Height = 64, Fit = FitMode.Whole, Steps = [1, 2] });
        var rows = new float[extractor.Info.Regions * extractor.Info.Dimension];
        extractor.Run([photo.Image], rows);
        var actual = NpyFile.ReadFloat32(folder.File($"whole/{report.Features[0]}"), out _);
        Assert.That(report.Info.Regions, Is.EqualTo(5));
        Assert.That(
            Enumerable.Range(0, rows.Length).Select(i => actual[(i % extractor.Info.Dimension * 5) + (i / extractor.Info.Dimension)]),
            Is.EqualTo(rows));
    }

    [Test]
    public void Run_PhotographsThatCannotBeRead_AreSkippedInOrder()
    {
        using var folder = Paths.NewTempFolder();
        var photos = Photographs(folder, [(64, 48), (0, 0), (64, 48), (0, 0), (64, 48), (64, 48), (64, 48), (0, 0)]);
        var progress = new List<long>();

        var report = Run(folder, "out", photos, Threads, FitMode.Crop, new ExtractionRun { Progress = (done, _) => progress.Add(done) });

        Assert.That(report.Skipped.Select(skipped => skipped.Name), Is.EqualTo(new[] { "p1.jpg", "p3.jpg", "p7.jpg" }));
        Assert.That(report.Photos, Has.Count.EqualTo(5));
        Assert.That(progress, Is.EqualTo(Enumerable.Range(0, 9).Select(done => (long)done)), "counted one by one, never backwards");
    }

    [Test]
    public void Run_Strict_NamesTheFirstThatCannotBeReadAndKeepsTheRest()
    {
        using var folder = Paths.NewTempFolder();
        var photos = Photographs(folder, [.. Enumerable.Repeat((64, 48), 12), (0, 0), (0, 0), .. Enumerable.Repeat((64, 48), 3)]);

        var failure = Assert.Throws<PhotoException>(() => Run(folder, "out", photos, Threads, FitMode.Crop, new ExtractionRun { Strict = true }))!;

        Assert.That(failure.Message, Does.Contain("p12.jpg"));
        Assert.That(Directory.GetFiles(folder.File("out"), "*.npy"), Has.Length.InRange(10, 15));
        Assert.That(Run(folder, "out", photos, Threads, FitMode.Crop, new ExtractionRun()).Photos, Has.Count.EqualTo(15));
    }

    [Test]
    public void Run_WriteFails_StopsWithTheReasonAndKeepsWhatIsWritten()
    {
        using var folder = Paths.NewTempFolder();
        var photos = Photographs(folder, [.. Enumerable.Repeat((64, 48), 30)]);
        // A folder where the descriptors of p20 should go.
        Directory.CreateDirectory(folder.File("out/p20.npy/x"));

        var failure = Assert.Catch(() => Run(folder, "out", photos, Threads, FitMode.Crop, new ExtractionRun()))!;

        Assert.That(failure, Is.InstanceOf<IOException>().Or.InstanceOf<UnauthorizedAccessException>());
        Assert.That(failure.Message, Does.Contain("p20.npy"));
        Directory.Delete(folder.File("out/p20.npy"), recursive: true);
        var kept = Directory.GetFiles(folder.File("out"), "*.npy").Length;
        Assert.That(kept, Is.InRange(10, 29));
        Assert.That(Run(folder, "out", photos, Threads, FitMode.Crop, new ExtractionRun()).Resumed, Is.EqualTo(kept));
    }

    [Test]
    public void Run_Cancelled_KeepsWhatIsFinished()
    {
        using var folder = Paths.NewTempFolder();
        var photos = Photographs(folder, [.. Enumerable.Repeat((64, 48), 40)]);
        using var cancellation = new CancellationTokenSource();
        var run = new ExtractionRun
        {
            Progress = (done, _) =>
            {
                if (done == 5)
                {
                    cancellation.Cancel();
                }
            },
        };

        Assert.That(() => Run(folder, "out", photos, Threads, FitMode.Crop, run, cancellationToken: cancellation.Token), Throws.InstanceOf<OperationCanceledException>());

        var kept = Directory.GetFiles(folder.File("out"), "*.npy").Length;
        Assert.That(kept, Is.GreaterThanOrEqualTo(5));
        var rest = Run(folder, "out", photos, Threads, FitMode.Crop, new ExtractionRun());
        Assert.That((rest.Resumed, rest.Photos.Count), Is.EqualTo((kept, photos.Count)));
    }

    [Test]
    public void Run_WholeBelowTheNetworksMinimum_IsRefused()
    {
        using var folder = Paths.NewTempFolder();
        var photos = Photographs(folder, [(64, 48)]);

        Assert.That(
            () => Run(folder, "out", photos, 1, FitMode.Whole, new ExtractionRun(), size: 1, multiScale: true),
            Throws.ArgumentException.With.Message.Contains("too small"));
    }

    // Settings as they were written before the layout of regions had a version.
    [Test]
    public void Run_FolderWithoutALayoutVersion_IsRefusedWhereTheLayoutChanged()
    {
        using var folder = Paths.NewTempFolder();
        var photos = Photographs(folder, [(64, 48)]);
        foreach (var fit in (FitMode[])[FitMode.Crop, FitMode.Whole])
        {
            var path = folder.File($"{fit}/extraction.json");
            Run(folder, $"{fit}", photos, 1, fit, new ExtractionRun());
            File.WriteAllLines(path, File.ReadAllLines(path).Where(line => !line.Contains("region_layout", StringComparison.Ordinal)));
        }

        Assert.That(Run(folder, "Crop", photos, 1, FitMode.Crop, new ExtractionRun()).Resumed, Is.EqualTo(1));
        Assert.That(
            () => Run(folder, "Whole", photos, 1, FitMode.Whole, new ExtractionRun()),
            Throws.TypeOf<IOException>().With.Message.Contains("made with other settings").And.Message.Contains("--overwrite"));
        Assert.That(Run(folder, "Whole", photos, 1, FitMode.Whole, new ExtractionRun { Overwrite = true }).Resumed, Is.Zero);
    }

    [Test]
    public void ToJson_FitAndPower_AreRecorded()
    {
        var crop = Settings(96, FitMode.Crop, false);

        Assert.That(crop.ToJson(), Does.Contain("\"fit\": \"Crop\"").And.Contain("\"decode\": \"Fast\"").And.Not.Contain("gem_power"));
        Assert.That((crop with { Fit = FitMode.Whole }).ToJson(), Does.Contain("\"fit\": \"Whole\""));
        Assert.That((crop with { Pooling = RegionPooling.Gem, GemPower = 4 }).ToJson(), Does.Contain("\"gem_power\": 4"));
        Assert.That(() => (crop with { GemPower = 4 }).Require(1), Throws.ArgumentException.With.Message.Contains("--pool gem"));
    }

    private ExtractionReport Run(
        TempFolder folder, string name, IReadOnlyList<Photo> photos, int threads, FitMode fit, ExtractionRun run, int size = 96, bool multiScale = false, CancellationToken cancellationToken = default)
    {
        using var device = Device.Open("cpu", threads);
        using var model = Model.Load(ModelPath);
        return Extraction.Run(device, model, Settings(size, fit, multiScale), photos, folder.File(name), run, cancellationToken);
    }

    private static ExtractionSettings Settings(int size, FitMode fit, bool multiScale) => new()
    {
        Network = "half_googlenet",
        ModelSha256 = "",
        Size = size,
        Fit = fit,
        Regions = [1, 2],
        Pooling = RegionPooling.Max,
        MultiScale = multiScale,
        Precision = Precision.Fp32,
        Exif = ExifMode.Apply,
    };

    // A size of 0 makes a file that is no image.
    private static IReadOnlyList<Photo> Photographs(TempFolder folder, (int Width, int Height)[] sizes)
    {
        var names = sizes.Select((size, i) =>
        {
            var name = $"p{i}.jpg";
            File.WriteAllBytes(folder.File(name), size.Width == 0 ? "no image"u8.ToArray() : TestImages.Jpeg(size.Width, size.Height));
            return name;
        }).ToArray();
        File.WriteAllLines(folder.File("list.txt"), names);
        return PhotoCollection.FromList(folder.File("list.txt")).Photos;
    }
}
