// Runs numbered fuzz cases and holds each to the contract of every reader: a correct result or a clean error, soon, in little memory.
//
// The cases run on a thread of their own; the test's thread watches that it moves on, so that an endless loop becomes a failed
// test that names the case instead of a hung run.

using System.Diagnostics;
using NUnit.Framework;

namespace Mirror.Tests.Fuzz;

internal static class FuzzRunner
{
    private const int DefaultRuns = 3_000;
    private const int EnoughToRead = 100;
    private static readonly TimeSpan MaxTimePerCase = TimeSpan.FromSeconds(30);

    /// <summary>Cases in all of a fixture's tests together: MIRROR_FUZZ_RUNS, else 3,000.</summary>
    public static int Runs => Environment.GetEnvironmentVariable("MIRROR_FUZZ_RUNS") is { Length: > 0 } text
        ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture)
        : DefaultRuns;

    /// <summary>Runs cases 0 to count - 1; <paramref name="run"/> returns true for a correct read and throws what the reader threw. Of 100 at least one must be read.</summary>
    public static void Run(int count, Func<int, bool> run, long maxBytesPerCase = 64L << 20)
    {
        int current = -1;
        int read = 0;
        long peak = 0;
        long started = Stopwatch.GetTimestamp();
        long begin = started;
        Exception? failure = null;
        Thread thread = new(() =>
        {
            for (int i = 0; i < count && failure is null; i++)
            {
                Volatile.Write(ref started, Stopwatch.GetTimestamp());
                Volatile.Write(ref current, i);
                long before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    read += run(i) ? 1 : 0;
                }
                catch (Exception e) when (e is InvalidDataException or IOException && e.Message.Length > 0)
                {
                    // The clean error that damaged files are meant to give.
                }
                catch (Exception e)
                {
                    failure = e;
                }
                peak = Math.Max(peak, GC.GetAllocatedBytesForCurrentThread() - before);
            }
        })
        { IsBackground = true };
        thread.Start();
        while (!thread.Join(100))
        {
            int before = Volatile.Read(ref current);
            if (Stopwatch.GetElapsedTime(Volatile.Read(ref started)) > MaxTimePerCase && before == Volatile.Read(ref current))
            {
                Assert.Fail($"case {before} did not end within {MaxTimePerCase.TotalSeconds} s");
            }
        }
        TestContext.Out.WriteLine($"{count} cases in {Stopwatch.GetElapsedTime(begin).TotalSeconds:F1} s: {read} read, {count - read} refused; most memory in one case {peak / 1024.0:F0} KiB");
        Assert.That(failure, Is.Null, $"case {current}");
        if (count >= EnoughToRead)
        {
            Assert.That(read, Is.GreaterThan(0), "cases that were read: with none the refusals say nothing");
        }
        Assert.That(peak, Is.LessThan(maxBytesPerCase), "bytes allocated in one case");
    }
}
