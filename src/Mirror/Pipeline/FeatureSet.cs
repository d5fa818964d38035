// Descriptor files -> one [N, R, D] buffer, as the original's read_feature: each file is [D, R] and is transposed; R-MAC
// sums the regions, MAC takes the first. All files must have one shape: nothing is padded, cut or left zero.

using Mirror.Formats;

namespace Mirror.Pipeline;

/// <summary>How the regions of an image become the rows that are compared.</summary>
public enum Aggregation
{
    /// <summary>Every region is a row (PR-MAC).</summary>
    Regions,

    /// <summary>One row: the sum of all regions (R-MAC; the original does not normalise them first).</summary>
    Sum,

    /// <summary>One row: the first region, the whole map where the first step is 1 (MAC).</summary>
    First,
}

/// <summary>Descriptors of many images in memory.</summary>
public sealed class FeatureSet : IDisposable
{
    private FeatureSet(FloatBuffer rows, int count, int regions, int dimension)
    {
        Rows = rows;
        Count = count;
        Regions = regions;
        Dimension = dimension;
    }

    /// <summary>[<see cref="Count"/>, <see cref="Regions"/>, <see cref="Dimension"/>], raw as on disk.</summary>
    public FloatBuffer Rows { get; private set; }

    /// <summary>Images N.</summary>
    public int Count { get; }

    /// <summary>Rows of one image R, 1 unless <see cref="Aggregation.Regions"/>.</summary>
    public int Regions { get; }

    /// <summary>Channels D.</summary>
    public int Dimension { get; private set; }

    /// <summary>All rows: N * R.</summary>
    public long RowCount => (long)Count * Regions;

    /// <summary>Reads descriptor files.</summary>
    /// <param name="paths">At least one .npy file, float32 [D, R] or [D].</param>
    /// <param name="aggregation">What becomes a row.</param>
    /// <param name="progress">Called with (files read, all files).</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="InvalidDataException">A file is not such an array, differs in shape from the first, or holds NaN or infinity.</exception>
    public static FeatureSet Load(
        IReadOnlyList<string> paths,
        Aggregation aggregation,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        if (paths.Count == 0)
        {
            throw new InvalidDataException("the list of descriptor files is empty, expected at least one");
        }

        var (dimension, storedRegions) = Shape(paths[0], NpyFile.ReadShape(paths[0]));
        var regions = aggregation == Aggregation.Regions ? storedRegions : 1;
        var size = checked(regions * dimension);
        var rows = new FloatBuffer((long)paths.Count * size);
        try
        {
            for (var i = 0; i < paths.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var stored = NpyFile.ReadFloat32(paths[i], out var dims);
                var shape = Shape(paths[i], dims);
                if (shape != (dimension, storedRegions))
                {
                    throw new InvalidDataException(
                        $"{paths[i]} is [{shape.Dimension}, {shape.Regions}] but {paths[0]} is [{dimension}, {storedRegions}]: all descriptors of one list must have one shape");
                }

                Aggregate(stored, dimension, storedRegions, aggregation, rows.Slice((long)i * size, size));
                RequireFinite(rows.Slice((long)i * size, size), paths[i]);
                progress?.Invoke(i + 1, paths.Count);
            }
        }
        catch
        {
            rows.Dispose();
            throw;
        }

        return new FeatureSet(rows, paths.Count, regions, dimension);
    }

    /// <summary>Scales every row to unit length in place; zero rows stay zero.</summary>
    public void Normalize(Device device) => Operations.L2Normalize(device, Rows, Dimension, Rows);

    /// <summary>Replaces every row by its whitened, unit-length image.</summary>
    public void Whiten(Device device, Whitening whitening)
    {
        ArgumentNullException.ThrowIfNull(whitening);
        var whitened = new FloatBuffer(RowCount * whitening.OutputDimension);
        try
        {
            whitening.Apply(device, Rows, whitened);
        }
        catch
        {
            whitened.Dispose();
            throw;
        }

        Rows.Dispose();
        (Rows, Dimension) = (whitened, whitening.OutputDimension);
    }

    /// <inheritdoc/>
    public void Dispose() => Rows.Dispose();

    private static (int Dimension, int Regions) Shape(string path, IReadOnlyList<long> shape) =>
        shape switch
        {
            [var dimension and > 0 and <= int.MaxValue, var regions and > 0 and <= int.MaxValue] => ((int)dimension, (int)regions),
            [var dimension and > 0 and <= int.MaxValue] => ((int)dimension, 1),
            _ => throw new InvalidDataException($"{path} has shape [{string.Join(", ", shape)}], expected [D, R] with D and R at least 1"),
        };

    private static void Aggregate(ReadOnlySpan<float> stored, int dimension, int regions, Aggregation aggregation, Span<float> rows)
    {
        rows.Clear();
        for (var d = 0; d < dimension; d++)
        {
            for (var r = 0; r < regions; r++)
            {
                var value = stored[(d * regions) + r];
                switch (aggregation)
                {
                    case Aggregation.Regions:
                        rows[(r * dimension) + d] = value;
                        break;
                    case Aggregation.Sum:
                        rows[d] += value;
                        break;
                    case Aggregation.First when r == 0:
                        rows[d] = value;
                        break;
                }
            }
        }
    }

    private static void RequireFinite(ReadOnlySpan<float> rows, string path)
    {
        foreach (var value in rows)
        {
            if (!float.IsFinite(value))
            {
                throw new InvalidDataException($"{path} holds {value}: extract it again");
            }
        }
    }
}
