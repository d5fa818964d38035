// mirror eval overlap: how good a ranking is, against pairs with a known overlap.

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Mirror.Evaluation;

namespace Mirror.Cli.Commands;

internal static class EvalCommand
{
    private static readonly Argument<string> Pairs = new("match_pairs") { Description = "Ranking: 'query image score' lines" };
    private static readonly Argument<string> Truth = new("ground_truth") { Description = "Pairs with a large overlap: 'i j' lines, both directions" };
    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON" };

    public static Command Create()
    {
        var overlap = new Command("overlap", "Mean average precision by the GL3D protocol") { Pairs, Truth, Json };
        overlap.SetAction(parsed =>
        {
            var score = OverlapBenchmark.Evaluate(parsed.GetRequiredValue(Pairs), parsed.GetRequiredValue(Truth));
            Console.Out.WriteLine(parsed.GetValue(Json)
                ? JsonSerializer.Serialize(score, CliJson.Default.OverlapScore)
                : string.Create(CultureInfo.InvariantCulture, $"mAP {score.MeanAveragePrecision:F4} over {score.Queries} queries"));
            return ExitCode.Success;
        });
        return new Command("eval", "Evaluate a ranking") { overlap };
    }
}
