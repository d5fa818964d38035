// Photographs to regional descriptors: a network planned for one input size on one device. Pixels are pinned for the call
// and never copied on the managed side.
using System.Buffers;
using System.Runtime.InteropServices;
using Mirror.Interop;

namespace Mirror;

/// <summary>How an extractor computes. The defaults are those of the original at 896 x 896.</summary>
public sealed record ExtractorOptions
{
    /// <summary>Width of the network's input in pixels.</summary>
    public int Width { get; init; } = 896;

    /// <summary>Height of the network's input in pixels.</summary>
    public int Height { get; init; } = 896;

    /// <summary>Images the network runs at once, at least 1.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Arithmetic of the network.</summary>
    public Precision Precision { get; init; }

    /// <summary>How a region becomes one vector.</summary>
    public RegionPooling Pooling { get; init; }

    /// <summary>p of <see cref="RegionPooling.Gem"/>, 1 to 32; not read with the others.</summary>
    public float GemPower { get; init; } = 3;

    /// <summary>Whether photographs are cropped to the input's proportions or scaled to them, and how regions are laid out.</summary>
    public FitMode Fit { get; init; }

    /// <summary>
    /// Also run on the input subsampled by 2 and 4. With <see cref="FitMode.Crop"/> only for square 224, 448, 896 and 1024, which the original gives
    /// 1, 2, 3 and 3 scales; with <see cref="FitMode.Whole"/> always 3, for every input whose quarter the network admits.
    /// </summary>
    public bool MultiScale { get; init; }

    /// <summary>Region grid steps, 1 to 8 of them, each at least 1.</summary>
    public IReadOnlyList<int> Steps { get; init; } = [1, 3, 5];

    /// <summary>Subtracted from red, green and blue (0..255).</summary>
    public IReadOnlyList<float> Mean { get; init; } = [124, 117, 104];

    /// <summary>Layer of the graph to stop at; null for the network's own output.</summary>
    public string? Layer { get; init; }
}

/// <summary>What an extractor does and needs.</summary>
/// <param name="Regions">R: regions of an image over all scales.</param>
/// <param name="Dimension">D: length of a region vector.</param>
/// <param name="MapHeight">Height of the feature map at the first scale, in cells.</param>
/// <param name="MapWidth">Width of it.</param>
/// <param name="Scales">Scales run, 1 without <see cref="ExtractorOptions.MultiScale"/>.</param>
/// <param name="Layers">Operations of the planned network at the first scale.</param>
/// <param name="ImagesAtOnce">Images per <see cref="Extractor.Run"/> that keep the device busy: the batch times the devices, on GPUs twice that.</param>
/// <param name="ArenaBytes">Memory that activations share.</param>
/// <param name="WeightBytes">Memory of the prepared weights.</param>
/// <param name="Flops">Multiplications and additions for one image over all scales.</param>
public sealed record ExtractorInfo(
    int Regions,
    int Dimension,
    int MapHeight,
    int MapWidth,
    int Scales,
    int Layers,
    int ImagesAtOnce,
    long ArenaBytes,
    long WeightBytes,
    double Flops);

/// <summary>
/// Turns photographs into regional descriptors. Used by one thread at a time; device and model may be disposed before it.
/// </summary>
public sealed unsafe class Extractor : IDisposable
{
    private readonly ExtractorHandle _handle;
    private readonly int _height;
    private readonly int _width;

    /// <summary>Plans and prepares the network for one input size.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="model">Network and weights.</param>
    /// <param name="options">Size, precision, pooling.</param>
    /// <exception cref="ArgumentException">
    /// The size is below the network's minimum, no step fits the map, the precision is not supported by the device, ...
    /// </exception>
    /// <exception cref="FileNotFoundException">The graph has no such layer.</exception>
    /// <exception cref="InsufficientMemoryException">The network does not fit into memory.</exception>
    public Extractor(Device device, Model model, ExtractorOptions options)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Steps.Count is < 1 or > NativeConstants.MaxSteps)
            throw new ArgumentException($"Steps has {options.Steps.Count} entries, expected 1..{NativeConstants.MaxSteps}.", nameof(options));
        if (options.Mean.Count != 3)
            throw new ArgumentException($"Mean has {options.Mean.Count} entries, expected 3 (red, green, blue).", nameof(options));

        NativeExtractorOptions native;
        NativeMethods.ExtractorOptionsInit(&native);
        native.Width = options.Width;
        native.Height = options.Height;
        native.Batch = options.Batch;
        native.Precision = (int)options.Precision;
        native.Pool = (int)options.Pooling;
        native.MultiScale = options.MultiScale ? 1 : 0;
        native.Fit = (int)options.Fit;
        native.GemP = options.GemPower;
        native.StepCount = options.Steps.Count;
        for (int i = 0; i < options.Steps.Count; i++)
            native.Steps[i] = options.Steps[i];
        for (int i = 0; i < 3; i++)
            native.Mean[i] = options.Mean[i];
        native.Layer = (byte*)Marshal.StringToCoTaskMemUTF8(options.Layer);
        try
        {
            Check.Ok(NativeMethods.ExtractorCreate(out _handle, device.Handle, model.Handle, &native));
        }
        finally
        {
            Marshal.FreeCoTaskMem((nint)native.Layer);
        }

        var info = new NativeExtractorInfo { StructSize = (uint)sizeof(NativeExtractorInfo) };
        Check.Ok(NativeMethods.ExtractorGetInfo(_handle, &info));
        Info = new ExtractorInfo(
            info.Regions,
            info.Dim,
            info.MapHeight,
            info.MapWidth,
            info.Scales,
            info.Layers,
            info.ImagesAtOnce,
            info.ArenaBytes,
            info.WeightBytes,
            info.Flops);
        Options = options;
        _height = options.Height;
        _width = options.Width;
    }

    /// <summary>What this extractor does and needs.</summary>
    public ExtractorInfo Info { get; }

    /// <summary>The options it was made with.</summary>
    public ExtractorOptions Options { get; }

    private ExtractorHandle Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle;
        }
    }

    /// <summary>Descriptors of photographs: resize, crop, mean, network, regional pooling.</summary>
    /// <param name="images">n images, not to be disposed during the call. They may differ in size and format.</param>
    /// <param name="descriptors">[n, Regions, Dimension], not normalised.</param>
    /// <param name="progress">Gets (images done, n) on the calling thread.</param>
    /// <param name="cancellationToken">Asks to stop between batches; descriptors are then undefined.</param>
    /// <exception cref="ArgumentException">The length of <paramref name="descriptors"/> does not fit, or an image is refused.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void Run(
        IReadOnlyList<PixelImage> images,
        Span<float> descriptors,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        Lengths.Exact(nameof(descriptors), descriptors.Length, images.Count, Info.Regions, Info.Dimension);
        var natives = new NativeImage[images.Count];
        var pins = new MemoryHandle[images.Count];
        try
        {
            for (int i = 0; i < pins.Length; i++)
                pins[i] = (images[i] ?? throw new ArgumentException($"images[{i}] is null.", nameof(images))).Pin(out natives[i]);
            fixed (NativeImage* nativeImages = natives)
            fixed (float* output = descriptors)
            {
                using var relay = new ProgressRelay(progress, cancellationToken);
                NativeProgress native = relay.Native;
                relay.Finish(NativeMethods.ExtractorRun(Handle, nativeImages, pins.Length, output, &native));
            }
        }
        finally
        {
            foreach (MemoryHandle pin in pins)
                pin.Dispose();
        }
    }

    /// <summary>Descriptors of inputs that are resized and have the mean subtracted already.</summary>
    /// <param name="input">[n, Height, Width, 3], RGB.</param>
    /// <param name="descriptors">[n, Regions, Dimension], not normalised.</param>
    /// <param name="progress">Gets (inputs done, n) on the calling thread.</param>
    /// <param name="cancellationToken">Asks to stop between batches.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void RunInput(
        ReadOnlySpan<float> input,
        Span<float> descriptors,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        long count = Lengths.Rows(nameof(input), input.Length, _height, _width, 3);
        Lengths.Exact(nameof(descriptors), descriptors.Length, count, Info.Regions, Info.Dimension);
        using var relay = new ProgressRelay(progress, cancellationToken);
        NativeProgress native = relay.Native;
        fixed (float* x = input, output = descriptors)
            relay.Finish(NativeMethods.ExtractorRunInput(Handle, x, count, output, &native));
    }

    /// <summary>The feature map itself, first scale only.</summary>
    /// <param name="input">[n, Height, Width, 3], RGB, mean subtracted.</param>
    /// <param name="map">[n, MapHeight, MapWidth, Dimension].</param>
    /// <param name="progress">Gets (inputs done, n) on the calling thread.</param>
    /// <param name="cancellationToken">Asks to stop between batches.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void RunMap(
        ReadOnlySpan<float> input,
        Span<float> map,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        long count = Lengths.Rows(nameof(input), input.Length, _height, _width, 3);
        Lengths.Exact(nameof(map), map.Length, count, Info.MapHeight, Info.MapWidth, Info.Dimension);
        using var relay = new ProgressRelay(progress, cancellationToken);
        NativeProgress native = relay.Native;
        fixed (float* x = input, output = map)
            relay.Finish(NativeMethods.ExtractorRunMap(Handle, x, count, output, &native));
    }

    /// <summary>Releases the extractor.</summary>
    public void Dispose() => _handle.Dispose();
}
