// The extraction pipeline from JPEG files of 12 megapixels to descriptors on disk, beside its stages alone. The stages take turns with the whole, so
// that a noisy neighbour meets all of them.

using System.Diagnostics;
using System.Globalization;
using Mirror.Photographs;
using Mirror.Pipeline;
using Mirror.Synthesis;

namespace Mirror.Cli.Bench;

internal static class PipelineBench
{
    private const int Size = 448;
    private const int Scenes = 2;
    private const int Views = 4;

    /// <param name="device">Where networks run.</param>
    /// <param name="images">A folder of photographs to use instead of rendered ones, or null.</param>
    /// <param name="count">How many files, copies of those photographs, the pipeline reads.</param>
    /// <param name="rounds">Each figure is the median of so many.</param>
    /// <param name="terminal">Gets the figures.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    public static void Run(Device device, string? images, int count, int rounds, Terminal terminal, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("mirror-bench-");
        try
        {
            var source = images ?? Path.Combine(folder.FullName, "rendered");
            if (images is null)
            {
                terminal.Notice($"rendering {Scenes * Views} photographs of 4000 x 3000 pixels");
                SyntheticSurvey.Render(new SynthOptions { Scenes = Scenes, ViewsPerScene = Views, Width = 4000, Height = 3000, Seed = 5 }, source, null, cancellationToken);
            }

            var photos = Copies(PhotoCollection.FromDirectory(source).Photos, count, Path.Combine(folder.FullName, "photos"));
            using var model = Model.Load(DefaultModel.Path);
            Measure(device, model, photos, folder.FullName, rounds, terminal, cancellationToken);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Measure(Device device, Model model, List<Photo> photos, string folder, int rounds, Terminal terminal, CancellationToken cancellationToken)
    {
        var settings = new ExtractionSettings
        {
            Network = model.Info.Network,
            ModelSha256 = "",
            Size = Size,
            Regions = [1, 3, 5],
            Pooling = RegionPooling.Max,
            MultiScale = false,
            Precision = Precision.Fp32,
            Exif = ExifMode.Apply,
        };
        var decode = new DecodeOptions { Mode = settings.Decode, ResizeFactor = (width, height) => Size / (double)Math.Min(width, height) };
        var threads = device.Info.Threads;
        var share = Math.Max(1, threads / 2);
        var stages = new Stage[]
        {
            new($"decoding alone, {threads} threads", () => Decode(photos, decode, threads, cancellationToken)),
            new($"network alone, {threads} threads", () => Network(device, model, settings, photos, decode, threads, cancellationToken)),
            new($"decoding alone, {share} threads", () => Decode(photos, decode, share, cancellationToken)),
            new($"network alone, {share} threads", () => Network(device, model, settings, photos, decode, share, cancellationToken)),
            new("end to end", () => EndToEnd(device, model, settings, photos, folder, cancellationToken)),
        };
        terminal.Result($"pipeline: {photos.Count} files of {photos.Select(photo => new FileInfo(photo.Path).Length).Distinct().Count()} photographs, {settings.Network} at {Size}, {rounds} rounds, medians");
        for (var round = 0; round < rounds; round++)
        {
            foreach (var stage in stages)
            {
                cancellationToken.ThrowIfCancellationRequested();
                stage.Run();
            }
        }

        foreach (var stage in stages)
        {
            terminal.Result(Invariant($"{stage.Name,-34} {photos.Count / stage.Seconds,8:F1} photographs/s {stage.Processor / photos.Count * 1e3,8:F1} ms of processor each"));
        }

        var (all, half, whole) = (Math.Max(stages[0].Seconds, stages[1].Seconds), Math.Max(stages[2].Seconds, stages[3].Seconds), stages[4].Seconds);
        terminal.Result(Invariant($"end to end / slower stage: {half / whole:F2} of what it does on {share} threads, {all / whole:F2} on {threads}"));
        if (!device.Info.IsCuda)
        {
            // Both stages on the same cores: no order of work is faster than their processor times, shared out evenly.
            var bound = (stages[0].Processor + stages[1].Processor) / threads;
            terminal.Result(Invariant($"end to end / bound of both on {threads} cores ({photos.Count / bound:F1} photographs/s): {bound / whole:F2}"));
        }
    }

    // Seconds of the work itself, without preparations.
    private static TimeSpan Decode(List<Photo> photos, DecodeOptions options, int threads, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        Parallel.ForEach(photos, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken }, photo => PhotoDecoder.Decode(photo.Path, options).Dispose());
        return Stopwatch.GetElapsedTime(start);
    }

    // As in the pipeline: on a CPU a network for each thread, on a GPU one.
    private static TimeSpan Network(Device device, Model model, ExtractionSettings settings, List<Photo> photos, DecodeOptions decode, int threads, CancellationToken cancellationToken)
    {
        using var photo = PhotoDecoder.Decode(photos[0].Path, decode);
        Device[] own = device.Info.IsCuda ? [] : [.. Enumerable.Range(0, threads).Select(_ => Device.Open("cpu", 1))];
        var lanes = (own.Length == 0 ? [device] : own).Select(lane => new Extractor(lane, model, settings.ToExtractorOptions(InputShape.Square(Size), 1))).ToArray();
        try
        {
            var next = -1;
            var start = Stopwatch.GetTimestamp();
            Parallel.For(0, lanes.Length, new ParallelOptions { MaxDegreeOfParallelism = lanes.Length }, Run);
            return Stopwatch.GetElapsedTime(start);

            void Run(int lane)
            {
                var descriptors = new float[lanes[lane].Info.Regions * lanes[lane].Info.Dimension];
                while (Interlocked.Increment(ref next) < photos.Count)
                {
                    lanes[lane].Run([photo.Image], descriptors, null, cancellationToken);
                }
            }
        }
        finally
        {
            Array.ForEach(lanes, lane => lane.Dispose());
            Array.ForEach(own, lane => lane.Dispose());
        }
    }

    private static TimeSpan EndToEnd(Device device, Model model, ExtractionSettings settings, List<Photo> photos, string folder, CancellationToken cancellationToken)
    {
        var output = Directory.CreateDirectory(Path.Combine(folder, "features"));
        var start = Stopwatch.GetTimestamp();
        Extraction.Run(device, model, settings, photos, output.FullName, new ExtractionRun(), cancellationToken);
        var elapsed = Stopwatch.GetElapsedTime(start);
        output.Delete(recursive: true);
        return elapsed;
    }

    // Files of their own: rendering as many different ones would take hours.
    private static List<Photo> Copies(IReadOnlyList<Photo> photos, int count, string folder)
    {
        if (photos.Count == 0)
        {
            throw new ArgumentException("no photographs to measure with");
        }

        Directory.CreateDirectory(folder);
        for (var i = 0; i < count; i++)
        {
            var photo = photos[i % photos.Count];
            File.Copy(photo.Path, Path.Combine(folder, $"{i:D3}{Path.GetExtension(photo.Path)}"));
        }

        return [.. PhotoCollection.FromDirectory(folder).Photos];
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Something timed several times.</summary>
    private sealed class Stage(string name, Func<TimeSpan> work)
    {
        private readonly List<double> seconds = [];
        private readonly List<double> processor = [];

        public string Name => name;

        /// <summary>Median seconds on the clock.</summary>
        public double Seconds => Median(seconds);

        /// <summary>Median seconds of all processors.</summary>
        public double Processor => Median(processor);

        public void Run()
        {
            var before = Environment.CpuUsage.TotalTime;
            seconds.Add(work().TotalSeconds);
            processor.Add((Environment.CpuUsage.TotalTime - before).TotalSeconds);
        }

        private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
    }
}
