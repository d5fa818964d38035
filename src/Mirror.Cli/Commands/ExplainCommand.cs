// mirror explain: why two photographs match. Extracts both, pairs their regions as PR-MAC does, prints and draws the best pairs.

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mirror.Explain;

namespace Mirror.Cli.Commands;

internal static class ExplainCommand
{
    private static readonly Argument<string> First = new("A") { Description = "A photograph" };
    private static readonly Argument<string> Second = new("B") { Description = "Another photograph" };
    private static readonly Option<string?> Out = new("--out", "-o") { Description = "Draw both photographs with their matching regions", HelpName = "FILE.png|FILE.svg" };
    private static readonly Option<int> Top = new("--top") { Description = "Pairs of regions that are printed and drawn", DefaultValueFactory = _ => 5 };
    private static readonly Option<bool> Mask = new("--mask") { Description = "Also say how much of each photograph the other one shows, and shade the rest in the drawing" };
    private static readonly Option<double> Threshold = new("--threshold") { Description = "Similarity from which --mask counts a region as shown", DefaultValueFactory = _ => RegionMask.DefaultThreshold };

    public static Command Create()
    {
        var command = new Command("explain", "Show which regions of two photographs match") { First, Second, Out, Top, Mask, Threshold };
        var options = new ExplainOptions();
        options.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(parsed, options, cancellationToken)));
        return command;
    }

    private static int Run(ParseResult parsed, ExplainOptions options, CancellationToken cancellationToken)
    {
        var drawing = parsed.GetValue(Out);
        if (drawing is not null && !ExplanationPicture.CanWrite(drawing))
        {
            throw new ArgumentException($"--out {drawing}: a drawing is a .png or .svg file");
        }

        CommandValues.RequireRange("--top", parsed.GetValue(Top), 1, int.MaxValue);
        var threshold = CheckedThreshold(parsed);
        var terminal = DeviceOptions.TerminalFor(parsed);
        using var device = options.OpenDevice(parsed, terminal);
        var photos = terminal.Run("images", _ => options.Describe(parsed, device, [parsed.GetRequiredValue(First), parsed.GetRequiredValue(Second)], cancellationToken));
        using var a = photos[0];
        using var b = photos[1];
        var matching = RegionMatching.Create(device, a.Rows, b.Rows, a.Dimension);
        var pairs = matching.Mutual.Take(parsed.GetValue(Top)).ToArray();
        var masks = parsed.GetValue(Mask)
            ? new[] { RegionMask.Create(matching.Backward, a.Geometry, threshold), RegionMask.Create(matching.Forward, b.Geometry, threshold) }
            : null;
        if (drawing is not null)
        {
            new ExplanationPicture(new ExplainedPhoto(a.Image, a.Geometry, masks?[0]), new ExplainedPhoto(b.Image, b.Geometry, masks?[1]), pairs).Write(drawing);
        }

        Show(terminal, new ExplainSummary
        {
            Score = Math.Max(matching.ForwardScore, matching.BackwardScore),
            ScoreOfA = matching.ForwardScore,
            ScoreOfB = matching.BackwardScore,
            Regions = a.Geometry.Regions.Count,
            MutualPairs = matching.Mutual.Count,
            Pairs = [.. pairs.Select((pair, index) => ExplainedPair.Of(pair, index, a, b))],
            ShownOfA = masks is null ? null : RegionMask.Coverage(masks[0]),
            ShownOfB = masks is null ? null : RegionMask.Coverage(masks[1]),
            Drawing = drawing,
        });
        return ExitCode.Success;
    }

    private static double CheckedThreshold(ParseResult parsed)
    {
        var threshold = parsed.GetValue(Threshold);
        if (!parsed.GetValue(Mask) && parsed.GetResult(Threshold) is { Implicit: false })
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"--threshold {threshold} does nothing without --mask: give both"));
        }

        return threshold is >= -1 and <= 1
            ? threshold
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"--threshold is {threshold}, expected a similarity from -1 to 1"));
    }

    private static void Show(Terminal terminal, ExplainSummary summary)
    {
        if (terminal.Json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(summary, ExplainJson.Default.ExplainSummary));
            return;
        }

        terminal.Result(string.Create(
            CultureInfo.InvariantCulture,
            $"score {summary.Score:F4} (A finds B {summary.ScoreOfA:F4}, B finds A {summary.ScoreOfB:F4}); {summary.MutualPairs} of {summary.Regions} regions are each other's best"));
        foreach (var pair in summary.Pairs)
        {
            terminal.Result(string.Create(
                CultureInfo.InvariantCulture,
                $"{pair.Similarity:F4}  A {pair.A}  B {pair.B}  {pair.Color}"));
        }

        if (summary.ShownOfA is { } ofA)
        {
            terminal.Result(string.Create(CultureInfo.InvariantCulture, $"{ofA:P0} of A is shown by B, {summary.ShownOfB:P0} of B by A"));
        }

        if (summary.Drawing is not null)
        {
            terminal.Result($"drawn in {summary.Drawing}");
        }
    }
}

internal sealed record ExplainSummary
{
    public required double Score { get; init; }

    public required double ScoreOfA { get; init; }

    public required double ScoreOfB { get; init; }

    public required int Regions { get; init; }

    public required int MutualPairs { get; init; }

    public required IReadOnlyList<ExplainedPair> Pairs { get; init; }

    public required double? ShownOfA { get; init; }

    public required double? ShownOfB { get; init; }

    public required string? Drawing { get; init; }
}

/// <summary>A region in whole pixels of its photograph, as the file has them, upright where the orientation was applied.</summary>
internal sealed record ExplainedRegion(int Step, int Scale, int X, int Y, int Width, int Height)
{
    public static ExplainedRegion Of(int region, DescribedPhoto photo)
    {
        var area = photo.Place(region);
        int left = (int)Math.Round(area.Left), top = (int)Math.Round(area.Top);
        var (scale, cells) = photo.Geometry.Regions[region];
        return new ExplainedRegion(cells.Step, scale, left, top, (int)Math.Round(area.Right) - left, (int)Math.Round(area.Bottom) - top);
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"step {Step}{(Scale == 1 ? "" : $" of 1/{Scale}")} at ({X}, {Y}) {Width} x {Height}");
}

internal sealed record ExplainedPair(float Similarity, string Color, ExplainedRegion A, ExplainedRegion B)
{
    public static ExplainedPair Of(RegionMatch pair, int index, DescribedPhoto a, DescribedPhoto b) =>
        new(pair.Similarity, ExplanationPicture.ColorOf(index), ExplainedRegion.Of(pair.From, a), ExplainedRegion.Of(pair.To, b));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ExplainSummary))]
internal sealed partial class ExplainJson : JsonSerializerContext;
