// One extractor for every input shape that occurs, a few at a time: preparing a network takes longer than running it, and a collection has few shapes.

namespace Mirror.Pipeline;

/// <summary>Extractors by shape; the least recently used makes room.</summary>
internal sealed class ExtractorPool(Device device, Model model, ExtractionSettings settings, int batch) : IDisposable
{
    private const int Most = 4;

    // Most recently used last.
    private readonly List<(InputShape Shape, Extractor Extractor)> extractors = [];

    /// <summary>The extractor of a shape, made where there is none.</summary>
    public Extractor For(InputShape shape)
    {
        var at = extractors.FindIndex(item => item.Shape == shape);
        var found = at >= 0 ? extractors[at] : (shape, new Extractor(device, model, settings.ToExtractorOptions(shape, batch)));
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

    public void Dispose() => extractors.ForEach(item => item.Extractor.Dispose());
}
