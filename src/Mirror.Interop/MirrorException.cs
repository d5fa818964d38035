// The status codes of mirror.h and the exception for those that no standard .NET exception describes.
// Both are public because callers catch them; everything else in this assembly stays internal.
namespace Mirror;

/// <summary>Status codes of the native core (mirror_status): zero is success, failures are negative.</summary>
public enum MirrorStatus
{
    /// <summary>Success.</summary>
    Ok = 0,

    /// <summary>A value out of range, a NULL, or shapes that do not fit.</summary>
    InvalidArgument = -1,

    /// <summary>No such file, network, layer or tensor.</summary>
    NotFound = -2,

    /// <summary>The operating system refused a read or write.</summary>
    IO = -3,

    /// <summary>A file that is not what it should be.</summary>
    Format = -4,

    /// <summary>Host or device memory is exhausted.</summary>
    OutOfMemory = -5,

    /// <summary>The device asked for is not in this build or machine.</summary>
    NoDevice = -6,

    /// <summary>A CUDA call failed.</summary>
    Cuda = -7,

    /// <summary>An earlier CUDA failure made the device unusable.</summary>
    DeviceLost = -8,

    /// <summary>The call was cancelled.</summary>
    Cancelled = -9,

    /// <summary>A defect of the library.</summary>
    Internal = -10,
}

/// <summary>
/// A failure of the native core for which .NET has no exception of its own: no such device, CUDA, device lost, internal defect.
/// Other failures arrive as <see cref="ArgumentException"/>, <see cref="FileNotFoundException"/>, <see cref="IOException"/>,
/// <see cref="InvalidDataException"/>, <see cref="InsufficientMemoryException"/> or <see cref="OperationCanceledException"/>.
/// </summary>
public sealed class MirrorException : Exception
{
    /// <summary>An internal failure without a message.</summary>
    public MirrorException()
        : this(MirrorStatus.Internal, "The native core failed.")
    {
    }

    /// <summary>An internal failure.</summary>
    /// <param name="message">What happened, with values.</param>
    public MirrorException(string message)
        : this(MirrorStatus.Internal, message)
    {
    }

    /// <summary>An internal failure caused by another.</summary>
    /// <param name="message">What happened, with values.</param>
    /// <param name="innerException">The cause.</param>
    public MirrorException(string message, Exception innerException)
        : base(message, innerException) => Status = MirrorStatus.Internal;

    /// <summary>A failure with its status.</summary>
    /// <param name="status">The code the native core returned.</param>
    /// <param name="message">What happened, with values.</param>
    public MirrorException(MirrorStatus status, string message)
        : base(message) => Status = status;

    /// <summary>The code the native core returned.</summary>
    public MirrorStatus Status { get; }
}
