// mirror whitening: fit or learn a whitening on one collection, to be used on others by --whitening FILE.

using System.CommandLine;
using System.Globalization;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

internal static class WhiteningCommand
{
    private static readonly Option<string> Features = new("--features") { Description = "A folder of descriptors, or a text file with one .npy path a line", Required = true, HelpName = "LIST|DIR" };
    private static readonly Option<string?> Root = new("--root") { Description = "Folder that relative paths of a list start from (default: the list's folder)", HelpName = "DIR" };
    private static readonly Option<int> Dim = new("--dim") { Description = "Dimensions kept", DefaultValueFactory = _ => 256 };
    private static readonly Option<string> Pairs = new("--pairs") { Description = "Matching images: 'i j' or 'name name' lines, such as pairs.txt after verification, or a ground truth", Required = true, HelpName = "FILE" };
    private static readonly Option<string> Output = new("--output", "-o") { Description = "Whitening file to write", Required = true, HelpName = "FILE" };
    private static readonly Argument<string> Source = new("file") { Description = "Whitening file" };

    public static Command Create()
    {
        var device = new DeviceOptions();
        var fit = new Command("fit", "Fit a PCA whitening on descriptors") { Features, Root, Dim, Output };
        device.AddTo(fit, hasSummary: false);
        CompatOption.AddTo(fit);
        fit.SetAction((parsed, cancellationToken) => Task.FromResult(Make(parsed, device, Fit, cancellationToken)));
        var learn = new Command("learn", "Learn a whitening from pairs of matching images") { Features, Root, Pairs, Dim, Output };
        device.AddTo(learn, hasSummary: false);
        learn.SetAction((parsed, cancellationToken) => Task.FromResult(Make(parsed, device, Learn, cancellationToken)));
        var info = new Command("info", "Show the sizes of a whitening") { Source };
        info.SetAction(parsed =>
        {
            using var whitening = WhiteningFile.Load(parsed.GetRequiredValue(Source));
            Console.Out.WriteLine(Describe(whitening));
            return ExitCode.Success;
        });
        return new Command("whitening", "Fit, learn and inspect whitenings") { fit, learn, info };
    }

    private delegate Whitening Maker(ParseResult parsed, Device device, FeatureSet rows, IReadOnlyList<string> paths, Terminal terminal, Action<string, long, long> progress, CancellationToken cancellationToken);

    private static int Make(ParseResult parsed, DeviceOptions deviceOptions, Maker maker, CancellationToken cancellationToken)
    {
        var terminal = new Terminal(json: false);
        var paths = FeatureList.Read(parsed.GetRequiredValue(Features), parsed.GetValue(Root));
        CommandValues.RequireRange("--dim", parsed.GetValue(Dim), 1, int.MaxValue);
        using var device = deviceOptions.Open(parsed, terminal);
        using var whitening = terminal.Run("units", progress =>
        {
            using var rows = FeatureSet.Load(paths, Aggregation.Regions, (done, total) => progress("read", done, total), cancellationToken);
            rows.Normalize(device);
            return maker(parsed, device, rows, paths, terminal, progress, cancellationToken);
        });
        var output = parsed.GetRequiredValue(Output);
        whitening.Save(output);
        terminal.Result($"{Describe(whitening)} in {output}");
        return ExitCode.Success;
    }

    private static Whitening Fit(ParseResult parsed, Device device, FeatureSet rows, IReadOnlyList<string> paths, Terminal terminal, Action<string, long, long> progress, CancellationToken cancellationToken)
    {
        var settings = new RetrievalSettings { Dimension = parsed.GetValue(Dim), Compat = CompatOption.IsMirror(parsed) };
        return Retrieval.FitWhitening(device, rows, settings, terminal.Notice, (done, total) => progress("fit", done, total), cancellationToken);
    }

    private static Whitening Learn(ParseResult parsed, Device device, FeatureSet rows, IReadOnlyList<string> paths, Terminal terminal, Action<string, long, long> progress, CancellationToken cancellationToken)
    {
        var pairs = MatchingRows.ReadPairs(parsed.GetRequiredValue(Pairs), paths);
        var (whitening, matches) = MatchingRows.Learn(device, rows, pairs, parsed.GetValue(Dim), terminal.Notice, (done, total) => progress("pair regions", done, total), cancellationToken);
        terminal.Notice(string.Create(CultureInfo.InvariantCulture, $"{pairs.Count} image pairs gave {matches} pairs of regions"));
        return whitening;
    }

    private static string Describe(Whitening whitening) =>
        string.Create(CultureInfo.InvariantCulture, $"whitening {whitening.InputDimension} -> {whitening.OutputDimension} dimensions")
        + (double.IsNaN(whitening.Explained) ? "" : string.Create(CultureInfo.InvariantCulture, $", {whitening.Explained:P1} of the variance"));
}
