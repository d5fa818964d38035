// mirror query: descriptors -> match_pairs, as the original's deep_query.py.

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

internal static class QueryCommand
{
    private static readonly Option<string> Features = new("--features") { Description = "Database: a folder of descriptors, or a text file with one .npy path a line", Required = true, HelpName = "LIST|DIR" };
    private static readonly Option<string?> Queries = new("--queries") { Description = "Queries, likewise (default: every database image)", HelpName = "LIST|DIR" };
    private static readonly Option<string?> Root = new("--root") { Description = "Folder that relative paths of a list start from (default: the list's folder)", HelpName = "DIR" };
    private static readonly Option<string> Out = new("--out") { Description = "Folder for match_pairs and summary.json; created when absent", Required = true, HelpName = "DIR" };

    public static Command Create()
    {
        var command = new Command("query", "Rank images by their descriptors") { Features, Queries, Root, Out };
        var retrieval = new RetrievalOptions(null);
        var device = new DeviceOptions();
        retrieval.AddTo(command);
        device.AddTo(command);
        CompatOption.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(parsed, retrieval, device, cancellationToken)));
        return command;
    }

    private static int Run(ParseResult parsed, RetrievalOptions retrieval, DeviceOptions deviceOptions, CancellationToken cancellationToken)
    {
        var clock = Stopwatches.Start();
        var terminal = DeviceOptions.TerminalFor(parsed);
        var settings = retrieval.Read(parsed);
        var database = FeatureList.Read(parsed.GetRequiredValue(Features), parsed.GetValue(Root));
        var queries = parsed.GetValue(Queries) is { } source ? FeatureList.Read(source, parsed.GetValue(Root)) : null;
        var folder = parsed.GetRequiredValue(Out);
        using var device = deviceOptions.Open(parsed, terminal);
        var ranking = terminal.Run("images", progress =>
        {
            using var rows = FeatureSet.Load(database, settings.Aggregation, (done, total) => progress("read", done, total), cancellationToken);
            using var asked = queries is null
                ? null
                : FeatureSet.Load(queries, settings.Aggregation, (done, total) => progress("read queries", done, total), cancellationToken);
            return Retrieval.Rank(device, rows, asked, settings, terminal.Notice, progress, cancellationToken);
        });
        var path = Path.Combine(folder, "match_pairs");
        PairFiles.WriteMatchPairs(path, ranking);
        var summary = new QuerySummary
        {
            Images = database.Count,
            Queries = ranking.Result.Queries,
            Results = ranking.Result.K,
            Regions = ranking.Regions,
            WhitenedDimension = ranking.WhitenedDimension,
            Retrieval = settings.WithDefaults(),
            WhiteningSha256 = settings.WhiteningFile is { } file ? FileHash.Sha256(file) : null,
            Features = FeatureList.FolderOf(database, folder),
            QueryFeatures = queries is null ? null : FeatureList.FolderOf(queries, folder),
            Seconds = clock.Lap(),
            Version = MirrorLibrary.Version,
        };
        var json = JsonSerializer.Serialize(summary, CliJson.Default.QuerySummary);
        MatchResults.WriteText(folder, MatchResults.SummaryName, json + "\n");
        if (terminal.Json)
        {
            Console.Out.WriteLine(json);
        }

        terminal.Result(string.Create(
            CultureInfo.InvariantCulture,
            $"{summary.Queries} queries x {summary.Results} results in {path}, {summary.Seconds:F1} s"));
        return ExitCode.Success;
    }
}
