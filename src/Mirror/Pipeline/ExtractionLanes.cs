// Where the networks of one extraction run. On a CPU each thread has a network of its own, while they fit into memory: threads that share one
// network wait for each other at every layer, and wait long as soon as a decoder takes one of the cores; alone, each uses whatever time it gets.

namespace Mirror.Pipeline;

/// <summary>One extractor pool for each thread that runs networks.</summary>
internal sealed class ExtractionLanes : IDisposable
{
    // All networks together. Above it one network uses all threads: it is so heavy that decoders hardly disturb it.
    private const long MostBytes = 1L << 30;

    private readonly Device device;
    private readonly Model model;
    private readonly ExtractionSettings settings;
    private readonly int batch;
    private readonly List<Device> devices = [];
    private readonly List<ExtractorPool> pools = [];

    /// <summary>One lane on the device as given.</summary>
    public ExtractionLanes(Device device, Model model, ExtractionSettings settings, int batch)
    {
        (this.device, this.model, this.settings, this.batch) = (device, model, settings, batch);
        pools.Add(new ExtractorPool(device, model, settings, batch));

        // Any shape tells what all have in common: R, D and how many images keep the device busy.
        Info = pools[0].For(settings.ShapeOf(model.Info.MinSize, 1, 1)).Info;
    }

    /// <summary>Of the extractors.</summary>
    public ExtractorInfo Info { get; }

    /// <summary>At least one; each is used by one thread at a time.</summary>
    public IReadOnlyList<ExtractorPool> Pools => pools;

    /// <summary>Makes a lane of each CPU thread where that pays. Results do not depend on it.</summary>
    /// <param name="photographs">How many there are to do.</param>
    public void Split(int photographs)
    {
        var threads = device.Info.Threads;
        var shapes = settings.Fit == FitMode.Whole ? ExtractorPool.Most : 1;
        var fits = (Info.ArenaBytes + Info.WeightBytes) * threads * shapes <= MostBytes;
        if (device.Info.IsCuda || threads == 1 || photographs < 2 * threads || !fits)
        {
            return;
        }

        pools[0].Dispose();
        pools.Clear();
        for (var lane = 0; lane < threads; lane++)
        {
            devices.Add(Device.Open("cpu", 1));
            pools.Add(new ExtractorPool(devices[lane], model, settings, batch));
        }
    }

    public void Dispose()
    {
        pools.ForEach(pool => pool.Dispose());
        devices.ForEach(lane => lane.Dispose());
    }
}
