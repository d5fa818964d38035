// The --json summaries, and the small facts they report.

using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;
using Mirror.Pipeline;

namespace Mirror.Cli;

internal record ExtractSummary
{
    public required int Images { get; init; }

    public required int Resumed { get; init; }

    public required IReadOnlyList<SkippedPhoto> Skipped { get; init; }

    public required int Regions { get; init; }

    public required int Dimension { get; init; }

    public required ExtractionSettings Extraction { get; init; }

    public required string Device { get; init; }

    public required double ExtractSeconds { get; init; }

    public required long PeakMemoryBytes { get; init; }

    public required string Version { get; init; }
}

internal sealed record MatchSummary : ExtractSummary
{
    public required int Pairs { get; init; }

    public required bool Whitened { get; init; }

    public required RetrievalSettings Retrieval { get; init; }

    /// <summary>Of the whitening file that was given; null: none.</summary>
    public required string? WhiteningSha256 { get; init; }

    public required double MatchSeconds { get; init; }
}

internal sealed record QuerySummary
{
    public required int Images { get; init; }

    public required int Queries { get; init; }

    public required int Results { get; init; }

    public required int Regions { get; init; }

    public required int? WhitenedDimension { get; init; }

    public required RetrievalSettings Retrieval { get; init; }

    /// <summary>Of the whitening file that was given; null: none.</summary>
    public required string? WhiteningSha256 { get; init; }

    /// <summary>Folder of the database's descriptors, seen from the summary; null: they lie in several.</summary>
    public required string? Features { get; init; }

    /// <summary>Folder of the queries' descriptors, likewise; null also where the database was queried with itself.</summary>
    public required string? QueryFeatures { get; init; }

    public required double Seconds { get; init; }

    public required string Version { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(MatchSummary))]
[JsonSerializable(typeof(ExtractSummary))]
[JsonSerializable(typeof(QuerySummary))]
internal sealed partial class CliJson : JsonSerializerContext;

/// <summary>A clock that tells the seconds of each stage.</summary>
internal sealed class Stopwatches
{
    private long mark = Stopwatch.GetTimestamp();

    public static Stopwatches Start() => new();

    public double Lap()
    {
        var now = Stopwatch.GetTimestamp();
        var seconds = Stopwatch.GetElapsedTime(mark, now).TotalSeconds;
        mark = now;
        return seconds;
    }
}

internal static class PeakMemory
{
    /// <summary>Largest resident size of this process so far.</summary>
    public static long Bytes()
    {
        // .NET on Linux reports the current size as the peak; the kernel knows the real one ("VmHWM:  123456 kB").
        if (OperatingSystem.IsLinux())
        {
            var line = File.ReadLines("/proc/self/status").First(text => text.StartsWith("VmHWM:", StringComparison.Ordinal));
            return long.Parse(line.AsSpan(6, line.Length - 8).Trim(), CultureInfo.InvariantCulture) * 1024;
        }

        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
