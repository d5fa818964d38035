// mirror extract: photographs -> one .npy of descriptors [D, R] each, as the original's inference.py left them.

using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Mirror.Cli.Commands;

internal static class ExtractCommand
{
    public static Command Create()
    {
        var command = new Command("extract", "Extract the descriptors of photographs, one .npy [D, R] each");
        var extraction = new ExtractionOptions();
        extraction.AddTo(command);
        CompatOption.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(parsed, extraction, cancellationToken)));
        return command;
    }

    private static int Run(ParseResult parsed, ExtractionOptions extraction, CancellationToken cancellationToken)
    {
        var clock = Stopwatches.Start();
        var terminal = DeviceOptions.TerminalFor(parsed);
        var folder = extraction.OutFolder(parsed);
        using var device = extraction.OpenDevice(parsed, terminal);
        var (report, settings) = extraction.Run(parsed, device, folder, terminal, _ => { }, cancellationToken);
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
}
