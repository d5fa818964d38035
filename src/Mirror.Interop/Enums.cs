// The enumerations of mirror.h, declared once, public, with the values of its MIRROR_<GROUP>_<NAME> constants; a test
// compares them with the header. The ABI itself passes int32_t, so nothing here fixes the size of a C enum.
namespace Mirror;

/// <summary>Arithmetic of the network and of GEMMs. Sums are always at least float32.</summary>
public enum Precision
{
    /// <summary>32-bit IEEE float: the reference.</summary>
    Fp32 = 0,

    /// <summary>bfloat16 storage, float32 sums.</summary>
    Bf16 = 1,

    /// <summary>IEEE half storage, float32 sums.</summary>
    Fp16 = 2,
}

/// <summary>How the cells of a region become one vector.</summary>
public enum RegionPooling
{
    /// <summary>Maximum of each channel.</summary>
    Max = 0,

    /// <summary>Mean of each channel.</summary>
    Avg = 1,

    /// <summary>sqrt(mean(x^2)) of each channel.</summary>
    L2 = 2,

    /// <summary>
    /// mean(max(x, 1e-6)^p)^(1/p) of each channel (Radenovic, Tolias, Chum 2018): p = 1 is the mean, large p approach <see cref="Max"/>.
    /// </summary>
    Gem = 3,
}

/// <summary>How a picture meets the network's input, and how regions meet its feature map.</summary>
public enum FitMode
{
    /// <summary>The original's: the short side is scaled to the target, what is longer is cut off; number and size of regions follow the map.</summary>
    Crop = 0,

    /// <summary>Nothing is cut off: each side is scaled to its target; step s gives s x s regions on every map.</summary>
    Whole = 1,
}

/// <summary>
/// Score of a query image against a database image, from m_r: the best match of query region r among the image's regions.
/// </summary>
public enum Similarity
{
    /// <summary>Sum over r of m_r (Shen et al. 2018); also r-mac and mac, where there is one region.</summary>
    PrMac = 0,

    /// <summary>Maximum over r of m_r.</summary>
    Aml = 1,
}

/// <summary>Comparison of two region vectors.</summary>
public enum Metric
{
    /// <summary>Dot product; larger is better.</summary>
    Dot = 0,

    /// <summary>Squared Euclidean distance; smaller is better.</summary>
    Euclidean = 1,
}

/// <summary>Layout of one pixel in memory, one byte a channel.</summary>
public enum PixelFormat
{
    /// <summary>Red, green, blue: 3 bytes.</summary>
    Rgb8 = 0,

    /// <summary>Red, green, blue, alpha: 4 bytes; alpha is dropped, not blended.</summary>
    Rgba8 = 1,

    /// <summary>Blue, green, red, alpha: 4 bytes; alpha is dropped, not blended.</summary>
    Bgra8 = 2,

    /// <summary>Grey: 1 byte, replicated to red, green and blue.</summary>
    Gray8 = 3,
}

/// <summary>Weight of a log message.</summary>
public enum LogLevel
{
    /// <summary>For those who debug Mirror.</summary>
    Debug = 0,

    /// <summary>What was chosen and why.</summary>
    Info = 1,

    /// <summary>Works, but not as one would expect.</summary>
    Warning = 2,
}

/// <summary>MIRROR_DEVICE_*.</summary>
internal enum DeviceKind
{
    Cpu = 0,
    Cuda = 1,
}

/// <summary>The remaining constants of mirror.h.</summary>
internal static class NativeConstants
{
    internal const uint AbiVersion = 3;
    internal const int MaxSteps = 8;
}
