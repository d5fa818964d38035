// mirror match: the main job. Photographs -> descriptors (OUT/features, kept) -> ranking -> pairs.

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

internal static class MatchCommand
{
    private const int DefaultDimension = 256;
    private const int PairsShown = 10;

    public static Command Create()
    {
        var command = new Command("match", "Find the matching pairs of a folder of photographs");
        var extraction = new ExtractionOptions();
        var retrieval = new RetrievalOptions(DefaultDimension);
        extraction.AddTo(command);
        retrieval.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(parsed, extraction, retrieval, cancellationToken)));
        return command;
    }

    private static int Run(ParseResult parsed, ExtractionOptions extraction, RetrievalOptions retrieval, CancellationToken cancellationToken)
    {
        var clock = Stopwatches.Start();
        var terminal = DeviceOptions.TerminalFor(parsed);
        var settings = retrieval.Read(parsed);
        var folder = extraction.OutFolder(parsed);
        var features = Path.Combine(folder, "features");
        using var device = extraction.OpenDevice(parsed, terminal);

        var (report, extracted) = extraction.Run(parsed, device, features, terminal, (images, info) => Retrieval.CheckFits(device, settings, images, info.Regions, info.Dimension), null, cancellationToken);
        if (report.Photos.Count == 0)
        {
            throw new InvalidDataException($"none of the {report.Skipped.Count} photographs could be read: see {Path.Combine(features, "skipped.txt")}");
        }

        var extractSeconds = clock.Lap();
        var ranking = terminal.Run("images", progress => Rank(device, report, features, settings, terminal, progress, cancellationToken));
        var pairs = MatchResults.Write(folder, report, ranking, settings.Metric);
        var summary = new MatchSummary
        {
            Images = report.Photos.Count,
            Resumed = report.Resumed,
            Skipped = report.Skipped,
            Pairs = pairs.Count,
            Regions = report.Info.Regions,
            Dimension = ranking.WhitenedDimension ?? report.Info.Dimension,
            Whitened = ranking.WhitenedDimension is not null,
            Extraction = extracted,
            Retrieval = settings.WithDefaults(),
            WhiteningSha256 = settings.WhiteningFile is { } file ? FileHash.Sha256(file) : null,
            Device = device.Info.Name,
            ExtractSeconds = extractSeconds,
            MatchSeconds = clock.Lap(),
            PeakMemoryBytes = PeakMemory.Bytes(),
            Version = MirrorLibrary.Version,
        };
        var json = JsonSerializer.Serialize(summary, CliJson.Default.MatchSummary);
        MatchResults.WriteText(folder, MatchResults.SummaryName, json + "\n");
        Show(terminal, folder, summary, report, pairs, json);
        return report.Skipped.Count > 0 ? ExitCode.Partial : ExitCode.Success;
    }

    private static Ranking Rank(
        Device device,
        ExtractionReport report,
        string features,
        RetrievalSettings settings,
        Terminal terminal,
        Action<string, long, long> progress,
        CancellationToken cancellationToken)
    {
        var paths = report.Features.Select(name => Path.Combine(features, name)).ToArray();
        using var set = FeatureSet.Load(paths, settings.Aggregation, (done, total) => progress("read", done, total), cancellationToken);
        return Retrieval.Rank(device, set, null, settings, terminal.Notice, progress, cancellationToken);
    }

    private static void Show(Terminal terminal, string folder, MatchSummary summary, ExtractionReport report, IReadOnlyList<ImagePair> pairs, string json)
    {
        if (terminal.Json)
        {
            Console.Out.WriteLine(json);
            return;
        }

        foreach (var pair in pairs.Take(PairsShown))
        {
            terminal.Result(string.Create(CultureInfo.InvariantCulture, $"{report.Photos[pair.First].Name} {report.Photos[pair.Second].Name} {pair.Score:F4}"));
        }

        terminal.Result(string.Create(
            CultureInfo.InvariantCulture,
            $"{summary.Pairs} pairs of {summary.Images} photographs in {Path.Combine(folder, "pairs.txt")} ({Math.Min(PairsShown, pairs.Count)} best above); extraction {summary.ExtractSeconds:F1} s, matching {summary.MatchSeconds:F1} s"));
        if (summary.Skipped.Count > 0)
        {
            terminal.Notice($"{summary.Skipped.Count} photographs were skipped: see {Path.Combine(folder, "skipped.txt")}");
        }
    }
}
