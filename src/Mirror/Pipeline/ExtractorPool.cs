// One extractor for every input shape that occurs, a few at a time: preparing a network takes longer than running it, and a collection has few shapes.

namespace Mirror.Pipeline;

/// <summary>Extractors by shape; the least recently used makes room.</summary>
internal sealed class ExtractorPool(Device device, Model model, ExtractionSettings settings, int batch) : IDisposable
{
    /// <summary>How many shapes keep their extractor.</summary>
    public const int Most = 4;

    // Pools of several threads share the model, which one thread may use at a time.
    private static readonly Lock s_making = new();

    // Most recently used last.
    private readonly List<(InputShape Shape, Extractor Extractor)> extractors = [];

    /// <summary>The extractor of a shape, made where there is none.</summary>
    public Extractor For(InputShape shape)
    {
        var at = extractors.FindIndex(item => item.Shape == shape);
        var found = at >= 0 ? extractors[at] : (shape, Make(shape));
        if (at >= 0)
        {
            extractors.RemoveAt(at);
        }
        else if (extractors.Count == Most)
        {
            extractors[0].Extractor.Dispose();
            extractors.RemoveAt(0);
        }

        extractors.Add(found);
        return found.Item2;
    }

    private Extractor Make(InputShape shape)
    {
        lock (s_making)
        {
            return new Extractor(device, model, settings.ToExtractorOptions(shape, batch));
        }
    }

    public void Dispose() => extractors.ForEach(item => item.Extractor.Dispose());
}
