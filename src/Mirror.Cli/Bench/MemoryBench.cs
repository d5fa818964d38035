// Peak memory of `mirror extract`, in processes of its own, on 100 and on 400 photographs: it must not grow with the collection.

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Mirror.Synthesis;

namespace Mirror.Cli.Bench;

internal static class MemoryBench
{
    public static void Run(Terminal terminal, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("mirror-bench-");
        try
        {
            var photos = Path.Combine(folder.FullName, "photos");
            SyntheticSurvey.Render(new SynthOptions { Scenes = 20, ViewsPerScene = 20, Width = 320, Height = 240, Seed = 5 }, photos, null, cancellationToken);
            var names = File.ReadAllLines(Path.Combine(photos, "image_list.txt"));
            var peaks = new List<long>();
            foreach (var count in (int[])[100, 400])
            {
                cancellationToken.ThrowIfCancellationRequested();
                var list = Path.Combine(photos, $"first{count}.txt");
                File.WriteAllLines(list, names.Take(count));
                peaks.Add(Peak(list, Path.Combine(folder.FullName, $"out{count}")));
                terminal.Result(string.Create(CultureInfo.InvariantCulture, $"extract at 896, {count} photographs: peak memory {peaks[^1] / 1e6:F0} MB"));
            }

            terminal.Result(string.Create(CultureInfo.InvariantCulture, $"difference {(peaks[1] - peaks[0]) / 1e6:F0} MB"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static long Peak(string list, string outFolder)
    {
        var self = Environment.ProcessPath ?? throw new InvalidOperationException("the path of this program is not known");
        var start = new ProcessStartInfo(self) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["extract", "--images", list, "--out", outFolder, "--size", "896", "--json"])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{self} did not start");
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"mirror extract ended with status {process.ExitCode}: {errors.GetAwaiter().GetResult()}");
        }

        using var summary = JsonDocument.Parse(output);
        return summary.RootElement.GetProperty("peak_memory_bytes").GetInt64();
    }
}
