// mirror extract: photographs -> one .npy of descriptors [D, R] each, as the original's inference.py left them.

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Mirror.Evaluation;
using Mirror.Photographs;

namespace Mirror.Cli.Commands;

internal static class ExtractCommand
{
    private static readonly Option<string?> Queries = CreateQueries();
    private static readonly Option<string?> GroundTruth = new("--ground-truth") { Description = "With --oxford-queries: folder with a QUERY_query.txt for each query", HelpName = "DIR" };

    public static Command Create()
    {
        var command = new Command("extract", "Extract the descriptors of photographs, one .npy [D, R] each");
        var extraction = new ExtractionOptions();
        extraction.AddTo(command);
        command.Options.Add(Queries);
        command.Options.Add(GroundTruth);
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(parsed, extraction, cancellationToken)));
        return command;
    }

    private static int Run(ParseResult parsed, ExtractionOptions extraction, CancellationToken cancellationToken)
    {
        var clock = Stopwatches.Start();
        var terminal = DeviceOptions.TerminalFor(parsed);
        var folder = extraction.OutFolder(parsed);
        using var device = extraction.OpenDevice(parsed, terminal);
        var (report, settings) = extraction.Run(parsed, device, folder, terminal, null, OxfordPhotos(parsed, extraction, folder), cancellationToken);
        var summary = new ExtractSummary
        {
            Images = report.Photos.Count,
            Resumed = report.Resumed,
            Skipped = report.Skipped,
            Regions = report.Info.Regions,
            Dimension = report.Info.Dimension,
            Extraction = settings,
            Device = device.Info.Name,
            ExtractSeconds = clock.Lap(),
            PeakMemoryBytes = PeakMemory.Bytes(),
            Version = MirrorLibrary.Version,
        };
        if (terminal.Json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(summary, CliJson.Default.ExtractSummary));
        }

        terminal.Result(string.Create(
            CultureInfo.InvariantCulture,
            $"{summary.Images} descriptors [{summary.Dimension}, {summary.Regions}] in {folder}, {summary.Skipped.Count} photographs skipped, {summary.ExtractSeconds:F1} s"));
        return report.Skipped.Count > 0 ? ExitCode.Partial : ExitCode.Success;
    }

    // The query pictures and what they are, or null for the photographs themselves.
    private static (IReadOnlyList<Photo> Photos, OxfordQueryPicture Picture)? OxfordPhotos(ParseResult parsed, ExtractionOptions extraction, string folder)
    {
        var (picture, truth) = (parsed.GetValue(Queries), parsed.GetValue(GroundTruth));
        if (picture is null || truth is null)
        {
            return picture is null && truth is null ? null : throw new ArgumentException("--oxford-queries and --ground-truth belong together: give both");
        }

        var kind = CommandValues.Parse<OxfordQueryPicture>(picture);
        return (OxfordQueries.Prepare(OxfordQueries.Read(truth), extraction.Photos(parsed), kind, Path.Combine(folder, "queries")), kind);
    }

    private static Option<string?> CreateQueries()
    {
        var option = new Option<string?>("--oxford-queries") { Description = "Extract the queries of Oxford5k or Paris6k instead: the box (cropped), the photograph (whole), or as MIRorR the photograph encoded again (original)", HelpName = "original|whole|cropped" };
        option.AcceptOnlyFromAmong("original", "whole", "cropped");
        return option;
    }
}
