// One test per status code: which exception it becomes, and that the text arrives.
using NUnit.Framework;

namespace Mirror.Interop.Tests;

[TestFixture]
public sealed class CheckTests
{
    [TestCase(MirrorStatus.InvalidArgument, typeof(ArgumentException))]
    [TestCase(MirrorStatus.NotFound, typeof(FileNotFoundException))]
    [TestCase(MirrorStatus.IO, typeof(IOException))]
    [TestCase(MirrorStatus.Format, typeof(InvalidDataException))]
    [TestCase(MirrorStatus.OutOfMemory, typeof(InsufficientMemoryException))]
    [TestCase(MirrorStatus.NoDevice, typeof(MirrorException))]
    [TestCase(MirrorStatus.Cuda, typeof(MirrorException))]
    [TestCase(MirrorStatus.DeviceLost, typeof(MirrorException))]
    [TestCase(MirrorStatus.Cancelled, typeof(OperationCanceledException))]
    [TestCase(MirrorStatus.Internal, typeof(MirrorException))]
    public void Status_BecomesException(MirrorStatus status, Type expected)
    {
        Exception exception = Check.ToException(status, "dim is 0, expected > 0");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(exception, Is.TypeOf(expected));
            Assert.That(exception.Message, Is.EqualTo("dim is 0, expected > 0"));
            Assert.That((exception as MirrorException)?.Status ?? status, Is.EqualTo(status));
        }
    }

    [Test]
    public void EveryFailure_HasACase()
    {
        IEnumerable<MirrorStatus> tested = typeof(CheckTests).GetMethod(nameof(Status_BecomesException))!
            .GetCustomAttributes(typeof(TestCaseAttribute), false).Cast<TestCaseAttribute>().Select(c => (MirrorStatus)c.Arguments[0]!);
        Assert.That(tested, Is.EquivalentTo(Enum.GetValues<MirrorStatus>().Where(status => status != MirrorStatus.Ok)));
    }

    [Test]
    public void UnknownStatus_IsKept()
    {
        Exception exception = Check.ToException((MirrorStatus)(-77), "");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(exception, Is.TypeOf<MirrorException>());
            Assert.That(((MirrorException)exception).Status, Is.EqualTo((MirrorStatus)(-77)));
            Assert.That(exception.Message, Does.Contain("-77"));
        }
    }

    [Test]
    public void Ok_DoesNothing() => Assert.That(() => Check.Ok(0), Throws.Nothing);

    [Test]
    public void ExceptionConstructors_KeepWhatTheyGet()
    {
        var cause = new IOException("cause");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(new MirrorException().Status, Is.EqualTo(MirrorStatus.Internal));
            Assert.That(new MirrorException("text").Message, Is.EqualTo("text"));
            Assert.That(new MirrorException("text", cause).InnerException, Is.SameAs(cause));
        }
    }
}
