// How descriptors are made of photographs: model, regions, decoding, arithmetic. One set of options and defaults, so that `explain` sees what
// `match` and `extract` see.

using System.CommandLine;
using Mirror.Photographs;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

internal sealed class DescriptorOptions
{
    private readonly Option<string?> model = new("--model") { Description = "Model file, safetensors (default: the one that comes with Mirror)", HelpName = "FILE" };
    private readonly RegionOptions regions = new("Side in pixels of the square that has the area of the network's input (--compat mirror: 896 and crop, unless given)");
    private readonly Option<string> exif = CommandValues.Choice("--exif", "Whether EXIF orientation is applied", "apply", "apply", "ignore");
    private readonly Option<string> decode = CommandValues.Choice("--decode", "JPEG files: fast decodes at a reduced scale where the network sees far fewer pixels, exact decodes every pixel", "fast", "fast", "exact");
    private readonly Option<string> precision = CommandValues.Choice("--precision", "Arithmetic of the network", "fp32", "fp32", "bf16", "fp16");

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[model, .. regions.All, exif, decode, precision])
        {
            command.Options.Add(option);
        }

        CompatOption.AddTo(command);
    }

    public string ModelPath(ParseResult parsed) => parsed.GetValue(model) ?? DefaultModel.Path;

    /// <summary>The settings for a network, loaded from <see cref="ModelPath"/>.</summary>
    public ExtractionSettings Settings(ParseResult parsed, string network)
    {
        var side = regions.Size(parsed);
        var original = CompatOption.IsMirror(parsed);
        if (original)
        {
            RefuseBeside(parsed, [decode, .. regions.BeyondTheOriginal, precision]);
        }

        var (pooling, gemPower) = regions.Pooling(parsed);
        if (original && pooling == RegionPooling.Gem)
        {
            throw new ArgumentException("--pool gem with --compat mirror: the original has max, avg and l2");
        }

        return new ExtractionSettings
        {
            Network = network,
            ModelSha256 = FileHash.Sha256(ModelPath(parsed)),
            Size = side,
            Fit = regions.Fit(parsed),
            Regions = original && side == 224 ? ExtractionSettings.DefaultRegions(side) : regions.Steps(parsed),
            Pooling = pooling,
            GemPower = gemPower,
            MultiScale = regions.MultiScale(parsed),
            Precision = CommandValues.Parse<Precision>(parsed.GetRequiredValue(precision)),
            Exif = original && parsed.GetResult(exif) is not { Implicit: false } ? ExifMode.Ignore : CommandValues.Parse<ExifMode>(parsed.GetRequiredValue(exif)),
            Decode = original ? DecodeMode.Ifast : CommandValues.Parse<DecodeMode>(parsed.GetRequiredValue(decode)),
        };
    }

    // What the original did is not a matter of choice under --compat.
    private static void RefuseBeside(ParseResult parsed, IReadOnlyList<Option> options)
    {
        foreach (var option in options)
        {
            if (parsed.GetResult(option) is { Implicit: false })
            {
                throw new ArgumentException($"{option.Name} with --compat mirror: the original had no such choice; leave one of them out");
            }
        }
    }
}
