// Medians of repeated runs.

using System.Diagnostics;

namespace Mirror.Cli.Bench;

internal static class Timing
{
    /// <summary>Median seconds of <paramref name="work"/>: one run to warm up, then at least <paramref name="runs"/> and at least one second of them.</summary>
    public static double Median(Action work, int runs = 5, CancellationToken cancellationToken = default)
    {
        work();
        var seconds = new List<double>();
        while (seconds.Count < runs || (seconds.Sum() < 1 && seconds.Count < 200))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var start = Stopwatch.GetTimestamp();
            work();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        seconds.Sort();
        return seconds[seconds.Count / 2];
    }

    /// <summary>Standard normal numbers from a seed, by Box and Muller.</summary>
    public static void FillNormal(Span<float> target, int seed, double scale = 1)
    {
        var random = new Random(seed);
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = (float)(scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }
    }
}
