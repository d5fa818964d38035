// Whitening: fitted on region vectors or learned from matching pairs, saved and loaded, applied with a final L2 normalisation. All arithmetic is the
// native core's, in double precision.
using Mirror.Interop;

namespace Mirror;

/// <summary>The arrays of a whitening.</summary>
/// <param name="Mean">[InputDimension].</param>
/// <param name="Components">[OutputDimension, InputDimension], one component per row.</param>
/// <param name="Variances">[OutputDimension], positive.</param>
public sealed record WhiteningParameters(
    ReadOnlyMemory<double> Mean,
    ReadOnlyMemory<double> Components,
    ReadOnlyMemory<double> Variances);

/// <summary>
/// Maps a row x to L2(((x - mean) components^T) / sqrt(variances)). Used by one thread at a time.
/// </summary>
public sealed unsafe class Whitening : IDisposable
{
    private readonly WhiteningHandle _handle;

    private Whitening(WhiteningHandle handle)
    {
        _handle = handle;
        var info = new NativeWhiteningInfo { StructSize = (uint)sizeof(NativeWhiteningInfo) };
        Check.Ok(NativeMethods.WhiteningGetInfo(handle, &info));
        InputDimension = info.InputDim;
        OutputDimension = info.OutputDim;
        Explained = info.Explained;
    }

    /// <summary>D: length of the rows that go in.</summary>
    public int InputDimension { get; }

    /// <summary>Length of the rows that come out.</summary>
    public int OutputDimension { get; }

    /// <summary>Share of the variance kept, 0..1; NaN where the source did not tell.</summary>
    public double Explained { get; }

    private WhiteningHandle Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle;
        }
    }

    /// <summary>PCA of rows, used as given: L2-normalise them first for the original's behaviour.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="rows">[n, dimension], n at least 2.</param>
    /// <param name="dimension">D: length of a row.</param>
    /// <param name="outputDimension">Components kept, 1..min(n, D).</param>
    /// <param name="solver">How they are found.</param>
    /// <param name="progress">Gets (done, total) in units of work, on the calling thread.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">A length or dimension does not fit, or the rows hold NaN or infinity.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Whitening Fit(
        Device device,
        ReadOnlySpan<float> rows,
        int dimension,
        int outputDimension,
        WhiteningSolver solver = WhiteningSolver.Exact,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputDimension, 1);
        fixed (float* first = rows)
            return Fit(device, first, rows.Length, dimension, outputDimension, 0, solver, progress, cancellationToken);
    }

    /// <summary>As the other overload, from rows outside the managed heap.</summary>
    /// <inheritdoc cref="Fit(Device, ReadOnlySpan{float}, int, int, WhiteningSolver, Action{long, long}, CancellationToken)"/>
    public static Whitening Fit(
        Device device,
        FloatBuffer rows,
        int dimension,
        int outputDimension,
        WhiteningSolver solver = WhiteningSolver.Exact,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputDimension, 1);
        Whitening whitening = Fit(device, rows.Pointer, rows.Length, dimension, outputDimension, 0, solver, progress, cancellationToken);
        GC.KeepAlive(rows);
        return whitening;
    }

    /// <summary>
    /// Exact PCA that keeps the smallest number of components whose shares of the variance sum to more than a threshold.
    /// </summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="rows">[n, dimension], n at least 2.</param>
    /// <param name="dimension">D: length of a row.</param>
    /// <param name="variance">The threshold, 0 &lt; variance &lt; 1.</param>
    /// <param name="progress">Gets (done, total) in units of work, on the calling thread.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">A length or the threshold does not fit, or the rows hold NaN or infinity.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Whitening FitVariance(
        Device device,
        ReadOnlySpan<float> rows,
        int dimension,
        double variance,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        fixed (float* first = rows)
            return Fit(device, first, rows.Length, dimension, 0, variance, WhiteningSolver.Exact, progress, cancellationToken);
    }

    /// <summary>As the other overload, from rows outside the managed heap.</summary>
    /// <inheritdoc cref="FitVariance(Device, ReadOnlySpan{float}, int, double, Action{long, long}, CancellationToken)"/>
    public static Whitening FitVariance(
        Device device,
        FloatBuffer rows,
        int dimension,
        double variance,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        Whitening whitening = Fit(device, rows.Pointer, rows.Length, dimension, 0, variance, WhiteningSolver.Exact, progress, cancellationToken);
        GC.KeepAlive(rows);
        return whitening;
    }

    /// <summary>
    /// Learned from matching pairs (Radenovic et al. 2018): makes the differences of matching rows white, then keeps the largest
    /// directions of all rows.
    /// </summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="queries">[n, dimension], L2-normalised for use with such rows; n at least 2 and D, since the differences of fewer do not span the space.</param>
    /// <param name="positives">[n, dimension]; row i matches row i of <paramref name="queries"/>.</param>
    /// <param name="dimension">D: length of a row.</param>
    /// <param name="outputDimension">Components kept, 1..D, at most the directions in which the rows vary.</param>
    /// <exception cref="ArgumentException">A length, the number of pairs or a dimension does not fit, or the rows hold NaN or infinity.</exception>
    public static Whitening Learn(Device device, FloatBuffer queries, FloatBuffer positives, int dimension, int outputDimension)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(positives);
        long count = Lengths.Rows(nameof(queries), queries.Length, dimension);
        Lengths.Exact(nameof(positives), positives.Length, count, dimension);
        Check.Ok(NativeMethods.WhiteningLearn(
            out WhiteningHandle handle, device.Handle, queries.Pointer, positives.Pointer, count, dimension, outputDimension));
        GC.KeepAlive(queries);
        GC.KeepAlive(positives);
        return new Whitening(handle);
    }

    /// <summary>A whitening from its arrays.</summary>
    /// <param name="mean">[D].</param>
    /// <param name="components">[n, D], one component per row.</param>
    /// <param name="variances">[n], positive.</param>
    /// <exception cref="ArgumentException">The lengths do not fit, or a value is refused.</exception>
    public static Whitening Create(ReadOnlySpan<double> mean, ReadOnlySpan<double> components, ReadOnlySpan<double> variances)
    {
        Lengths.Exact(nameof(components), components.Length, variances.Length, mean.Length);
        fixed (double* m = mean, c = components, v = variances)
        {
            Check.Ok(NativeMethods.WhiteningCreate(out WhiteningHandle handle, m, c, v, variances.Length, mean.Length));
            return new Whitening(handle);
        }
    }

    /// <summary>Reads a safetensors file with float64 "mean", "components" and "variances".</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">No such file, or a tensor is missing from it.</exception>
    /// <exception cref="InvalidDataException">Not such a file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Whitening Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Check.Ok(NativeMethods.WhiteningLoad(out WhiteningHandle handle, path));
        return new Whitening(handle);
    }

    /// <summary>Writes what <see cref="Load"/> reads: to a temporary file that is then renamed.</summary>
    /// <param name="path">The file; replaced where it exists.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Check.Ok(NativeMethods.WhiteningSave(Handle, path));
    }

    /// <summary>Copies of the arrays.</summary>
    public WhiteningParameters GetParameters()
    {
        var mean = new double[InputDimension];
        var components = new double[Lengths.ArrayLength("components", OutputDimension, InputDimension)];
        var variances = new double[OutputDimension];
        fixed (double* m = mean, c = components, v = variances)
            Check.Ok(NativeMethods.WhiteningGet(Handle, m, c, v));
        return new WhiteningParameters(mean, components, variances);
    }

    /// <summary>Whitens rows; zero results stay zero.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="rows">[n, InputDimension].</param>
    /// <param name="output">[n, OutputDimension], L2-normalised rows.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public void Apply(Device device, ReadOnlySpan<float> rows, Span<float> output)
    {
        fixed (float* x = rows, y = output)
            Apply(device, x, rows.Length, y, output.Length);
    }

    /// <summary>Whitens rows outside the managed heap.</summary>
    /// <inheritdoc cref="Apply(Device, ReadOnlySpan{float}, Span{float})"/>
    public void Apply(Device device, FloatBuffer rows, FloatBuffer output)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(output);
        Apply(device, rows.Pointer, rows.Length, output.Pointer, output.Length);
        GC.KeepAlive(rows);
        GC.KeepAlive(output);
    }

    /// <summary>Releases the whitening.</summary>
    public void Dispose() => _handle.Dispose();

    private static Whitening Fit(
        Device device,
        float* rows,
        long length,
        int dimension,
        int outputDimension,
        double variance,
        WhiteningSolver solver,
        Action<long, long>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(device);
        long count = Lengths.Rows(nameof(rows), length, dimension);
        using var relay = new ProgressRelay(progress, cancellationToken);
        NativeProgress native = relay.Native;
        NativeWhiteningOptions options;
        NativeMethods.WhiteningOptionsInit(&options);
        options.Dim = outputDimension;
        options.Variance = variance;
        options.Solver = (int)solver;
        options.Progress = &native;
        relay.Finish(NativeMethods.WhiteningFit(out WhiteningHandle handle, device.Handle, rows, count, dimension, &options));
        return new Whitening(handle);
    }

    private void Apply(Device device, float* rows, long length, float* output, long outputLength)
    {
        ArgumentNullException.ThrowIfNull(device);
        long count = Lengths.Rows(nameof(rows), length, InputDimension);
        Lengths.Exact(nameof(output), outputLength, count, OutputDimension);
        Check.Ok(NativeMethods.WhiteningApply(Handle, device.Handle, rows, count, output));
    }
}
