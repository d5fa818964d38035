// What the stages of one extraction share: which photographs, where their descriptors go, what is done.

using Mirror.Photographs;

namespace Mirror.Pipeline;

internal sealed class ExtractionJob(
    ExtractionSettings settings, ModelInfo model, ExtractorInfo info, IReadOnlyList<Photo> photos, string folder, SourceManifest manifest, ExtractionRun run)
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<int, string> skipped = [];
    private readonly string[] names = FeatureNames.For(photos);
    private readonly bool[] done = new bool[photos.Count];
    private int finished;

    public ExtractionSettings Settings => settings;

    public ExtractorInfo Info => info;

    public IReadOnlyList<Photo> Photos => photos;

    /// <summary>How many were finished by earlier runs.</summary>
    public int Resumed { get; private set; }

    /// <summary>How photographs are decoded, and how much of them the network sees.</summary>
    public DecodeOptions DecodeOptions => settings.ToDecodeOptions(model.MinSize);

    /// <summary>Takes over what earlier runs finished; returns the numbers of the rest.</summary>
    /// <param name="isComplete">Whether a descriptor file holds what this run would write.</param>
    public int[] Resume(Func<string, bool> isComplete)
    {
        for (var i = 0; i < done.Length; i++)
        {
            done[i] = manifest.Fits(photos[i], names[i]) && isComplete(PathOf(i));
        }

        finished = Resumed = done.Count(present => present);
        return [.. Enumerable.Range(0, done.Length).Where(i => !done[i])];
    }

    public string PathOf(int index) => Path.Combine(folder, names[index]);

    /// <summary>Of an upright photograph of this size.</summary>
    public InputShape ShapeOf(int width, int height) => settings.ShapeOf(model.MinSize, width, height);

    /// <summary>Reports the first progress.</summary>
    public void Start() => Report(() => { });

    /// <summary>Records that a descriptor is on disk. Any thread.</summary>
    public void Finish(int index) => Report(() =>
    {
        manifest.Add(photos[index], names[index]);
        done[index] = true;
        finished++;
    });

    /// <summary>Records that a photograph could not be read, and says so. Any thread.</summary>
    public void Skip(int index, string reason) => Report(() =>
    {
        skipped.Add(index, reason);
        run.Notice?.Invoke($"skipped {photos[index].Name}: {reason}");
        finished++;
    });

    public ExtractionReport Report()
    {
        var kept = Enumerable.Range(0, done.Length).Where(i => done[i]).ToArray();
        return new ExtractionReport([.. kept.Select((i, index) => photos[i] with { Index = index })], [.. kept.Select(i => names[i])], [.. skipped.Select(item => new SkippedPhoto(photos[item.Key].Name, item.Value))], Resumed, info);
    }

    private void Report(Action change)
    {
        lock (gate)
        {
            change();
            run.Progress?.Invoke(finished, photos.Count);
        }
    }
}
