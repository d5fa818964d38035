// What the stages of one extraction share: which photographs, where their descriptors go, what is done.

using Mirror.Photographs;

namespace Mirror.Pipeline;

internal sealed class ExtractionJob(
    ExtractionSettings settings, ModelInfo model, ExtractorInfo info, IReadOnlyList<Photo> photos, string folder, SourceManifest manifest)
{
    private readonly string[] names = FeatureNames.For(photos);
    private readonly bool[] done = new bool[photos.Count];

    public ExtractionSettings Settings => settings;

    public ExtractorInfo Info => info;

    public IReadOnlyList<Photo> Photos => photos;

    public List<SkippedPhoto> Skipped { get; } = [];

    /// <summary>How many were finished by earlier runs.</summary>
    public int Resumed { get; private set; }

    /// <summary>How photographs are decoded, and how much of them the network sees.</summary>
    public DecodeOptions DecodeOptions => new()
    {
        Exif = settings.Exif,
        Mode = settings.Decode,
        ResizeFactor = (width, height) =>
        {
            var shape = ShapeOf(width, height);
            return Math.Max(shape.Width / (double)width, shape.Height / (double)height);
        },
    };

    /// <summary>Takes over what earlier runs finished; returns the numbers of the rest.</summary>
    /// <param name="isComplete">Whether a descriptor file holds what this run would write.</param>
    public int[] Resume(Func<string, bool> isComplete)
    {
        for (var i = 0; i < done.Length; i++)
        {
            done[i] = manifest.Fits(photos[i], names[i]) && isComplete(PathOf(i));
        }

        Resumed = done.Count(present => present);
        return [.. Enumerable.Range(0, done.Length).Where(i => !done[i])];
    }

    public string PathOf(int index) => Path.Combine(folder, names[index]);

    /// <summary>Of an upright photograph of this size.</summary>
    public InputShape ShapeOf(int width, int height) => settings.ShapeOf(model.MinSize, width, height);

    /// <summary>Records that a descriptor is on disk.</summary>
    public void Finish(int index)
    {
        manifest.Add(photos[index], names[index]);
        done[index] = true;
    }

    public ExtractionReport Report()
    {
        var kept = Enumerable.Range(0, done.Length).Where(i => done[i]).ToArray();
        return new ExtractionReport([.. kept.Select((i, index) => photos[i] with { Index = index })], [.. kept.Select(i => names[i])], Skipped, Resumed, info);
    }
}
