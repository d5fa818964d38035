// mirror synth: seeded views of procedural scenes with exact overlaps, for demonstrations, tests and load tests.

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Mirror.Synthesis;

namespace Mirror.Cli.Commands;

internal static class SynthCommand
{
    private static readonly Option<string> Out = new("--out") { Description = "Folder for the photographs; created when absent", Required = true, HelpName = "DIR" };
    private static readonly Option<int> Scenes = new("--scenes") { Description = "Scenes", DefaultValueFactory = _ => 3 };
    private static readonly Option<int> Views = new("--views") { Description = "Photographs of each scene", DefaultValueFactory = _ => 8 };
    private static readonly Option<(int Width, int Height)> Size = new("--size") { Description = "Pixels", CustomParser = ParseSize, DefaultValueFactory = _ => (480, 360), HelpName = "WxH" };
    private static readonly Option<ulong> Seed = new("--seed") { Description = "Same seed, same photographs", DefaultValueFactory = _ => 1 };

    public static Command Create()
    {
        var command = new Command("synth", "Render a synthetic survey with known overlaps") { Out, Scenes, Views, Size, Seed };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(parsed, cancellationToken)));
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (width, height) = parsed.GetValue(Size);
        var options = new SynthOptions
        {
            Scenes = parsed.GetValue(Scenes),
            ViewsPerScene = parsed.GetValue(Views),
            Width = width,
            Height = height,
            Seed = parsed.GetValue(Seed),
        };
        var folder = parsed.GetRequiredValue(Out);
        var terminal = new Terminal(json: false);
        terminal.Run("views", progress =>
        {
            SyntheticSurvey.Render(options, folder, (done, total) => progress("render", done, total), cancellationToken);
            return true;
        });
        terminal.Result($"{options.Scenes * options.ViewsPerScene} photographs in {folder}, with image_list.txt, gt_pairs and overlaps.txt");
        return ExitCode.Success;
    }

    private static (int Width, int Height) ParseSize(ArgumentResult result)
    {
        var parts = result.Tokens[0].Value.Split('x');
        if (parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var width)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var height))
        {
            return (width, height);
        }

        result.AddError($"'{result.Tokens[0].Value}' is no size such as 480x360");
        return default;
    }
}
