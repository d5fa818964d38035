// Photographs -> one .npy of descriptors each, in a folder that belongs to one set of settings.

using Mirror.Formats;
using Mirror.Photographs;

namespace Mirror.Pipeline;

/// <summary>Extracts the descriptors of a collection into a folder.</summary>
public static class Extraction
{
    // Beyond one for each lane. A GPU takes photographs faster than three threads decode them; each decoded ahead holds its pixels in memory.
    private const int CpuDecodeAhead = 2;
    private static readonly int s_gpuDecodeAhead = Math.Clamp(Environment.ProcessorCount, 1 + CpuDecodeAhead, 16);

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
        settings.Require(model.Info.MinSize);
        using var lanes = new ExtractionLanes(device, model, settings, run.Batch);
        var info = lanes.Info;
        run.Begin?.Invoke(photos.Count, info);
        AtomicFile.CreateFolder(folder);
        using var manifest = SourceManifest.Open(folder);
        ClaimFolder(folder, settings, run.Overwrite, manifest);

        var job = new ExtractionJob(settings, model.Info, info, photos, folder, manifest, run);
        var pending = job.Resume(path => IsComplete(path, info));
        if (job.Resumed > 0)
        {
            run.Notice?.Invoke($"{job.Resumed} of {photos.Count} descriptors are already in {folder}: going on with the rest");
        }

        lanes.Split(pending.Length);
        var ahead = device.Info.IsCuda ? s_gpuDecodeAhead : lanes.Pools.Count + CpuDecodeAhead;
        new ExtractionLoop(lanes, job, run.Strict, ahead).Run(pending, cancellationToken);
        var report = job.Report();
        AtomicFile.WriteLines(Path.Combine(folder, "images.txt"), report.Photos.Select(photo => photo.Name));
        AtomicFile.WriteLines(Path.Combine(folder, "features.txt"), report.Features);
        MatchResults.WriteSkipped(folder, report.Skipped);
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
}
