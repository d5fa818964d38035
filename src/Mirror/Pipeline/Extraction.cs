// Photographs -> one .npy of descriptors each. Decoding runs ahead on a few threads through a bounded channel, so memory
// does not grow with the collection; every descriptor is on disk before the next batch starts, so nothing computed is lost.

using System.Threading.Channels;
using Mirror.Formats;
using Mirror.Photographs;

namespace Mirror.Pipeline;

/// <summary>Extracts the descriptors of a collection into a folder.</summary>
public static class Extraction
{
    // A GPU takes photographs faster than three threads decode them; each decoded ahead holds its pixels in memory.
    private const int CpuDecodeAhead = 3;
    private static readonly int s_gpuDecodeAhead = Math.Clamp(Environment.ProcessorCount, CpuDecodeAhead, 16);

    /// <summary>Runs the extractor over a collection and writes <c>NAME.npy</c> ([D, R] float32) for each photograph, then
    /// <c>images.txt</c>, <c>features.txt</c> and <c>skipped.txt</c>. Descriptors already there from the same settings are kept.</summary>
    /// <exception cref="IOException">The folder cannot be written, or holds descriptors of other settings.</exception>
    /// <exception cref="PhotoException">A photograph could not be read and <see cref="ExtractionRun.Strict"/> is set.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; descriptors written so far stay.</exception>
    public static ExtractionReport Run(
        Device device,
        Model model,
        ExtractionSettings settings,
        IReadOnlyList<Photo> photos,
        string folder,
        ExtractionRun run,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(photos);
        ArgumentNullException.ThrowIfNull(run);
        run = run with { Batch = Math.Min(run.Batch, Math.Max(photos.Count, 1)) };
        using var extractor = new Extractor(device, model, settings.ToExtractorOptions(run.Batch));
        AtomicFile.CreateFolder(folder);
        using var manifest = SourceManifest.Open(folder);
        ClaimFolder(folder, settings, run.Overwrite, manifest);

        var names = FeatureNames.For(photos);
        var paths = names.Select(name => Path.Combine(folder, name)).ToArray();
        var done = new bool[photos.Count];
        for (var i = 0; i < paths.Length; i++)
        {
            done[i] = manifest.Fits(photos[i], names[i]) && IsComplete(paths[i], extractor.Info);
        }

        var resumed = done.Count(present => present);
        if (resumed > 0)
        {
            run.Notice?.Invoke($"{resumed} of {photos.Count} descriptors are already in {folder}: going on with the rest");
        }

        var skipped = new List<SkippedPhoto>();
        var pending = Enumerable.Range(0, photos.Count).Where(i => !done[i]).ToArray();
        var decodeAhead = device.Info.IsCuda ? s_gpuDecodeAhead : CpuDecodeAhead;
        var loop = new Loop(extractor, photos, names, folder, manifest, done, skipped, settings, run, resumed, decodeAhead);
        loop.Run(pending, cancellationToken);

        var kept = Enumerable.Range(0, photos.Count).Where(i => done[i]).ToArray();
        var report = new ExtractionReport(
            [.. kept.Select((i, index) => photos[i] with { Index = index })],
            [.. kept.Select(i => names[i])],
            skipped,
            resumed,
            extractor.Info);
        AtomicFile.WriteLines(Path.Combine(folder, "images.txt"), report.Photos.Select(photo => photo.Name));
        AtomicFile.WriteLines(Path.Combine(folder, "features.txt"), report.Features);
        MatchResults.WriteSkipped(folder, skipped);
        return report;
    }

    // The folder belongs to one set of settings. Lists of an earlier run are not left beside what this one will write.
    private static void ClaimFolder(string folder, ExtractionSettings settings, bool overwrite, SourceManifest manifest)
    {
        var path = Path.Combine(folder, ExtractionSettings.FileName);
        var json = settings.ToJson();
        if (File.Exists(path) && File.ReadAllText(path) != json)
        {
            if (!overwrite)
            {
                throw new IOException(
                    $"{folder} holds descriptors made with other settings (see {path}): choose another folder, or --overwrite to replace them");
            }

            manifest.Clear(folder);
        }

        Array.ForEach(["images.txt", "features.txt", "skipped.txt"], name => File.Delete(Path.Combine(folder, name)));
        AtomicFile.WriteText(path, json);
    }

    private static bool IsComplete(string path, ExtractorInfo info)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            return NpyFile.ReadShape(path).SequenceEqual([info.Dimension, info.Regions]);
        }
        catch (InvalidDataException)
        {
            return false; // left by something else: extracted again and replaced
        }
    }

    // One pass over the photographs still to do.
    private sealed class Loop(
        Extractor extractor,
        IReadOnlyList<Photo> photos,
        string[] names,
        string folder,
        SourceManifest manifest,
        bool[] done,
        List<SkippedPhoto> skipped,
        ExtractionSettings settings,
        ExtractionRun run,
        int resumed,
        int decodeAhead)
    {
        private readonly List<(int Index, PixelImage Image)> batch = [];
        private readonly float[] descriptors = new float[checked(extractor.Info.ImagesAtOnce * extractor.Info.Regions * extractor.Info.Dimension)];
        private readonly float[] transposed = new float[checked(extractor.Info.Regions * extractor.Info.Dimension)];
        private int finished = resumed;

        public void Run(int[] pending, CancellationToken cancellationToken)
        {
            var decoded = Channel.CreateBounded<(int Index, Task<DecodedPhoto> Photo)>(decodeAhead);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var producer = ProduceAsync(decoded.Writer, pending, stop.Token);
            try
            {
                run.Progress?.Invoke(finished, photos.Count);
                while (decoded.Reader.WaitToReadAsync(cancellationToken).AsTask().GetAwaiter().GetResult())
                {
                    while (decoded.Reader.TryRead(out var item))
                    {
                        Accept(item.Index, item.Photo, cancellationToken);
                    }
                }

                Flush(cancellationToken);
                producer.GetAwaiter().GetResult();
            }
            finally
            {
                stop.Cancel();
                batch.ForEach(item => item.Image.Dispose());
                Drain(decoded.Reader, producer);
            }
        }

        private async Task ProduceAsync(ChannelWriter<(int, Task<DecodedPhoto>)> writer, int[] pending, CancellationToken token)
        {
            try
            {
                foreach (var index in pending)
                {
                    if (!await writer.WaitToWriteAsync(token).ConfigureAwait(false))
                    {
                        break;
                    }

                    var path = photos[index].Path;
                    writer.TryWrite((index, Task.Run(() => PhotoDecoder.Decode(path, settings.Exif), CancellationToken.None)));
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

        private void Accept(int index, Task<DecodedPhoto> photo, CancellationToken cancellationToken)
        {
            PixelImage image;
            try
            {
                image = photo.GetAwaiter().GetResult().Image;
            }
            catch (PhotoException failure) when (!run.Strict)
            {
                skipped.Add(new SkippedPhoto(photos[index].Name, failure.Reason));
                run.Notice?.Invoke($"skipped {photos[index].Name}: {failure.Reason}");
                run.Progress?.Invoke(++finished, photos.Count);
                return;
            }

            batch.Add((index, image));
            if (batch.Count == extractor.Info.ImagesAtOnce)
            {
                Flush(cancellationToken);
            }
        }

        private void Flush(CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (batch.Count == 0)
            {
                return;
            }

            var (regions, dimension) = (extractor.Info.Regions, extractor.Info.Dimension);
            var size = regions * dimension;
            extractor.Run([.. batch.Select(item => item.Image)], descriptors.AsSpan(0, batch.Count * size), null, cancellationToken);
            for (var i = 0; i < batch.Count; i++)
            {
                Transpose(descriptors.AsSpan(i * size, size), regions, dimension, transposed);
                var index = batch[i].Index;
                NpyFile.Write(Path.Combine(folder, names[index]), transposed, dimension, regions);
                manifest.Add(photos[index], names[index]);
                done[index] = true;
                batch[i].Image.Dispose();
            }

            finished += batch.Count;
            batch.Clear();
            run.Progress?.Invoke(finished, photos.Count);
        }

        // [R, D] -> [D, R], the original's layout on disk.
        private static void Transpose(ReadOnlySpan<float> source, int rows, int columns, Span<float> target)
        {
            for (var row = 0; row < rows; row++)
            {
                for (var column = 0; column < columns; column++)
                {
                    target[(column * rows) + row] = source[(row * columns) + column];
                }
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
                    item.Photo.Result.Image.Dispose();
                }
            }
        }
    }
}
