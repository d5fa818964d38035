// Exact search among the region descriptors of many images. Scores are computed in tiles by the native core; here are only
// lengths, results and lifetimes.
using System.Runtime.InteropServices;
using Mirror.Interop;

namespace Mirror;

/// <summary>What to search for.</summary>
public sealed record SearchOptions
{
    /// <summary>Results per query, at least 1; the size of the index caps it.</summary>
    public int Top { get; init; } = 200;

    /// <summary>How region scores become an image score.</summary>
    public Similarity Similarity { get; init; }

    /// <summary>How two region vectors are compared.</summary>
    public Metric Metric { get; init; }
}

/// <summary>How queries are expanded with their results.</summary>
public sealed record ExpandOptions
{
    /// <summary>Best images added, at least 0; the results per query cap it.</summary>
    public int Neighbours { get; init; } = 5;

    /// <summary>Exponent of a neighbour's weight max(score / R, 0), at least 0; 0: plain mean.</summary>
    public double Alpha { get; init; } = 1;

    /// <summary>Which regions are added to each other.</summary>
    public RegionPairing Pairing { get; init; }

    /// <summary>Weigh by score / R whatever its sign, as the original; needs <see cref="Alpha"/> 1.</summary>
    public bool SignedWeights { get; init; }
}

/// <summary>Results of a search, best first, equal scores by lower index.</summary>
/// <param name="Queries">n: queries.</param>
/// <param name="K">Results per query: min(Top, size of the index).</param>
/// <param name="Ids">[n, K]: indices of images, in the order they were added.</param>
/// <param name="Scores">[n, K]: their scores, NOT divided by the number of regions.</param>
public sealed record SearchResult(int Queries, int K, int[] Ids, float[] Scores);

/// <summary>
/// Descriptors of many images, searched exactly. Used by one thread at a time; the device may be disposed before it.
/// </summary>
public sealed unsafe class DescriptorIndex : IDisposable
{
    private readonly IndexHandle _handle;

    /// <summary>An empty index.</summary>
    /// <param name="device">Where to keep and search the descriptors.</param>
    /// <param name="regions">R: regions of every image, at least 1.</param>
    /// <param name="dimension">D: length of a region vector, at least 1.</param>
    /// <param name="precision">
    /// How descriptors are kept and multiplied: fp32, or on a GPU fp16 (half the memory, tensor cores, sums in fp32; dot metric only).
    /// </param>
    /// <exception cref="ArgumentException">A size is out of range, or the device does not search in that precision.</exception>
    public DescriptorIndex(Device device, int regions, int dimension, Precision precision = Precision.Fp32)
    {
        ArgumentNullException.ThrowIfNull(device);
        Check.Ok(NativeMethods.IndexCreate(out _handle, device.Handle, regions, dimension, (int)precision));
        Regions = regions;
        Dimension = dimension;
    }

    /// <summary>R: regions of every image.</summary>
    public int Regions { get; }

    /// <summary>D: length of a region vector.</summary>
    public int Dimension { get; }

    /// <summary>Images added.</summary>
    public long Count
    {
        get
        {
            long count;
            Check.Ok(NativeMethods.IndexSize(Handle, &count));
            return count;
        }
    }

    private IndexHandle Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle;
        }
    }

    /// <summary>Appends images; may be called any number of times.</summary>
    /// <param name="rows">[n, Regions, Dimension], copied as given.</param>
    /// <exception cref="ArgumentException">The length does not fit, or a value is NaN or infinite (names image and region).</exception>
    /// <exception cref="InsufficientMemoryException">The index does not fit into memory.</exception>
    public void Add(ReadOnlySpan<float> rows)
    {
        fixed (float* first = rows)
            Add(first, rows.Length);
    }

    /// <summary>Appends images from outside the managed heap.</summary>
    /// <inheritdoc cref="Add(ReadOnlySpan{float})"/>
    public void Add(FloatBuffer rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        Add(rows.Pointer, rows.Length);
        GC.KeepAlive(rows);
    }

    /// <summary>The best images for each query.</summary>
    /// <param name="queries">[n, Regions, Dimension].</param>
    /// <param name="options">How many and by which score.</param>
    /// <param name="progress">Gets (queries done, n) on the calling thread.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">A length or option does not fit, the index is empty, or the results exceed what an array holds.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public SearchResult Search(
        ReadOnlySpan<float> queries,
        SearchOptions options,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        fixed (float* first = queries)
            return Search(first, queries.Length, options, progress, cancellationToken);
    }

    /// <summary>The best images for each query, from queries outside the managed heap.</summary>
    /// <inheritdoc cref="Search(ReadOnlySpan{float}, SearchOptions, Action{long, long}, CancellationToken)"/>
    public SearchResult Search(
        FloatBuffer queries,
        SearchOptions options,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queries);
        SearchResult result = Search(queries.Pointer, queries.Length, options, progress, cancellationToken);
        GC.KeepAlive(queries);
        return result;
    }

    /// <summary>
    /// Query expansion: out_r = L2(q_r + sum over the best images j of w_j d_{j, t}), t the region paired with r.
    /// </summary>
    /// <param name="queries">[n, Regions, Dimension]: what <paramref name="previous"/> was searched with.</param>
    /// <param name="previous">Results of <see cref="Search(ReadOnlySpan{float}, SearchOptions, Action{long, long}, CancellationToken)"/>.</param>
    /// <param name="options">How many, by which weights, which regions.</param>
    /// <param name="expanded">[n, Regions, Dimension]; may be the memory of <paramref name="queries"/>.</param>
    /// <exception cref="ArgumentException">A length or option does not fit.</exception>
    public void Expand(ReadOnlySpan<float> queries, SearchResult previous, ExpandOptions options, Span<float> expanded)
    {
        fixed (float* q = queries, output = expanded)
            Expand(q, queries.Length, previous, options, output, expanded.Length);
    }

    /// <summary>Query expansion outside the managed heap.</summary>
    /// <inheritdoc cref="Expand(ReadOnlySpan{float}, SearchResult, ExpandOptions, Span{float})"/>
    public void Expand(FloatBuffer queries, SearchResult previous, ExpandOptions options, FloatBuffer expanded)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(expanded);
        Expand(queries.Pointer, queries.Length, previous, options, expanded.Pointer, expanded.Length);
        GC.KeepAlive(queries);
        GC.KeepAlive(expanded);
    }

    /// <summary>Releases the index.</summary>
    public void Dispose() => _handle.Dispose();

    private void Add(float* rows, long length) =>
        Check.Ok(NativeMethods.IndexAdd(Handle, rows, Lengths.Rows(nameof(rows), length, Regions, Dimension)));

    private SearchResult Search(
        float* queries, long length, SearchOptions options, Action<long, long>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        long count = Lengths.Rows(nameof(queries), length, Regions, Dimension);
        // A Top below 1 is refused by the native core; the arrays only must not be negative.
        var k = (int)Math.Clamp(Count, 0, Math.Max(options.Top, 0));
        int size = Lengths.ArrayLength("results", count, k);
        var result = new SearchResult(checked((int)count), k, new int[size], new float[size]);
        using var relay = new ProgressRelay(progress, cancellationToken);
        NativeProgress native = relay.Native;
        NativeSearchOptions nativeOptions;
        NativeMethods.SearchOptionsInit(&nativeOptions);
        nativeOptions.Top = options.Top;
        nativeOptions.Similarity = (int)options.Similarity;
        nativeOptions.Metric = (int)options.Metric;
        nativeOptions.Progress = &native;
        // "fixed (int* ids = result.Ids)" is NULL for an empty array: the core would complain about that, not about the empty index.
        fixed (int* ids = &MemoryMarshal.GetArrayDataReference(result.Ids))
        fixed (float* scores = &MemoryMarshal.GetArrayDataReference(result.Scores))
            relay.Finish(NativeMethods.IndexSearch(Handle, queries, count, &nativeOptions, ids, scores));
        return result;
    }

    private void Expand(float* queries, long length, SearchResult previous, ExpandOptions options, float* expanded, long expandedLength)
    {
        ArgumentNullException.ThrowIfNull(previous);
        ArgumentNullException.ThrowIfNull(options);
        long count = Lengths.Rows(nameof(queries), length, Regions, Dimension);
        Lengths.Exact(nameof(expanded), expandedLength, count, Regions, Dimension);
        Lengths.Exact(nameof(previous), previous.Ids.Length, count, previous.K);
        Lengths.Exact(nameof(previous), previous.Scores.Length, count, previous.K);
        NativeExpandOptions nativeOptions;
        NativeMethods.ExpandOptionsInit(&nativeOptions);
        nativeOptions.Neighbours = options.Neighbours;
        nativeOptions.Alpha = options.Alpha;
        nativeOptions.Pairing = (int)options.Pairing;
        nativeOptions.SignedWeights = options.SignedWeights ? 1 : 0;
        fixed (int* ids = &MemoryMarshal.GetArrayDataReference(previous.Ids))
        fixed (float* scores = &MemoryMarshal.GetArrayDataReference(previous.Scores))
            Check.Ok(NativeMethods.IndexExpand(Handle, queries, count, ids, scores, previous.K, &nativeOptions, expanded));
    }
}
