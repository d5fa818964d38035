// Small value types of the single operations: a batch of feature maps, the window of a convolution or pooling, a region.
using Mirror.Interop;

namespace Mirror;

/// <summary>Shape [Count, Height, Width, Channels] of feature maps.</summary>
/// <param name="Count">Maps.</param>
/// <param name="Height">Rows of cells.</param>
/// <param name="Width">Cells in a row.</param>
/// <param name="Channels">Floats in a cell.</param>
public readonly record struct MapShape(int Count, int Height, int Width, int Channels)
{
    /// <summary>Floats in all maps.</summary>
    /// <exception cref="ArgumentException">A size is negative or the product not addressable.</exception>
    public long Length => Lengths.Product("maps", Count, Height, Width, Channels);
}

/// <summary>Kernel size, stride and padding of a convolution or pooling, in cells.</summary>
/// <param name="KernelHeight">1 and more.</param>
/// <param name="KernelWidth">1 and more.</param>
/// <param name="StrideHeight">1 and more.</param>
/// <param name="StrideWidth">1 and more.</param>
/// <param name="PadTop">0 and more.</param>
/// <param name="PadLeft">0 and more.</param>
/// <param name="PadBottom">0 and more.</param>
/// <param name="PadRight">0 and more.</param>
public readonly record struct Window(
    int KernelHeight,
    int KernelWidth,
    int StrideHeight = 1,
    int StrideWidth = 1,
    int PadTop = 0,
    int PadLeft = 0,
    int PadBottom = 0,
    int PadRight = 0)
{
    /// <summary>This window with TensorFlow's SAME padding for maps of a size: the output has ceil(size / stride) cells.</summary>
    /// <param name="height">Rows of the input map.</param>
    /// <param name="width">Cells in a row of it.</param>
    /// <exception cref="ArgumentException">A size, kernel or stride is below 1.</exception>
    public unsafe Window Same(int height, int width)
    {
        NativeWindow native = ToNative();
        Check.Ok(NativeMethods.WindowSame(&native, height, width));
        return this with { PadTop = native.PadTop, PadLeft = native.PadLeft, PadBottom = native.PadBottom, PadRight = native.PadRight };
    }

    /// <summary>Shape of the result on maps of a shape: (size + pads - kernel) / stride + 1, rounded down.</summary>
    /// <param name="input">Shape of the input.</param>
    /// <param name="channels">Channels of the result.</param>
    /// <exception cref="ArgumentException">The window does not fit into the padded input, or a stride is below 1.</exception>
    public MapShape Output(MapShape input, int channels) => input with
    {
        Height = OutputSide("height", input.Height, PadTop, PadBottom, KernelHeight, StrideHeight),
        Width = OutputSide("width", input.Width, PadLeft, PadRight, KernelWidth, StrideWidth),
        Channels = channels,
    };

    internal unsafe NativeWindow ToNative() => new()
    {
        StructSize = (uint)sizeof(NativeWindow),
        KernelH = KernelHeight,
        KernelW = KernelWidth,
        StrideH = StrideHeight,
        StrideW = StrideWidth,
        PadTop = PadTop,
        PadLeft = PadLeft,
        PadBottom = PadBottom,
        PadRight = PadRight,
    };

    private static int OutputSide(string name, int size, int before, int after, int kernel, int stride)
    {
        long room = (long)size + before + after - kernel;
        if (stride < 1 || kernel < 1 || room < 0)
            throw new ArgumentException($"window: {name} {size} with pads {before} and {after} has no room for kernel {kernel} at stride {stride}.");
        return checked((int)(room / stride + 1));
    }
}

/// <summary>A rectangle of a feature map, in cells.</summary>
/// <param name="Step">Grid step it belongs to.</param>
/// <param name="Y">Top row.</param>
/// <param name="X">Left cell.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Cells in a row.</param>
public readonly record struct Region(int Step, int Y, int X, int Height, int Width);
