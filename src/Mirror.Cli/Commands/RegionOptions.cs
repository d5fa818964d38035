// Which regions of which input a descriptor is pooled from: the options that extraction, explanation and the ONNX graph share.

using System.CommandLine;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

/// <param name="side">What --size means to the command.</param>
/// <param name="note">Appended to every description.</param>
internal sealed class RegionOptions(string side, string note = "")
{
    // Measured (docs/results.md): the best of those up to 1.5 times as slow as the fastest within 0.01 of the best mean average precision.
    private const int DefaultSize = 704;
    private const int OriginalSize = 896;

    private readonly Option<int> size = new("--size") { Description = side + note, DefaultValueFactory = _ => DefaultSize };
    private readonly Option<string> fit = CommandValues.Choice("--fit", "whole: the entire photograph in its own proportions; crop: the middle square, at the same cost" + note, "whole", "whole", "crop");
    private readonly Option<int[]?> regions = new("--regions") { Description = "Steps of the region grids (default: 1,3,5; at --size 224: 1)" + note, CustomParser = CommandValues.IntegerList, HelpName = "1,3,5" };
    private readonly Option<string> pool = CommandValues.Choice("--pool", "How a region is pooled" + note, "max", "max", "avg", "l2", "gem");
    private readonly Option<float?> gemPower = new("--gem-p") { Description = "Power of --pool gem, 1 to 32 (default: 3)" + note, HelpName = "P" };
    private readonly Option<bool> multiScale = new("--multi-scale") { Description = "Also see the input subsampled by 2 and 4 (with --fit crop at sizes 224, 448, 896, 1024)" + note };

    /// <summary>Every option, in the order of the help.</summary>
    public IReadOnlyList<Option> All => [size, fit, regions, pool, gemPower, multiScale];

    /// <summary>Those that the original had no counterpart of.</summary>
    public IReadOnlyList<Option> BeyondTheOriginal => [fit, gemPower];

    public int Size(ParseResult parsed)
    {
        var side = IsOriginal(parsed, size) ? OriginalSize : parsed.GetValue(size);
        CommandValues.RequireRange("--size", side, 1, PixelImage.MaxSide);
        return side;
    }

    public FitMode Fit(ParseResult parsed) => IsOriginal(parsed, fit) ? FitMode.Crop : CommandValues.Parse<FitMode>(parsed.GetRequiredValue(fit));

    public IReadOnlyList<int> Steps(ParseResult parsed) =>
        parsed.GetValue(regions) is { Length: > 0 } steps ? steps : ExtractionSettings.DefaultRegions(Size(parsed));

    /// <summary>The pooling, and the power of GeM; null with the others.</summary>
    public (RegionPooling Pooling, float? GemPower) Pooling(ParseResult parsed)
    {
        var pooling = CommandValues.Parse<RegionPooling>(parsed.GetRequiredValue(pool));
        var power = parsed.GetValue(gemPower);
        return power is null || pooling == RegionPooling.Gem
            ? (pooling, pooling == RegionPooling.Gem ? power ?? 3 : null)
            : throw new ArgumentException($"--gem-p belongs to --pool gem, not to {CommandValues.Name(pooling)}");
    }

    public bool MultiScale(ParseResult parsed) => parsed.GetValue(multiScale);

    // Whether the option is left to --compat mirror.
    private static bool IsOriginal(ParseResult parsed, Option option) => CompatOption.IsMirror(parsed) && parsed.GetResult(option) is not { Implicit: false };
}
