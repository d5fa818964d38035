// `mirror synth`: seeded photographs of procedural scenes with exact overlaps, in the file formats that real data sets use. For
// demonstrations, tests and load tests; no photograph, texture or model is read.

using System.Globalization;
using System.Runtime.InteropServices;
using Mirror.Formats;
using SkiaSharp;

namespace Mirror.Synthesis;

/// <summary>Renders synthetic surveys.</summary>
public static class SyntheticSurvey
{
    private const int JpegQuality = 85;

    /// <summary>
    /// Renders <c>scene0_view00.jpg</c> and so on, and writes <c>image_list.txt</c> (one name a line), <c>overlaps.txt</c>
    /// (<c>i j ratio</c> for all ordered pairs of one scene with a ratio above 0: the part of the surface in i that j sees) and <c>gt_pairs</c>
    /// (<c>i j</c>, both directions, where both ratios are at least 0.35). Indices count the lines of image_list.txt from 0.
    /// </summary>
    /// <param name="options">What to render.</param>
    /// <param name="outDir">The folder; created when absent. Files of the same names are replaced.</param>
    /// <param name="progress">Called with views done and views in all, one call at a time, from several threads; or null.</param>
    /// <param name="cancellationToken">Stops between two rows of pixels; finished photographs stay.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The token was set.</exception>
    public static void Render(
        SynthOptions options, string outDir, Action<int, int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(outDir);
        options.Validate();
        int total = options.Scenes * options.ViewsPerScene;
        int done = 0;
        var gate = new Lock();
        var names = new string[total];
        var overlaps = new List<(int I, int J, float Ratio)>();
        for (int sceneIndex = 0; sceneIndex < options.Scenes; sceneIndex++)
        {
            Scene scene = Scene.Create(sceneIndex, options.ViewsPerScene, options.Seed);
            int first = sceneIndex * options.ViewsPerScene;
            var cameras = new Camera[options.ViewsPerScene];
            RunParallel(options.ViewsPerScene, view =>
            {
                var random = new Rng(options.Seed, ((ulong)(sceneIndex + 1) << 32) + (ulong)view);
                cameras[view] = scene.CameraOf(view, random, options.Width, options.Height);
                byte[] pixels = Renderer.Render(scene, cameras[view], scene.LightOf(random), cancellationToken);
                string name = NameOf(options, sceneIndex, view);
                names[first + view] = name;
                WriteJpeg(Path.Combine(outDir, name), pixels, options.Width, options.Height);
                lock (gate)
                {
                    done++;
                    progress?.Invoke(done, total);
                }
            }, cancellationToken);
            overlaps.AddRange(Overlaps(scene, cameras, first, cancellationToken));
        }

        AtomicFile.WriteLines(Path.Combine(outDir, "image_list.txt"), names);
        AtomicFile.WriteLines(
            Path.Combine(outDir, "overlaps.txt"),
            overlaps.Where(o => o.Ratio > 0).Select(o => string.Create(CultureInfo.InvariantCulture, $"{o.I} {o.J} {o.Ratio:F4}")));
        AtomicFile.WriteLines(Path.Combine(outDir, "gt_pairs"), Pairs(overlaps).Select(pair => $"{pair.I} {pair.J}"));
    }

    private static List<(int I, int J, float Ratio)> Overlaps(
        Scene scene, Camera[] cameras, int first, CancellationToken cancellationToken)
    {
        var ratios = new float[cameras.Length][];
        RunParallel(cameras.Length, i =>
        {
            var points = Overlap.Points(scene, cameras[i]);
            ratios[i] = [.. cameras.Select(other => Overlap.Ratio(scene, points, cameras[i], other))];
        }, cancellationToken);
        var list = new List<(int, int, float)>();
        for (int i = 0; i < cameras.Length; i++)
        {
            for (int j = 0; j < cameras.Length; j++)
            {
                if (i != j)
                {
                    list.Add((first + i, first + j, ratios[i][j]));
                }
            }
        }

        return list;
    }

    private static IEnumerable<(int I, int J)> Pairs(List<(int I, int J, float Ratio)> overlaps)
    {
        var large = overlaps.Where(o => o.Ratio >= Overlap.PairThreshold).Select(o => (o.I, o.J)).ToHashSet();
        return overlaps.Select(o => (o.I, o.J)).Where(pair => large.Contains(pair) && large.Contains((pair.J, pair.I)));
    }

    private static string NameOf(SynthOptions options, int scene, int view)
    {
        string sceneDigits = $"D{Digits(options.Scenes, 1)}";
        string viewDigits = $"D{Digits(options.ViewsPerScene, 2)}";
        CultureInfo culture = CultureInfo.InvariantCulture;
        return $"scene{scene.ToString(sceneDigits, culture)}_view{view.ToString(viewDigits, culture)}.jpg";
    }

    private static int Digits(int count, int least) =>
        Math.Max(least, (count - 1).ToString(CultureInfo.InvariantCulture).Length);

    private static void WriteJpeg(string path, byte[] pixels, int width, int height)
    {
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        GCHandle pin = GCHandle.Alloc(pixels, GCHandleType.Pinned);
        try
        {
            using var pixmap = new SKPixmap(info, pin.AddrOfPinnedObject());
            using SKData data = pixmap.Encode(SKEncodedImageFormat.Jpeg, JpegQuality)
                ?? throw new InvalidOperationException($"SkiaSharp could not encode {width} x {height} pixels as JPEG.");
            AtomicFile.Write(path, data.SaveTo);
        }
        finally
        {
            pin.Free();
        }
    }

    // Parallel.For wraps what a body throws; callers are promised the exception itself.
    private static void RunParallel(int count, Action<int> body, CancellationToken cancellationToken)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { CancellationToken = cancellationToken }, body);
        }
        catch (AggregateException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }
}
