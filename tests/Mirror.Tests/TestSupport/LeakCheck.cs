// After all tests of the assembly: not one native object is left.

using NUnit.Framework;

namespace Mirror.Tests;

[SetUpFixture]
public sealed class LeakCheck
{
    [OneTimeTearDown]
    public void Assembly_AllTestsDone_LeavesNoNativeObject() =>
        Assert.That(MirrorLibrary.LiveObjects, Is.Zero, "native objects that some test made and did not dispose");
}
