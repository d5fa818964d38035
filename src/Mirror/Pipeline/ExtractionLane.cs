// One thread's part of an extraction: takes decoded photographs as they come, gathers batches of equal shape, runs the network, hands descriptors to
// the writer.

using Mirror.Photographs;

namespace Mirror.Pipeline;

/// <param name="extractors">Used by this lane only.</param>
/// <param name="job">Shared by all lanes.</param>
/// <param name="writer">Shared by all lanes.</param>
/// <param name="strict">Whether a photograph that cannot be read is a failure.</param>
/// <param name="mostWaiting">Photographs that may wait for others of their shape.</param>
internal sealed class ExtractionLane(ExtractorPool extractors, ExtractionJob job, DescriptorWriter writer, bool strict, int mostWaiting) : IDisposable
{
    private readonly Dictionary<InputShape, List<(int Index, PixelImage Image)>> batches = [];

    /// <summary>Takes a photograph over; runs the network once a batch is full.</summary>
    /// <exception cref="PhotoException">It could not be decoded, and the run is strict.</exception>
    /// <exception cref="IOException">Descriptors could not be written.</exception>
    public void Accept(int index, Task<DecodedPhoto> task, CancellationToken cancellationToken)
    {
        DecodedPhoto photo;
        try
        {
            photo = task.GetAwaiter().GetResult();
        }
        catch (PhotoException failure) when (!strict)
        {
            job.Skip(index, failure.Reason);
            return;
        }

        // The file's own size decides, not that of a reduced decode; an orientation that was applied has turned it.
        var turned = job.Settings.Exif == ExifMode.Apply && ExifOrientation.SwapsSides(photo.Orientation);
        var shape = turned ? job.ShapeOf(photo.StoredHeight, photo.StoredWidth) : job.ShapeOf(photo.StoredWidth, photo.StoredHeight);
        if (!batches.TryGetValue(shape, out var batch))
        {
            batches.Add(shape, batch = []);
        }

        batch.Add((index, photo.Image));
        if (batch.Count == job.Info.ImagesAtOnce)
        {
            Compute(shape, cancellationToken);
        }
        else if (batches.Values.Sum(waiting => waiting.Count) >= mostWaiting + job.Info.ImagesAtOnce)
        {
            // Many shapes at once: no more photographs in memory than one shape would have.
            Compute(batches.MaxBy(item => item.Value.Count).Key, cancellationToken);
        }
    }

    /// <summary>Runs the network on what still waits.</summary>
    public void Flush(CancellationToken cancellationToken)
    {
        foreach (var shape in batches.Keys)
        {
            Compute(shape, cancellationToken);
        }
    }

    /// <summary>Returns the pixels of photographs that were not computed.</summary>
    public void Dispose()
    {
        foreach (var (_, image) in batches.Values.SelectMany(batch => batch))
        {
            image.Dispose();
        }
    }

    private void Compute(InputShape shape, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var batch = batches[shape];
        if (batch.Count == 0)
        {
            return;
        }

        var size = job.Info.Regions * job.Info.Dimension;
        var descriptors = new float[checked(batch.Count * size)];

        // Not cancelled inside: these few images are soon done, and kept.
        extractors.For(shape).Run([.. batch.Select(item => item.Image)], descriptors, cancellationToken: CancellationToken.None);
        for (var i = 0; i < batch.Count; i++)
        {
            writer.Add(batch[i].Index, batch.Count == 1 ? descriptors : descriptors[(i * size)..((i + 1) * size)]);
        }

        batch.ForEach(item => item.Image.Dispose());
        batch.Clear();
    }
}
