// Every operation of the pipeline by itself, for tests, benchmarks and programs with a network of their own. Arrays are dense and
// row-major; lengths are checked against the documented shapes, inputs and outputs must not overlap unless said otherwise.
using System.Buffers;
using Mirror.Interop;

namespace Mirror;

/// <summary>
/// The single operations. Every one throws <see cref="ArgumentException"/>, with values, where a length does not fit its shape or a value is
/// out of range.
/// </summary>
public static unsafe class Operations
{
    /// <summary>Resize (TensorFlow 1 legacy bilinear), centre crop unless the whole picture is wanted, minus mean.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="image">Decoded pixels.</param>
    /// <param name="height">Height of the result in pixels.</param>
    /// <param name="width">Width of the result in pixels.</param>
    /// <param name="mean">[3]: subtracted from R, G, B.</param>
    /// <param name="output">[height, width, 3].</param>
    /// <param name="fit">Whether the short side or each side is scaled to its target.</param>
    public static void Preprocess(
        Device device, PixelImage image, int height, int width, ReadOnlySpan<float> mean, Span<float> output, FitMode fit = FitMode.Crop)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(image);
        Lengths.Exact(nameof(mean), mean.Length, 3);
        Lengths.Exact(nameof(output), output.Length, height, width, 3);
        using MemoryHandle pin = image.Pin(out NativeImage native);
        fixed (float* m = mean, y = output)
            Check.Ok(NativeMethods.Preprocess(device.Handle, &native, height, width, (int)fit, m, y));
    }

    /// <summary>y = relu?(conv(x, weights) + bias + residual).</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="window">Kernel, stride, padding.</param>
    /// <param name="x">Input of shape <paramref name="shape"/>.</param>
    /// <param name="shape">[n, h, w, in].</param>
    /// <param name="weights">[kernel height, kernel width, in, out].</param>
    /// <param name="outChannels">out.</param>
    /// <param name="bias">[out], or empty for none.</param>
    /// <param name="residual">Of the output's shape, or empty for none.</param>
    /// <param name="relu">Clamp negative results to 0.</param>
    /// <param name="precision">Arithmetic; the data stays float32.</param>
    /// <param name="y">Of shape <see cref="Window.Output"/>.</param>
    public static void Conv2d(
        Device device,
        Window window,
        ReadOnlySpan<float> x,
        MapShape shape,
        ReadOnlySpan<float> weights,
        int outChannels,
        ReadOnlySpan<float> bias,
        ReadOnlySpan<float> residual,
        bool relu,
        Precision precision,
        Span<float> y)
    {
        ArgumentNullException.ThrowIfNull(device);
        MapShape result = window.Output(shape, outChannels);
        Exact(nameof(x), x.Length, shape);
        Lengths.Exact(nameof(weights), weights.Length, window.KernelHeight, window.KernelWidth, shape.Channels, outChannels);
        if (!bias.IsEmpty)
            Lengths.Exact(nameof(bias), bias.Length, outChannels);
        if (!residual.IsEmpty)
            Exact(nameof(residual), residual.Length, result);
        Exact(nameof(y), y.Length, result);
        NativeWindow native = window.ToNative();
        fixed (float* input = x, w = weights, b = bias, r = residual, output = y)
        {
            Check.Ok(NativeMethods.Conv2d(
                device.Handle, &native, input, shape.Count, shape.Height, shape.Width, shape.Channels,
                w, outChannels, b, r, relu ? 1 : 0, (int)precision, output));
        }
    }

    /// <summary>Max pooling (padding ignored) or average pooling (padded zeros counted, divisor always the kernel's area).</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="window">Kernel, stride, padding.</param>
    /// <param name="pooling"><see cref="RegionPooling.Max"/> or <see cref="RegionPooling.Avg"/>.</param>
    /// <param name="x">Input of shape <paramref name="shape"/>.</param>
    /// <param name="shape">[n, h, w, c].</param>
    /// <param name="y">Of shape <see cref="Window.Output"/>.</param>
    public static void Pool2d(Device device, Window window, RegionPooling pooling, ReadOnlySpan<float> x, MapShape shape, Span<float> y)
    {
        ArgumentNullException.ThrowIfNull(device);
        Exact(nameof(x), x.Length, shape);
        Exact(nameof(y), y.Length, window.Output(shape, shape.Channels));
        NativeWindow native = window.ToNative();
        fixed (float* input = x, output = y)
        {
            Check.Ok(NativeMethods.Pool2d(
                device.Handle, &native, (int)pooling, input, shape.Count, shape.Height, shape.Width, shape.Channels, output));
        }
    }

    /// <summary>Local response normalisation: y_c = x_c / (bias + alpha * sum over |d - c| &lt;= radius of x_d^2)^beta.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="x">[n, channels].</param>
    /// <param name="channels">Length of a row.</param>
    /// <param name="radius">Neighbours on each side, at least 0.</param>
    /// <param name="alpha">Per element, as TensorFlow's: not divided by the window's size.</param>
    /// <param name="beta">Exponent.</param>
    /// <param name="bias">Offset.</param>
    /// <param name="y">[n, channels].</param>
    public static void Lrn(Device device, ReadOnlySpan<float> x, int channels, int radius, float alpha, float beta, float bias, Span<float> y)
    {
        ArgumentNullException.ThrowIfNull(device);
        long rows = Lengths.Rows(nameof(x), x.Length, channels);
        Lengths.Exact(nameof(y), y.Length, rows, channels);
        fixed (float* input = x, output = y)
            Check.Ok(NativeMethods.Lrn(device.Handle, input, rows, channels, radius, alpha, beta, bias, output));
    }

    /// <summary>The regions of one map.</summary>
    /// <param name="mapHeight">Rows of the map.</param>
    /// <param name="mapWidth">Cells in a row.</param>
    /// <param name="steps">Grid steps, 1 to 8 of them, each at least 1; with <see cref="FitMode.Crop"/> those with no room in the map are skipped.</param>
    /// <param name="fit">The original's grid, or one of s x s regions for step s whatever the map.</param>
    /// <returns>Regions step by step, row by row.</returns>
    public static IReadOnlyList<Region> RegionLayout(int mapHeight, int mapWidth, ReadOnlySpan<int> steps, FitMode fit = FitMode.Crop)
    {
        fixed (int* s = steps)
        {
            long count;
            Check.Ok(NativeMethods.RegionLayout(mapHeight, mapWidth, (int)fit, s, steps.Length, null, 0, &count));
            var natives = new NativeRegion[count];
            fixed (NativeRegion* first = natives)
                Check.Ok(NativeMethods.RegionLayout(mapHeight, mapWidth, (int)fit, s, steps.Length, first, count, &count));
            return Array.ConvertAll(natives, r => new Region(r.Step, r.Y, r.X, r.Height, r.Width));
        }
    }

    /// <summary>One vector per region and map.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="maps">Input of shape <paramref name="shape"/>.</param>
    /// <param name="shape">[n, h, w, c].</param>
    /// <param name="steps">Grid steps, as in <see cref="RegionLayout"/>.</param>
    /// <param name="pooling">How the cells of a region become one vector.</param>
    /// <param name="output">[n, R, c], R as <see cref="RegionLayout"/> counts.</param>
    /// <param name="fit">As in <see cref="RegionLayout"/>.</param>
    /// <param name="gemPower">p of <see cref="RegionPooling.Gem"/>, 1 to 32; not read with the others.</param>
    public static void RegionPool(
        Device device,
        ReadOnlySpan<float> maps,
        MapShape shape,
        ReadOnlySpan<int> steps,
        RegionPooling pooling,
        Span<float> output,
        FitMode fit = FitMode.Crop,
        float gemPower = 3)
    {
        ArgumentNullException.ThrowIfNull(device);
        Exact(nameof(maps), maps.Length, shape);
        fixed (int* s = steps)
        {
            long regions;
            Check.Ok(NativeMethods.RegionLayout(shape.Height, shape.Width, (int)fit, s, steps.Length, null, 0, &regions));
            Lengths.Exact(nameof(output), output.Length, shape.Count, regions, shape.Channels);
            fixed (float* x = maps, y = output)
            {
                Check.Ok(NativeMethods.RegionPool(
                    device.Handle, x, shape.Count, shape.Height, shape.Width, shape.Channels, (int)fit, s, steps.Length, (int)pooling, gemPower, y));
            }
        }
    }

    /// <summary>Scales each row to Euclidean length 1; zero rows stay zero.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="x">[n, dimension].</param>
    /// <param name="dimension">Length of a row.</param>
    /// <param name="y">[n, dimension]; may be the memory of <paramref name="x"/>.</param>
    public static void L2Normalize(Device device, ReadOnlySpan<float> x, int dimension, Span<float> y)
    {
        fixed (float* input = x, output = y)
            L2Normalize(device, input, x.Length, dimension, output, y.Length);
    }

    /// <summary>Scales each row to Euclidean length 1, outside the managed heap; zero rows stay zero.</summary>
    /// <inheritdoc cref="L2Normalize(Device, ReadOnlySpan{float}, int, Span{float})"/>
    public static void L2Normalize(Device device, FloatBuffer x, int dimension, FloatBuffer y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        L2Normalize(device, x.Pointer, x.Length, dimension, y.Pointer, y.Length);
        GC.KeepAlive(x);
        GC.KeepAlive(y);
    }

    /// <summary>Scores of all queries against all images, not divided by the number of regions.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="queries">[q, regions, dimension].</param>
    /// <param name="rows">[n, regions, dimension].</param>
    /// <param name="regions">Regions of an image.</param>
    /// <param name="dimension">Length of a region vector.</param>
    /// <param name="similarity">How region scores become an image score.</param>
    /// <param name="metric">How two region vectors are compared.</param>
    /// <param name="scores">[q, n].</param>
    public static void SimilarityScores(
        Device device,
        ReadOnlySpan<float> queries,
        ReadOnlySpan<float> rows,
        int regions,
        int dimension,
        Similarity similarity,
        Metric metric,
        Span<float> scores)
    {
        ArgumentNullException.ThrowIfNull(device);
        long queryCount = Lengths.Rows(nameof(queries), queries.Length, regions, dimension);
        long rowCount = Lengths.Rows(nameof(rows), rows.Length, regions, dimension);
        Lengths.Exact(nameof(scores), scores.Length, queryCount, rowCount);
        fixed (float* q = queries, r = rows, s = scores)
        {
            Check.Ok(NativeMethods.Similarity(
                device.Handle, q, queryCount, r, rowCount, regions, dimension, (int)similarity, (int)metric, s));
        }
    }

    /// <summary>The k best entries of each row, best first, equal ones by lower index.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="scores">[rows, columns].</param>
    /// <param name="columns">Length of a row.</param>
    /// <param name="k">1..columns.</param>
    /// <param name="smallest">True where smaller is better.</param>
    /// <param name="ids">[rows, k].</param>
    /// <param name="values">[rows, k].</param>
    public static void TopK(Device device, ReadOnlySpan<float> scores, int columns, int k, bool smallest, Span<int> ids, Span<float> values)
    {
        ArgumentNullException.ThrowIfNull(device);
        long rows = Lengths.Rows(nameof(scores), scores.Length, columns);
        Lengths.Exact(nameof(ids), ids.Length, rows, k);
        Lengths.Exact(nameof(values), values.Length, rows, k);
        fixed (int* i = ids)
        fixed (float* s = scores, v = values)
            Check.Ok(NativeMethods.Topk(device.Handle, s, rows, columns, k, smallest ? 1 : 0, i, v));
    }

    /// <summary>c = a b^T: the matrix product that the device builds on, the yardstick of benchmarks.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="a">[m, k].</param>
    /// <param name="b">[n, k].</param>
    /// <param name="m">Rows of a.</param>
    /// <param name="n">Rows of b.</param>
    /// <param name="k">Columns of both.</param>
    /// <param name="precision">Arithmetic; the data stays float32.</param>
    /// <param name="c">[m, n].</param>
    public static void Gemm(Device device, ReadOnlySpan<float> a, ReadOnlySpan<float> b, int m, int n, int k, Precision precision, Span<float> c)
    {
        ArgumentNullException.ThrowIfNull(device);
        Lengths.Exact(nameof(a), a.Length, m, k);
        Lengths.Exact(nameof(b), b.Length, n, k);
        Lengths.Exact(nameof(c), c.Length, m, n);
        fixed (float* pa = a, pb = b, pc = c)
            Check.Ok(NativeMethods.Gemm(device.Handle, pa, pb, m, n, k, (int)precision, pc));
    }

    private static void L2Normalize(Device device, float* x, long length, int dimension, float* y, long outputLength)
    {
        ArgumentNullException.ThrowIfNull(device);
        long count = Lengths.Rows(nameof(x), length, dimension);
        Lengths.Exact(nameof(y), outputLength, count, dimension);
        Check.Ok(NativeMethods.L2Normalize(device.Handle, x, count, dimension, y));
    }

    private static void Exact(string name, long length, MapShape shape) =>
        Lengths.Exact(name, length, shape.Count, shape.Height, shape.Width, shape.Channels);
}
