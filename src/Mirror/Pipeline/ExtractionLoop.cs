// One pass over the photographs still to do, in three stages that overlap: decoding, some photographs ahead; networks, in lanes of their own
// threads; writing, on one thread. Both queues are bounded, so memory does not grow with the collection. Decoders and lanes share the cores: the
// operating system gives time to whichever has work.

using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Mirror.Photographs;

namespace Mirror.Pipeline;

internal sealed class ExtractionLoop(ExtractionLanes lanes, ExtractionJob job, bool strict, int decodeAhead)
{
    private readonly Lock gate = new();
    private readonly List<(int Index, Exception Failure)> failures = [];

    public void Run(IReadOnlyList<int> pending, CancellationToken cancellationToken)
    {
        var decoded = Channel.CreateBounded<(int Index, Task<DecodedPhoto> Photo)>(decodeAhead);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var writer = new DescriptorWriter(job.Info.Regions, job.Info.Dimension, job.PathOf, job.Finish);
        job.Start();
        var producer = ProduceAsync(decoded.Writer, pending, stop.Token);
        var workers = lanes.Pools.Select(pool => Task.Factory.StartNew(
            () => Work(pool, decoded.Reader, writer, stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Task.WaitAll(workers, CancellationToken.None);
        stop.Cancel();
        Drain(decoded.Reader, producer);
        if (failures.Count > 0)
        {
            // The reason before those who only stopped because of it; of several reasons that of the first photograph.
            ExceptionDispatchInfo.Throw(failures.OrderBy(item => item.Failure is OperationCanceledException).ThenBy(item => item.Index).First().Failure);
        }

        producer.GetAwaiter().GetResult();
        writer.Finish();
    }

    private void Work(ExtractorPool extractors, ChannelReader<(int Index, Task<DecodedPhoto> Photo)> reader, DescriptorWriter writer, CancellationTokenSource stop)
    {
        using var lane = new ExtractionLane(extractors, job, writer, strict, decodeAhead / lanes.Pools.Count);
        var at = int.MaxValue;
        try
        {
            while (reader.WaitToReadAsync(stop.Token).AsTask().GetAwaiter().GetResult())
            {
                while (!stop.IsCancellationRequested && reader.TryRead(out var item))
                {
                    at = item.Index;
                    lane.Accept(item.Index, item.Photo, stop.Token);
                }
            }

            lane.Flush(stop.Token);
        }
        catch (Exception failure)
        {
            lock (gate)
            {
                failures.Add((at, failure));
            }

            stop.Cancel();
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
            return; // the lanes have stopped, and one of them tells why
        }
        finally
        {
            writer.Complete();
        }
    }

    // Pixels decoded ahead go back to the pool whatever stopped the lanes.
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
