// mirror eval: how good a ranking is, by the protocols of GL3D, Oxford5k / Paris6k, ROxford / RParis and Holidays.

using System.CommandLine;
using System.Globalization;
using Mirror.Evaluation;

namespace Mirror.Cli.Commands;

internal static class EvalCommand
{
    private static readonly Argument<string> Pairs = new("match_pairs") { Description = "Ranking: 'query image score' lines" };
    private static readonly Argument<string> Truth = new("ground_truth") { Description = "Pairs with a large overlap: 'i j' lines, both directions" };
    private static readonly Argument<string> Result = new("ranking") { Description = "match_pairs with --queries, else a result file: 'query rank image rank image ...' lines" };
    private static readonly Option<string?> OptionalImages = new("--images") { Description = "Names of the images, one a line in the order of the ranking, for the results per query (default: indices)", HelpName = "LIST" };
    private static readonly Option<string> Images = new("--images") { Description = "Names of the images, one a line in the order of the ranking", Required = true, HelpName = "LIST" };
    private static readonly Option<string> Queries = new("--queries") { Description = "Names of the queries, one a line in the order of the ranking", Required = true, HelpName = "LIST" };
    private static readonly Option<string?> OptionalQueries = new("--queries") { Description = "Names of the queries of match_pairs, one a line (without: RANKING is a result file)", HelpName = "LIST" };
    private static readonly Option<string> TruthFolder = new("--gt") { Description = "Folder with QUERY_good.txt, QUERY_ok.txt and QUERY_junk.txt", Required = true, HelpName = "DIR" };
    private static readonly Option<string> TruthFile = new("--gt") { Description = "Ground truth: JSON, or the published pickle", Required = true, HelpName = "FILE" };
    private static readonly Option<string?> Features = new("--features") { Description = "Folder of the descriptors, whose settings the results then name (default: looked for beside the ranking)", HelpName = "DIR" };
    private static readonly Option<string?> Out = new("--out") { Description = "Also write the results of every query there, CSV and JSON", HelpName = "DIR" };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON summary on standard output and nothing else there" };

    public static Command Create()
    {
        var overlap = Verb("overlap", "Mean average precision by the GL3D protocol", Pairs, [Truth], [OptionalImages], parsed =>
            [OverlapBenchmark.Evaluate(parsed.GetRequiredValue(Pairs), parsed.GetRequiredValue(Truth), parsed.GetValue(OptionalImages) is { } list ? NameList.Read(list) : null)]);
        var oxford = Verb("oxford", "Mean average precision by the Oxford5k / Paris6k protocol", Pairs, [], [Images, Queries, TruthFolder], parsed =>
            [OxfordBenchmark.Evaluate(parsed.GetRequiredValue(Pairs), List(parsed, Images), List(parsed, Queries), parsed.GetRequiredValue(TruthFolder), CompatOption.IsMirror(parsed))]);
        CompatOption.AddTo(oxford);
        var revisited = Verb("roxford", "Mean average precision and mP@1, 5, 10 by the ROxford / RParis protocol", Pairs, [], [Images, Queries, TruthFile], parsed =>
            RevisitedBenchmark.Evaluate(parsed.GetRequiredValue(Pairs), List(parsed, Images), List(parsed, Queries), RevisitedGroundTruth.Read(parsed.GetRequiredValue(TruthFile))));
        var holidays = Verb("holidays", "Mean average precision by the Holidays protocol", Result, [], [Images, OptionalQueries], parsed =>
            [parsed.GetValue(OptionalQueries) is { } queries
                ? HolidaysBenchmark.EvaluatePairs(parsed.GetRequiredValue(Result), List(parsed, Images), NameList.Read(queries))
                : HolidaysBenchmark.EvaluateResults(parsed.GetRequiredValue(Result), List(parsed, Images))]);
        return new Command("eval", "Evaluate a ranking") { overlap, oxford, revisited, holidays };
    }

    private static NameList List(ParseResult parsed, Option<string> option) => NameList.Read(parsed.GetRequiredValue(option));

    private static Command Verb(string name, string description, Argument<string> ranking, Argument<string>[] arguments, Option[] options, Func<ParseResult, IReadOnlyList<RankingScore>> evaluate)
    {
        var command = new Command(name, description) { ranking };
        foreach (var argument in arguments)
        {
            command.Arguments.Add(argument);
        }

        foreach (var option in options.Concat([Features, Out, Json]))
        {
            command.Options.Add(option);
        }

        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(ranking);
            var origin = RankingOrigin.Find(path, parsed.GetValue(Features));
            var asPublished = command.Options.Any(option => option.Name == "--compat") && CompatOption.IsMirror(parsed);
            Show(new Terminal(parsed.GetValue(Json)), EvaluationReport.Create(name, asPublished, evaluate(parsed), path, origin, MirrorLibrary.Version), parsed.GetValue(Out));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Show(Terminal terminal, EvaluationReport report, string? folder)
    {
        foreach (var notice in report.Notices)
        {
            terminal.Notice(notice);
        }

        if (folder is not null)
        {
            report.Write(folder);
            if (report.Origin.Extraction is null)
            {
                terminal.Notice("no extraction.json beside the ranking: the results name no model and no settings (--features DIR says where the descriptors are)");
            }
        }

        if (terminal.Json)
        {
            Console.Out.WriteLine(report.ToSummaryJson());
        }

        if (report.MeanAveragePrecision is { } mean)
        {
            terminal.Result(string.Create(CultureInfo.InvariantCulture, $"mAP {Figure(report.Benchmark, mean)} over {report.Queries} queries"));
        }

        foreach (var level in report.Levels ?? [])
        {
            terminal.Result(string.Create(
                CultureInfo.InvariantCulture,
                $"{level.Level,-6} mAP {level.MeanAveragePrecision:F4}, mP@1 {level.MeanPrecisionAt1:F4}, mP@5 {level.MeanPrecisionAt5:F4}, mP@10 {level.MeanPrecisionAt10:F4} over {level.Queries} queries"));
        }
    }

    // The published Holidays program prints five decimals.
    private static string Figure(string benchmark, double mean) => mean.ToString(benchmark == "holidays" ? "F5" : "F4", CultureInfo.InvariantCulture);
}
