// The extractor through the public API: shapes, agreement of its three entries with the single operations, callbacks, disposal order.
// Numerical truth is held by the golden tests; here everything is compared with itself.
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Core;

[TestFixture]
public sealed class ExtractorTests : NativeFixture
{
    private const int Side = 96;
    private static readonly ExtractorOptions Small = new() { Width = Side, Height = Side, Steps = [1, 2] };

    private TempFolder _folder = null!;
    private string _path = "";

    [OneTimeSetUp]
    public void WriteModel()
    {
        _folder = Paths.NewTempFolder();
        _path = _folder.File("model.safetensors");
        TestModel.Write(_path);
    }

    [OneTimeTearDown]
    public void DeleteModel() => _folder.Dispose();

    [Test]
    public void Info_TellsTheShapes()
    {
        using Device device = Device.Open("cpu", 1);
        using Model model = Model.Load(_path);
        using var extractor = new Extractor(device, model, Small);
        ExtractorInfo info = extractor.Info;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((info.MapHeight, info.MapWidth, info.Dimension), Is.EqualTo((3, 3, 512)));
            Assert.That(info.Regions, Is.EqualTo(Operations.RegionLayout(3, 3, [1, 2]).Count));
            Assert.That(info.Scales, Is.EqualTo(1));
            Assert.That(info.Layers, Is.GreaterThan(50));
            Assert.That(info.ImagesAtOnce, Is.EqualTo(1));
            Assert.That(info.ArenaBytes, Is.Positive);
            Assert.That(info.WeightBytes, Is.GreaterThan(4 * 1_400_000));
            Assert.That(info.Flops, Is.GreaterThan(1e7));
        }
    }

    [Test]
    public void Run_RunInput_AndSingleOperations_Agree()
    {
        using Device device = Device.Open("cpu", 1);
        using Model model = Model.Load(_path);
        using var extractor = new Extractor(device, model, Small);
        using PixelImage wide = Photo(160, 120, PixelFormat.Rgb8, 1);
        using PixelImage high = Photo(70, 90, PixelFormat.Bgra8, 2);
        int size = extractor.Info.Regions * extractor.Info.Dimension;
        var fromImages = new float[2 * size];
        extractor.Run([wide, high], fromImages);

        var input = new float[2 * Side * Side * 3];
        Operations.Preprocess(device, wide, Side, Side, [124, 117, 104], input.AsSpan(0, input.Length / 2));
        Operations.Preprocess(device, high, Side, Side, [124, 117, 104], input.AsSpan(input.Length / 2));
        var fromInput = new float[2 * size];
        extractor.RunInput(input, fromInput);

        var shape = new MapShape(2, extractor.Info.MapHeight, extractor.Info.MapWidth, extractor.Info.Dimension);
        var map = new float[shape.Length];
        extractor.RunMap(input, map);
        var pooled = new float[2 * size];
        Operations.RegionPool(device, map, shape, [1, 2], RegionPooling.Max, pooled);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(fromImages.Max(), Is.Positive);
            Assert.That(fromInput, Is.EqualTo(fromImages));
            Assert.That(pooled, Is.EqualTo(fromImages));
            Assert.That(fromImages.AsSpan(0, size).SequenceEqual(fromImages.AsSpan(size)), Is.False, "two photographs, one descriptor");
        }
    }

    [Test]
    public void Run_WholeWithGem_AgreesWithSingleOperations()
    {
        using Device device = Device.Open("cpu", 1);
        using Model model = Model.Load(_path);
        using var extractor = new Extractor(device, model, Small with { Width = 160, Fit = FitMode.Whole, Pooling = RegionPooling.Gem, GemPower = 4, Steps = [1, 3] });
        using PixelImage photo = Photo(130, 120, PixelFormat.Rgb8, 10);
        Assert.That(extractor.Info.Regions, Is.EqualTo(10));
        var descriptors = new float[10 * extractor.Info.Dimension];
        extractor.Run([photo], descriptors);

        var input = new float[Side * 160 * 3];
        Operations.Preprocess(device, photo, Side, 160, [124, 117, 104], input, FitMode.Whole);
        var shape = new MapShape(1, extractor.Info.MapHeight, extractor.Info.MapWidth, extractor.Info.Dimension);
        var map = new float[shape.Length];
        extractor.RunMap(input, map);
        var pooled = new float[descriptors.Length];
        Operations.RegionPool(device, map, shape, [1, 3], RegionPooling.Gem, pooled, FitMode.Whole, 4);
        Assert.That(descriptors, Is.EqualTo(pooled));
    }

    [Test]
    public void Run_PixelFormat_DoesNotMatter()
    {
        using Device device = Device.Open("cpu", 1);
        using Model model = Model.Load(_path);
        using var extractor = new Extractor(device, model, Small);
        PixelFormat[] formats = [PixelFormat.Rgb8, PixelFormat.Rgba8, PixelFormat.Bgra8];
        PixelImage[] images = [.. formats.Select(format => Photo(100, 100, format, 3))];
        int size = extractor.Info.Regions * extractor.Info.Dimension;
        var descriptors = new float[3 * size];
        extractor.Run(images, descriptors);
        Array.ForEach(images, image => image.Dispose());
        using (Assert.EnterMultipleScope())
        {
            Assert.That(descriptors[size..(2 * size)], Is.EqualTo(descriptors[..size]), "RGBA");
            Assert.That(descriptors[(2 * size)..], Is.EqualTo(descriptors[..size]), "BGRA");
        }
    }

    [Test]
    public void Run_AfterDeviceAndModelDisposed_StillWorks()
    {
        Device device = Device.Open("cpu", 1);
        Model model = Model.Load(_path);
        using var extractor = new Extractor(device, model, Small);
        using PixelImage image = Photo(Side, Side, PixelFormat.Gray8, 4);
        var before = new float[extractor.Info.Regions * extractor.Info.Dimension];
        var after = new float[before.Length];
        extractor.Run([image], before);
        model.Dispose();
        device.Dispose();
        extractor.Run([image], after);
        Assert.That(after, Is.EqualTo(before));
    }

    [Test]
    public void Run_ReportsProgress_UpToTheEnd()
    {
        using Device device = Device.Open("cpu", 1);
        using Model model = Model.Load(_path);
        using var extractor = new Extractor(device, model, Small);
        using PixelImage image = Photo(Side, Side, PixelFormat.Rgb8, 5);
        List<(long Done, long Total)> reports = [];
        extractor.Run([image, image, image], new float[3 * extractor.Info.Regions * extractor.Info.Dimension], (done, total) => reports.Add((done, total)));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(reports.Select(r => r.Done), Is.Ordered);
            Assert.That(reports[^1], Is.EqualTo((3L, 3L)));
        }
    }

    [Test]
    public void Run_Cancelled_ThrowsWithToken_AndWorksAgain()
    {
        using Device device = Device.Open("cpu", 1);
        using Model model = Model.Load(_path);
        using var extractor = new Extractor(device, model, Small);
        using PixelImage image = Photo(Side, Side, PixelFormat.Rgb8, 6);
        using var source = new CancellationTokenSource();
        var descriptors = new float[8 * extractor.Info.Regions * extractor.Info.Dimension];
        PixelImage[] images = [.. Enumerable.Repeat(image, 8)];
        long reached = 0;
        void CancelEarly(long done, long total)
        {
            reached = done;
            if (done > 0)
                source.Cancel();
        }

        OperationCanceledException e = Assert.Throws<OperationCanceledException>(() => extractor.Run(images, descriptors, CancelEarly, source.Token))!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(e.CancellationToken, Is.EqualTo(source.Token));
            Assert.That(reached, Is.LessThan(8), "stopped only at the end");
            Assert.That(() => extractor.Run(images, descriptors, null, source.Token), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(() => extractor.Run(images, descriptors), Throws.Nothing);
        }
    }

    [Test]
    public void Run_ProgressThatThrows_ThrowsTheSame()
    {
        using Device device = Device.Open("cpu", 1);
        using Model model = Model.Load(_path);
        using var extractor = new Extractor(device, model, Small);
        using PixelImage image = Photo(Side, Side, PixelFormat.Rgb8, 7);
        var thrown = new InvalidOperationException("broken progress bar");
        Assert.That(
            () => extractor.Run([image], new float[extractor.Info.Regions * extractor.Info.Dimension], (_, _) => throw thrown),
            Throws.Exception.SameAs(thrown));
    }

    [Test]
    public void Run_WrongLength_ThrowsWithShape()
    {
        using Device device = Device.Open("cpu", 1);
        using Model model = Model.Load(_path);
        using var extractor = new Extractor(device, model, Small);
        using PixelImage image = Photo(Side, Side, PixelFormat.Rgb8, 8);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => extractor.Run([image], new float[7]),
                Throws.ArgumentException.With.Message.Contains($"7 elements, expected {extractor.Info.Regions * 512} for shape [1, {extractor.Info.Regions}, 512]"));
            Assert.That(() => extractor.RunInput(new float[10], []), Throws.ArgumentException.With.Message.Contains("multiple of"));
            Assert.That(() => extractor.RunMap(new float[Side * Side * 3], new float[1]), Throws.ArgumentException);
        }
    }

    [Test]
    public void Run_NoImages_IsFine_NullAndDisposedOnesAreNot()
    {
        using Device device = Device.Open("cpu", 1);
        using Model model = Model.Load(_path);
        using var extractor = new Extractor(device, model, Small);
        PixelImage disposed = Photo(Side, Side, PixelFormat.Rgb8, 9);
        disposed.Dispose();
        var descriptors = new float[extractor.Info.Regions * extractor.Info.Dimension];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => extractor.Run([], []), Throws.Nothing);
            Assert.That(() => extractor.Run([null!], descriptors), Throws.ArgumentException.With.Message.Contains("images[0]"));
            Assert.That(() => extractor.Run([disposed], descriptors), Throws.TypeOf<ObjectDisposedException>());
        }
    }

    [Test]
    public void Create_WithImpossibleOptions_ThrowsWithValue()
    {
        using Device device = Device.Open("cpu", 1);
        using Model model = Model.Load(_path);
        using (Assert.EnterMultipleScope())
        {
            Refused(Small with { Width = 0 }, "0");
            Refused(Small with { Height = -5 }, "-5");
            Refused(Small with { Batch = 0 }, "0");
            Refused(Small with { Steps = [] }, "0 entries");
            Refused(Small with { Steps = [1, 2, 3, 4, 5, 6, 7, 8, 9] }, "9 entries");
            Refused(Small with { Steps = [-4] }, "-4");
            Refused(Small with { Mean = [1, 2] }, "2 entries");
            Refused(Small with { Precision = (Precision)17 }, "17");
            Refused(Small with { Pooling = (RegionPooling)18 }, "18");
            Refused(Small with { Pooling = RegionPooling.Gem, GemPower = 0.5f }, "0.5");
            Refused(Small with { Fit = (FitMode)19 }, "19");
            Refused(Small with { MultiScale = true }, "96");
            Assert.That(
                () => new Extractor(device, model, Small with { Layer = "größe" }),
                Throws.TypeOf<FileNotFoundException>().With.Message.Contains("größe"));
        }

        void Refused(ExtractorOptions options, string value) =>
            Assert.That(() => new Extractor(device, model, options).Dispose(), Throws.ArgumentException.With.Message.Contains(value));
    }

    [Test]
    public void Layer_StopsThere()
    {
        using Device device = Device.Open("cpu", 1);
        using Model model = Model.Load(_path);
        using var extractor = new Extractor(device, model, Small with { Layer = "conv1_7x7_s2" });
        Assert.That((extractor.Info.MapHeight, extractor.Info.MapWidth, extractor.Info.Dimension), Is.EqualTo((48, 48, 32)));
    }

    /// <summary>The same seeded content in any colour format.</summary>
    private static PixelImage Photo(int width, int height, PixelFormat format, int seed)
    {
        var random = new Random(seed);
        var image = new PixelImage(width, height, format);
        int bytes = PixelImage.BytesPerPixel(format);
        Span<byte> pixels = image.Pixels;
        Span<byte> rgb = stackalloc byte[3];
        for (int i = 0; i < width * height; i++)
        {
            random.NextBytes(rgb);
            Span<byte> pixel = pixels.Slice(i * bytes, bytes);
            pixel.Fill(200);
            for (int c = 0; c < Math.Min(bytes, 3); c++)
                pixel[format == PixelFormat.Bgra8 ? 2 - c : c] = rgb[c];
        }

        return image;
    }
}
