using NUnit.Framework;
using System.Globalization;
using Mirror.Pipeline;

namespace Mirror.Tests.Pipeline;

/// <summary>Numbers as Python's repr prints them.</summary>
public sealed class PythonFloatTests
{
    [TestCase(1.0, "1.0")]
    [TestCase(0.0, "0.0")]
    [TestCase(-0.0, "-0.0")]
    [TestCase(0.9598151070731027, "0.9598151070731027")]
    [TestCase(1e-05, "1e-05")]
    [TestCase(0.0001, "0.0001")]
    [TestCase(1.5e-07, "1.5e-07")]
    [TestCase(123456789.0, "123456789.0")]
    [TestCase(1e15, "1000000000000000.0")]
    [TestCase(1e16, "1e+16")]
    [TestCase(-2.5e+120, "-2.5e+120")]
    [TestCase(9007199254740993.0, "9007199254740992.0")]
    [TestCase(double.NaN, "nan")]
    [TestCase(double.NegativeInfinity, "-inf")]
    public void Format_KnownNumbers_AsPythonPrintsThem(double value, string expected) =>
        Assert.That(PythonFloat.Format(value), Is.EqualTo(expected));

    [Test]
    public void Format_RandomDoubles_ReadBackAsTheSameNumber()
    {
        const int seed = 20261124;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var i = 0; i < 20000; i++)
        {
            var value = BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
            if (double.IsFinite(value))
            {
                Assert.That(double.Parse(PythonFloat.Format(value), CultureInfo.InvariantCulture), Is.EqualTo(value));
            }
        }
    }
}
