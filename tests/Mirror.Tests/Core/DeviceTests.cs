// Opening devices, and what a disposed one says.
using NUnit.Framework;

namespace Mirror.Tests.Core;

[TestFixture]
public sealed class DeviceTests : NativeFixture
{
    [Test]
    public void Open_Cpu_DescribesItself()
    {
        using Device device = Device.Open("cpu", 1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(device.Info.Name, Is.Not.Empty);
            Assert.That(device.Info.IsCuda, Is.False);
            Assert.That(device.Info.Threads, Is.EqualTo(1));
            Assert.That(device.Info.Precisions, Does.Contain(Precision.Fp32));
            Assert.That(device.Info.NativeHalf, Is.SubsetOf(device.Info.Precisions));
            Assert.That(device.Info.MemoryBytes, Is.GreaterThan(1L << 20));
        }
    }

    [TestCase("")]
    [TestCase("abacus")]
    [TestCase("cuda:x")]
    public void Open_UnknownName_ThrowsWithName(string name) =>
        Assert.That(() => Device.Open(name), Throws.ArgumentException.With.Message.Contains($"\"{name}\"").Or.Message.Contains(name));

    [Test]
    public void Open_NegativeThreads_ThrowsWithValue() =>
        Assert.That(() => Device.Open("cpu", -3), Throws.ArgumentException.With.Message.Contains("-3"));

    [Test]
    public void Open_AbsentCudaDevice_ThrowsNoDevice() =>
        Assert.That(
            () => Device.Open("cuda:99"),
            Throws.TypeOf<MirrorException>().With.Property(nameof(MirrorException.Status)).EqualTo(MirrorStatus.NoDevice));

    [Test]
    public void FromCudaContext_NoContext_IsRefused() =>
        Assert.That(() => Device.FromCudaContext(0), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void Dispose_Twice_IsFine_AndUseAfterwardsThrows()
    {
        Device device = Device.Open("cpu", 1);
        device.Dispose();
        device.Dispose();
        Assert.That(() => new DescriptorIndex(device, 1, 1), Throws.TypeOf<ObjectDisposedException>().With.Message.Contains("Mirror.Device"));
    }
}
