// One pass over the photographs still to do, in three stages that overlap: decoding, on a few threads, some photographs ahead; the network, on
// the calling thread; writing, on a thread of its own. Both queues are bounded, so memory does not grow with the collection.

using System.Threading.Channels;
using Mirror.Photographs;

namespace Mirror.Pipeline;

internal sealed class ExtractionLoop(ExtractorPool extractors, ExtractionJob job, ExtractionRun run, int decodeAhead)
{
    private readonly Dictionary<InputShape, List<(int Index, PixelImage Image)>> batches = [];
    private readonly Lock counting = new();
    private int finished = job.Resumed;

    public void Run(IReadOnlyList<int> pending, CancellationToken cancellationToken)
    {
        var decoded = Channel.CreateBounded<(int Index, Task<DecodedPhoto> Photo)>(decodeAhead);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var writer = new DescriptorWriter(job.Info.Regions, job.Info.Dimension, job.PathOf, Written);
        var producer = ProduceAsync(decoded.Writer, pending, stop.Token);
        try
        {
            Count(0);
            while (decoded.Reader.WaitToReadAsync(cancellationToken).AsTask().GetAwaiter().GetResult())
            {
                while (decoded.Reader.TryRead(out var item))
                {
                    Accept(item.Index, item.Photo, writer, cancellationToken);
                }
            }

            foreach (var shape in batches.Keys)
            {
                Flush(shape, writer, cancellationToken);
            }

            producer.GetAwaiter().GetResult();
            writer.Finish();
        }
        finally
        {
            stop.Cancel();
            foreach (var (_, image) in batches.Values.SelectMany(batch => batch))
            {
                image.Dispose();
            }

            Drain(decoded.Reader, producer);
        }
    }

    private async Task ProduceAsync(ChannelWriter<(int, Task<DecodedPhoto>)> writer, IReadOnlyList<int> pending, CancellationToken token)
    {
        try
        {
            var options = job.DecodeOptions;
            foreach (var index in pending)
            {
                if (!await writer.WaitToWriteAsync(token).ConfigureAwait(false))
                {
                    break;
                }

                var path = job.Photos[index].Path;
                writer.TryWrite((index, Task.Run(() => PhotoDecoder.Decode(path, options), CancellationToken.None)));
            }
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return; // the consumer has stopped and tells why
        }
        finally
        {
            writer.Complete();
        }
    }

    private void Accept(int index, Task<DecodedPhoto> task, DescriptorWriter writer, CancellationToken cancellationToken)
    {
        DecodedPhoto photo;
        try
        {
            photo = task.GetAwaiter().GetResult();
        }
        catch (PhotoException failure) when (!run.Strict)
        {
            job.Skipped.Add(new SkippedPhoto(job.Photos[index].Name, failure.Reason));
            run.Notice?.Invoke($"skipped {job.Photos[index].Name}: {failure.Reason}");
            Count(1);
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
            Flush(shape, writer, cancellationToken);
        }
        else if (batches.Values.Sum(waiting => waiting.Count) >= decodeAhead + job.Info.ImagesAtOnce)
        {
            // Many shapes at once: no more photographs in memory than one shape would have.
            Flush(batches.MaxBy(item => item.Value.Count).Key, writer, cancellationToken);
        }
    }

    private void Flush(InputShape shape, DescriptorWriter writer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var batch = batches[shape];
        if (batch.Count == 0)
        {
            return;
        }

        var size = job.Info.Regions * job.Info.Dimension;
        var descriptors = new float[checked(batch.Count * size)];
        extractors.For(shape).Run([.. batch.Select(item => item.Image)], descriptors, null, cancellationToken);
        for (var i = 0; i < batch.Count; i++)
        {
            batch[i].Image.Dispose();
            writer.Add(batch[i].Index, batch.Count == 1 ? descriptors : descriptors[(i * size)..((i + 1) * size)]);
        }

        batch.Clear();
    }

    private void Written(int index)
    {
        job.Finish(index);
        Count(1);
    }

    private void Count(int more)
    {
        lock (counting)
        {
            finished += more;
            run.Progress?.Invoke(finished, job.Photos.Count);
        }
    }

    // Pixels decoded ahead go back to the pool whatever stopped the loop.
    private static void Drain(ChannelReader<(int Index, Task<DecodedPhoto> Photo)> reader, Task producer)
    {
        Task.WhenAny(producer).GetAwaiter().GetResult();
        while (reader.TryRead(out var item))
        {
            Task.WhenAny(item.Photo).GetAwaiter().GetResult();
            if (item.Photo.IsCompletedSuccessfully)
            {
                item.Photo.Result.Dispose();
            }
        }
    }
}
