// Base of every test that makes native objects: asserts that none is alive when a test ends, before any collection could have
// released what a test forgot. Tests of one process run one after the other, so the count belongs to the test.
using NUnit.Framework;

namespace Mirror.Tests.Core;

public abstract class NativeFixture
{
    private long _before;

    /// <summary>Zero, unless an earlier test has failed here: so that one leak fails one test.</summary>
    [SetUp]
    public void CountLiveObjects() => _before = MirrorLibrary.LiveObjects;

    [TearDown]
    public void AssertNoLiveObjects() =>
        Assert.That(MirrorLibrary.LiveObjects, Is.EqualTo(_before), "native objects created and not disposed by this test");

    /// <summary>Seeded values in -1..1.</summary>
    internal static float[] Noise(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() * 2 - 1)];
    }

    /// <summary>Seeded rows of Euclidean length 1.</summary>
    internal static float[] UnitRows(int count, int dimension, int seed)
    {
        float[] rows = Noise(count * dimension, seed);
        for (int i = 0; i < count; i++)
        {
            Span<float> row = rows.AsSpan(i * dimension, dimension);
            double norm = 0;
            foreach (float value in row)
                norm += (double)value * value;
            foreach (ref float value in row)
                value = (float)(value / Math.Sqrt(norm));
        }

        return rows;
    }
}
