// Floats outside the managed heap, for what no span can hold: 30,000 images of 35 x 2048 floats exceed 2^31 elements.
// A SafeHandle owns the memory, so it is freed even if nobody disposes the buffer.
using System.Runtime.InteropServices;

namespace Mirror;

/// <summary>
/// A zeroed array of floats with a 64-bit length, outside the managed heap. Spans of it must not be used after its disposal.
/// </summary>
public sealed unsafe class FloatBuffer : IDisposable
{
    private readonly FloatMemory _memory;

    /// <summary>Reserves memory; the system commits it as it is written.</summary>
    /// <param name="length">Floats, at least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative or not addressable.</exception>
    /// <exception cref="InsufficientMemoryException">The system refuses; names the size.</exception>
    public FloatBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, nint.MaxValue / sizeof(float));
        _memory = new FloatMemory(length);
        Length = length;
    }

    /// <summary>Floats in use.</summary>
    public long Length { get; private set; }

    /// <summary>First float.</summary>
    internal float* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_memory.IsClosed, this);
            return _memory.Pointer;
        }
    }

    /// <summary>A part of the buffer.</summary>
    /// <param name="start">First float, 0..Length.</param>
    /// <param name="length">Floats, up to Length - start.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part is not inside the buffer.</exception>
    /// <exception cref="ObjectDisposedException">The buffer is disposed.</exception>
    public Span<float> Slice(long start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, Length);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - start);
        return new Span<float>(Pointer + start, length);
    }

    /// <summary>Forgets the floats from <paramref name="length"/> on, e.g. where fewer images than planned could be read.</summary>
    /// <param name="length">New length, 0..Length. The memory stays reserved until disposal.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative or larger than the present one.</exception>
    public void Truncate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose() => _memory.Dispose();

    private sealed class FloatMemory : SafeHandle
    {
        internal FloatMemory(long length)
            : base(0, ownsHandle: true)
        {
            try
            {
                SetHandle((nint)NativeMemory.AllocZeroed((nuint)length, sizeof(float)));
            }
            catch (OutOfMemoryException e)
            {
                throw new InsufficientMemoryException($"Cannot reserve {length} floats ({length * (sizeof(float) / 1e9):F1} GB).", e);
            }
        }

        public override bool IsInvalid => handle == 0;

        internal float* Pointer => (float*)handle;

        protected override bool ReleaseHandle()
        {
            NativeMemory.Free((void*)handle);
            return true;
        }
    }
}
