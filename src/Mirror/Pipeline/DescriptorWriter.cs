// The last stage of an extraction: descriptors to disk on a thread of its own, so that the network never waits for one.

using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Mirror.Formats;

namespace Mirror.Pipeline;

/// <summary>Writes descriptors in the order they come; at most <see cref="Waiting"/> images' wait in memory.</summary>
internal sealed class DescriptorWriter : IDisposable
{
    private const int Waiting = 64;

    private readonly Channel<(int Index, float[] Rows)> queue = Channel.CreateBounded<(int, float[])>(Waiting);
    private readonly Task work;

    /// <param name="regions">R.</param>
    /// <param name="dimension">D.</param>
    /// <param name="path">Where image number i goes.</param>
    /// <param name="written">Called on the writing thread once an image is on disk.</param>
    public DescriptorWriter(int regions, int dimension, Func<int, string> path, Action<int> written) =>
        work = Task.Run(() => Write(regions, dimension, path, written));

    /// <summary>Hands over the rows [R, D] of one image.</summary>
    /// <exception cref="IOException">An earlier image could not be written.</exception>
    public void Add(int index, float[] rows)
    {
        while (!queue.Writer.TryWrite((index, rows)))
        {
            if (!queue.Writer.WaitToWriteAsync().AsTask().GetAwaiter().GetResult())
            {
                Finish();
            }
        }
    }

    /// <summary>Waits until everything is on disk.</summary>
    /// <exception cref="IOException">An image could not be written; those before it are.</exception>
    public void Finish()
    {
        queue.Writer.TryComplete();
        work.GetAwaiter().GetResult();
    }

    /// <summary>Writes what was handed over, whatever stopped the extraction.</summary>
    public void Dispose()
    {
        queue.Writer.TryComplete();
        Task.WhenAny(work).GetAwaiter().GetResult();
    }

    private void Write(int regions, int dimension, Func<int, string> path, Action<int> written)
    {
        try
        {
            var transposed = new float[regions * dimension];
            while (queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                while (queue.Reader.TryRead(out var item))
                {
                    Transpose(item.Rows, regions, dimension, transposed);
                    NpyFile.Write(path(item.Index), transposed, dimension, regions);
                    written(item.Index);
                }
            }
        }
        catch (Exception failure)
        {
            // Whoever adds next must not wait for a reader that is gone.
            queue.Writer.TryComplete(failure);
            ExceptionDispatchInfo.Throw(failure);
        }
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
}
