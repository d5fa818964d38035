// mirror bench: what this machine reaches. Every figure is a median, measured beside its yardstick in the same run.

using System.CommandLine;
using Mirror.Cli.Bench;

namespace Mirror.Cli.Commands;

internal static class BenchCommand
{
    private static readonly Argument<string[]> Parts = new("part") { Description = "networks, search, memory, pipeline (default: all but pipeline, which takes minutes)", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string[]> Nets = new("--net") { Description = "Networks to measure (default: all)" };
    private static readonly Option<int[]?> Sizes = new("--sizes") { Description = "Input sizes (default: 224,448,896)", CustomParser = CommandValues.IntegerList };
    private static readonly Option<string?> Images = new("--images") { Description = "pipeline: a folder of photographs to measure with (default: rendered ones of 12 megapixels)", HelpName = "DIR" };
    private static readonly Option<int> Count = new("--count") { Description = "pipeline: files to read, copies of those photographs", DefaultValueFactory = _ => 400 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "pipeline: each figure is the median of so many", DefaultValueFactory = _ => 5 };
    private static readonly Option<int> Batch = new("--batch") { Description = "Images the network runs at once", DefaultValueFactory = _ => 1 };

    public static Command Create()
    {
        Parts.AcceptOnlyFromAmong("networks", "search", "memory", "pipeline");
        var command = new Command("bench", "Measure networks, search and memory on this machine") { Parts, Nets, Sizes, Images, Count, Rounds, Batch };
        var device = new DeviceOptions();
        device.AddTo(command, hasSummary: false);
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(parsed, device, cancellationToken)));
        return command;
    }

    private static int Run(ParseResult parsed, DeviceOptions deviceOptions, CancellationToken cancellationToken)
    {
        var terminal = new Terminal(json: false);
        var parts = parsed.GetValue(Parts) is { Length: > 0 } given ? given : ["networks", "search", "memory"];
        using var device = deviceOptions.Open(parsed, terminal);
        terminal.Result($"{device.Info.Name}, {device.Info.Threads} threads, Mirror {MirrorLibrary.Version}");
        foreach (var part in parts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            terminal.Result();
            switch (part)
            {
                case "networks":
                    NetworkBench.Run(device, parsed.GetValue(Nets) is { Length: > 0 } named ? named : Networks.Names, parsed.GetValue(Sizes) is { Length: > 0 } sizes ? sizes : [224, 448, 896], parsed.GetValue(Batch), terminal, cancellationToken);
                    break;
                case "search":
                    SearchBench.Run(device, terminal, cancellationToken);
                    break;
                case "memory":
                    MemoryBench.Run(terminal, cancellationToken);
                    break;
                case "pipeline":
                    CommandValues.RequireRange("--count", parsed.GetValue(Count), 1, 100_000);
                    CommandValues.RequireRange("--rounds", parsed.GetValue(Rounds), 1, 1000);
                    PipelineBench.Run(device, parsed.GetValue(Images), parsed.GetValue(Count), parsed.GetValue(Rounds), terminal, cancellationToken);
                    break;
            }
        }

        return ExitCode.Success;
    }
}
