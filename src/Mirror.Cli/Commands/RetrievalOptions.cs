// The options that `match` and `query` share: whitening, similarity, ranking, expansion.

using System.CommandLine;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

internal sealed class RetrievalOptions(int? defaultDimension)
{
    private readonly Option<int?> dim = new("--dim") { Description = $"Whitened dimensions{(defaultDimension is { } d ? $" (default: {d})" : "")}; lowered where there are too few descriptor vectors to fit it" };
    private readonly Option<bool> noWhitening = new("--no-whitening") { Description = "Compare descriptors as they are" };
    private readonly Option<double?> variance = new("--variance") { Description = "Keep this share of the variance, 0..1, instead of --dim", HelpName = "T" };
    private readonly Option<string?> whitening = new("--whitening") { Description = "Use this saved whitening", HelpName = "FILE" };
    private readonly Option<string?> saveWhitening = new("--save-whitening") { Description = "Save the whitening that was used", HelpName = "FILE" };
    private readonly Option<string> similarity = CommandValues.Choice("--similarity", "How two images are compared", "pr-mac", "pr-mac", "r-mac", "mac", "aml");
    private readonly Option<bool> euclidean = new("--euclidean") { Description = "Squared Euclidean distance of raw descriptors, smaller is better" };
    private readonly Option<string> searchPrecision = CommandValues.Choice("--search-precision", "Arithmetic of the search; fp16 on a GPU only: tensor cores, half the memory", "fp32", "fp32", "fp16");
    private readonly Option<int> top = new("--top") { Description = "Results per query", DefaultValueFactory = _ => 200 };
    private readonly Option<int> expand = new("--expand") { Description = "Expand each query with its best K results and search again", HelpName = "K", DefaultValueFactory = _ => 0 };
    private readonly Option<int?> expandTimes = new("--expand-times") { Description = "Rounds of expansion (default: 1; with --compat mirror 0, as the original)", HelpName = "T" };
    private readonly Option<double?> expandAlpha = new("--expand-alpha") { Description = "Weigh neighbours by the A-th power of their score (default: 0, all alike)", HelpName = "A" };
    private readonly Option<string?> expandPairing = new("--expand-pairing") { Description = "Which region of a neighbour is added to a region: same (index) or best (most similar; default)", HelpName = "same|best" };
    private readonly Option<int> augment = new("--augment") { Description = "Replace each database image by its expansion with its K best others", HelpName = "K", DefaultValueFactory = _ => 0 };

    public void AddTo(Command command)
    {
        expandPairing.AcceptOnlyFromAmong("same", "best");
        foreach (var option in (Option[])[dim, noWhitening, variance, whitening, saveWhitening, similarity, euclidean, searchPrecision, top, expand, expandTimes, expandAlpha, expandPairing, augment])
        {
            command.Options.Add(option);
        }
    }

    public RetrievalSettings Read(ParseResult parsed)
    {
        var kind = parsed.GetRequiredValue(similarity);
        var other = parsed.GetValue(noWhitening) || parsed.GetValue(variance) is not null || parsed.GetValue(whitening) is not null;
        var compat = CompatOption.IsMirror(parsed);
        var settings = new RetrievalSettings
        {
            Compat = compat,
            Aggregation = kind switch { "r-mac" => Aggregation.Sum, "mac" => Aggregation.First, _ => Aggregation.Regions },
            Similarity = kind == "aml" ? Similarity.Aml : Similarity.PrMac,
            Metric = parsed.GetValue(euclidean) ? Metric.Euclidean : Metric.Dot,
            Dimension = parsed.GetValue(dim) ?? (other ? null : defaultDimension),
            Variance = parsed.GetValue(variance),
            WhiteningFile = parsed.GetValue(whitening),
            SaveWhitening = parsed.GetValue(saveWhitening),
            SearchPrecision = CommandValues.Parse<Precision>(parsed.GetRequiredValue(searchPrecision)),
            Top = parsed.GetValue(top),
            ExpandNeighbours = parsed.GetValue(expand),
            ExpandTimes = parsed.GetValue(expandTimes) ?? (compat ? 0 : 1),
            ExpandAlpha = parsed.GetValue(expandAlpha),
            ExpandPairing = parsed.GetValue(expandPairing) is { } pairing ? CommandValues.Parse<RegionPairing>(pairing) : null,
            Augment = parsed.GetValue(augment),
        };
        settings.Validate();
        if (parsed.GetValue(noWhitening) && (settings.Dimension ?? (object?)settings.Variance ?? settings.WhiteningFile) is not null)
        {
            throw new ArgumentException("--no-whitening cannot be combined with --dim, --variance or --whitening");
        }

        return settings;
    }
}
