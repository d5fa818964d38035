// One SafeHandle per opaque type of mirror.h. The generated P/Invokes add and release references, so a handle
// cannot be destroyed under a running call; the native core keeps parents alive, so any disposal order is safe.
using System.Runtime.InteropServices;

namespace Mirror.Interop;

internal sealed class DeviceHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMethods.DeviceDestroy(handle);
        return true;
    }
}

internal sealed class ModelHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMethods.ModelDestroy(handle);
        return true;
    }
}

internal sealed class ExtractorHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMethods.ExtractorDestroy(handle);
        return true;
    }
}

internal sealed class WhiteningHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMethods.WhiteningDestroy(handle);
        return true;
    }
}

internal sealed class IndexHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMethods.IndexDestroy(handle);
        return true;
    }
}
