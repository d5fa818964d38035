// A device: the CPU's threads or one GPU. Models are independent of it; extractors and indices belong to one.
using System.Text;
using Mirror.Interop;

namespace Mirror;

/// <summary>What a device is and can do.</summary>
/// <param name="Name">Name of the hardware, e.g. "AMD EPYC".</param>
/// <param name="IsCuda">True for a GPU, false for the CPU.</param>
/// <param name="Threads">CPU threads that work uses.</param>
/// <param name="Precisions">Precisions an extractor may ask for.</param>
/// <param name="NativeHalf">Those of them, other than fp32, that the hardware multiplies natively; the rest is emulated and slow.</param>
/// <param name="MemoryBytes">Memory of the device in bytes.</param>
public sealed record DeviceInfo(
    string Name,
    bool IsCuda,
    int Threads,
    IReadOnlyList<Precision> Precisions,
    IReadOnlyList<Precision> NativeHalf,
    long MemoryBytes);

/// <summary>
/// A CPU or GPU that computes. Used by one thread at a time, as everything created on it. Disposing it before its extractors and
/// indices is fine: they keep what they need.
/// </summary>
public sealed unsafe class Device : IDisposable
{
    private readonly DeviceHandle _handle;

    private Device(DeviceHandle handle)
    {
        _handle = handle;
        var info = new NativeDeviceInfo { StructSize = (uint)sizeof(NativeDeviceInfo) };
        Check.Ok(NativeMethods.DeviceGetInfo(handle, &info));
        Info = new DeviceInfo(
            FixedText.Read(info.Name, 128),
            info.Kind == (int)DeviceKind.Cuda,
            info.Threads,
            FromBits(info.Precisions),
            FromBits(info.NativeHalf),
            checked((long)info.MemoryBytes));
    }

    /// <summary>What this device is and can do.</summary>
    public DeviceInfo Info { get; }

    internal DeviceHandle Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle;
        }
    }

    /// <summary>Opens a device.</summary>
    /// <param name="name">"auto" (the best present; the log tells which and why), "cpu", "cuda", "cuda:N", or "cuda:N,M,..." for several GPUs that share the work.</param>
    /// <param name="threads">CPU threads to use; 0 for all that the process may use.</param>
    /// <exception cref="ArgumentException">The name or the thread count is not understood.</exception>
    /// <exception cref="MirrorException"><see cref="MirrorStatus.NoDevice"/>: not in this build or machine; says what is missing.</exception>
    public static Device Open(string name = "auto", int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(name);
        Check.Ok(NativeMethods.DeviceCreate(out DeviceHandle handle, name, threads));
        return new Device(handle);
    }

    /// <summary>
    /// The GPU of a CUDA context that the host already uses, e.g. ManagedCuda's: work is ordered with the host's stream.
    /// </summary>
    /// <param name="context">A CUcontext, which must outlive the device and all that is made on it.</param>
    /// <param name="stream">A CUstream of that context, not its legacy (1) or per-thread (2) default stream; 0 for one of Mirror's own.</param>
    /// <exception cref="MirrorException"><see cref="MirrorStatus.NoDevice"/>: no usable driver or GPU; says what is missing.</exception>
    public static Device FromCudaContext(nint context, nint stream = 0)
    {
        ArgumentOutOfRangeException.ThrowIfZero(context);
        NativeCudaOptions options;
        NativeMethods.CudaOptionsInit(&options);
        options.Context = (void*)context;
        options.Stream = (void*)stream;
        Check.Ok(NativeMethods.DeviceCreateCuda(out DeviceHandle handle, &options));
        return new Device(handle);
    }

    /// <summary>Releases the device.</summary>
    public void Dispose() => _handle.Dispose();

    private static Precision[] FromBits(uint bits) =>
        [.. Enum.GetValues<Precision>().Where(precision => (bits & (1u << (int)precision)) != 0)];
}

/// <summary>Text in a fixed char array of a native struct.</summary>
internal static unsafe class FixedText
{
    internal static string Read(byte* text, int capacity)
    {
        ReadOnlySpan<byte> bytes = new(text, capacity);
        int end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
