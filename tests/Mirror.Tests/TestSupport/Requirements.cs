// Libraries of the system that not every machine has: a test of what needs one is skipped with the reason printed.

using Mirror.Photographs;
using NUnit.Framework;

namespace Mirror.Tests.TestSupport;

/// <summary>What a test needs of the machine.</summary>
internal static class Requirements
{
    /// <summary>Skips the running test where libturbojpeg is not installed.</summary>
    public static void TurboJpegOrSkip()
    {
        try
        {
            TurboJpeg.Require();
        }
        catch (DllNotFoundException failure)
        {
            TestContext.Out.WriteLine($"skipped: {failure.Message}");
            Assert.Ignore($"skipped: {failure.Message}");
        }
    }
}
