// The real library through the raw bindings: it loads, agrees on the ABI, and errors are per thread. No managed object in between.
using NUnit.Framework;

namespace Mirror.Interop.Tests;

[TestFixture]
public sealed unsafe class NativeMethodsTests
{
    [Test]
    public void Library_HasTheExpectedAbi() => Assert.That(NativeMethods.AbiVersion(), Is.EqualTo(NativeConstants.AbiVersion));

    [Test]
    public void FailedCreate_LeavesInvalidHandleAndMessage()
    {
        int status = NativeMethods.DeviceCreate(out DeviceHandle device, "abacus", 0);
        string message = Check.LastError();
        using (device)
        using (Assert.EnterMultipleScope())
        {
            Assert.That(status, Is.Negative);
            Assert.That(device.IsInvalid);
            Assert.That(message, Does.Contain("abacus").And.Not.Contain("\n"));
        }
    }

    [Test]
    public void LastError_BelongsToItsThread()
    {
        NativeMethods.DeviceCreate(out DeviceHandle device, "abacus", 0);
        device.Dispose();
        string other = "";
        var thread = new Thread(() => other = Check.LastError());
        thread.Start();
        thread.Join();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Check.LastError(), Does.Contain("abacus"));
            Assert.That(other, Is.Empty);
        }
    }

    [Test]
    public void StructSizeOfAnotherBuild_IsRefused()
    {
        Check.Ok(NativeMethods.DeviceCreate(out DeviceHandle device, "cpu", 1));
        using (device)
        {
            var info = new NativeDeviceInfo { StructSize = (uint)sizeof(NativeDeviceInfo) - 8 };
            Assert.That(NativeMethods.DeviceGetInfo(device, &info), Is.EqualTo((int)MirrorStatus.InvalidArgument));
            Assert.That(Check.LastError(), Does.Contain($"expected {sizeof(NativeDeviceInfo)}"));
        }
    }

    [Test]
    public void Destroy_OfNull_IsFine()
    {
        long before = NativeMethods.LiveObjects();
        NativeMethods.DeviceDestroy(0);
        NativeMethods.ModelDestroy(0);
        NativeMethods.ExtractorDestroy(0);
        NativeMethods.WhiteningDestroy(0);
        NativeMethods.IndexDestroy(0);
        Assert.That(NativeMethods.LiveObjects(), Is.EqualTo(before));
    }
}
