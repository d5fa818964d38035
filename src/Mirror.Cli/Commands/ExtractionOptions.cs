// The options that `match` and `extract` share: where the photographs are and how descriptors are made of them.

using System.CommandLine;
using System.Security.Cryptography;
using Mirror.Photographs;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

internal sealed class ExtractionOptions
{
    private const int MaxBatch = 1024;

    private readonly Option<string> images = new("--images") { Description = "Folder of photographs, or a text file with one path a line", Required = true, HelpName = "DIR|LIST" };
    private readonly Option<string?> root = new("--root") { Description = "Folder that the paths of a list are relative to (default: the list's folder)", HelpName = "DIR" };
    private readonly Option<string> outFolder = new("--out") { Description = "Folder for the results; created when absent", Required = true, HelpName = "DIR" };
    private readonly Option<string?> model = new("--model") { Description = "Model file, safetensors (default: the one that comes with Mirror)", HelpName = "FILE" };
    private readonly Option<int> size = new("--size") { Description = "Side of the square network input in pixels; with --fit whole, of the square of equal area", DefaultValueFactory = _ => 896 };
    private readonly Option<int[]?> regions = new("--regions") { Description = "Steps of the region grids (default: 1,3,5; at --size 224: 1)", CustomParser = CommandValues.IntegerList, HelpName = "1,3,5" };
    private readonly Option<string> pool = CommandValues.Choice("--pool", "How a region is pooled", "max", "max", "avg", "l2", "gem");
    private readonly Option<float?> gemPower = new("--gem-p") { Description = "Power of --pool gem, 1 to 32 (default: 3)", HelpName = "P" };
    private readonly Option<string> fit = CommandValues.Choice("--fit", "crop: the middle square; whole: the entire photograph in its own proportions, at the same cost", "crop", "crop", "whole");
    private readonly Option<bool> multiScale = new("--multi-scale") { Description = "Also see the input subsampled by 2 and 4 (sizes 224, 448, 896, 1024)" };
    private readonly Option<string> exif = CommandValues.Choice("--exif", "Whether EXIF orientation is applied", "apply", "apply", "ignore");
    private readonly Option<string> decode = CommandValues.Choice("--decode", "JPEG files: fast decodes at a reduced scale where the network sees far fewer pixels, exact decodes every pixel", "fast", "fast", "exact");
    private readonly Option<string> precision = CommandValues.Choice("--precision", "Arithmetic of the network", "fp32", "fp32", "bf16", "fp16");
    private readonly Option<int> batch = new("--batch") { Description = "Images the network runs at once", DefaultValueFactory = _ => 1 };
    private readonly Option<bool> strict = new("--strict") { Description = "Stop at the first photograph that cannot be read (default: skip it, exit code 2)" };
    private readonly Option<bool> overwrite = new("--overwrite") { Description = "Replace descriptors made with other settings" };
    private readonly DeviceOptions device = new();

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[images, root, outFolder, model, size, fit, regions, pool, gemPower, multiScale, exif, decode, precision, batch, strict, overwrite])
        {
            command.Options.Add(option);
        }

        device.AddTo(command);
    }

    public string OutFolder(ParseResult parsed) => parsed.GetRequiredValue(outFolder);

    public IReadOnlyList<Photo> Photos(ParseResult parsed)
    {
        var source = parsed.GetRequiredValue(images);
        if (Directory.Exists(source))
        {
            return PhotoCollection.FromDirectory(source).Photos;
        }

        if (!File.Exists(source))
        {
            throw new FileNotFoundException($"--images {source}: no such folder or list file", source);
        }

        return PhotoCollection.FromList(source, parsed.GetValue(root)).Photos;
    }

    /// <summary>Extracts into <paramref name="folder"/>, showing progress; <paramref name="check"/> may refuse the model before. Without
    /// <paramref name="photos"/> those of --images.</summary>
    public (ExtractionReport Report, ExtractionSettings Settings) Run(ParseResult parsed, Device opened, string folder, Terminal terminal, Action<ModelInfo> check, CancellationToken cancellationToken, IReadOnlyList<Photo>? photos = null)
    {
        CommandValues.RequireRange("--size", parsed.GetValue(size), 1, PixelImage.MaxSide);
        CommandValues.RequireRange("--batch", parsed.GetValue(batch), 1, MaxBatch);
        photos ??= Photos(parsed);
        var modelPath = parsed.GetValue(model) ?? DefaultModel.Path;
        using var loaded = Model.Load(modelPath);
        check(loaded.Info);
        var settings = Settings(parsed, loaded.Info.Network, modelPath);
        var run = new ExtractionRun
        {
            Batch = parsed.GetValue(batch),
            Strict = parsed.GetValue(strict),
            Overwrite = parsed.GetValue(overwrite),
            Notice = terminal.Notice,
        };
        terminal.Notice($"{photos.Count} photographs, {settings.Network} at {settings.Size} px, regions {string.Join(',', settings.Regions)}, {CommandValues.Name(settings.Precision)} on {opened.Info.Name}{(opened.Info.IsCuda ? "" : $" ({opened.Info.Threads} threads)")}");
        var report = terminal.Run("images", progress => Extraction.Run(
            opened, loaded, settings, photos, folder, run with { Progress = (done, total) => progress("extract", done, total) }, cancellationToken));
        return (report, settings);
    }

    public Device OpenDevice(ParseResult parsed, Terminal terminal) => device.Open(parsed, terminal);

    private ExtractionSettings Settings(ParseResult parsed, string network, string modelPath)
    {
        var side = parsed.GetValue(size);
        using var stream = File.OpenRead(modelPath);
        var original = CompatOption.IsMirror(parsed);
        if (original)
        {
            RefuseBeside(parsed, decode, fit, gemPower, precision);
        }

        var pooling = CommandValues.Parse<RegionPooling>(parsed.GetRequiredValue(pool));
        if (original && pooling == RegionPooling.Gem)
        {
            throw new ArgumentException("--pool gem with --compat mirror: the original has max, avg and l2");
        }

        return new ExtractionSettings
        {
            Network = network,
            ModelSha256 = Convert.ToHexStringLower(SHA256.HashData(stream)),
            Size = side,
            Fit = CommandValues.Parse<FitMode>(parsed.GetRequiredValue(fit)),
            Regions = parsed.GetValue(regions) is { Length: > 0 } steps && !(original && side == 224) ? steps : ExtractionSettings.DefaultRegions(side),
            Pooling = pooling,
            GemPower = parsed.GetValue(gemPower) ?? (pooling == RegionPooling.Gem ? 3 : null),
            MultiScale = parsed.GetValue(multiScale),
            Precision = CommandValues.Parse<Precision>(parsed.GetRequiredValue(precision)),
            Exif = original && parsed.GetResult(exif) is not { Implicit: false } ? ExifMode.Ignore : CommandValues.Parse<ExifMode>(parsed.GetRequiredValue(exif)),
            Decode = original ? DecodeMode.Ifast : CommandValues.Parse<DecodeMode>(parsed.GetRequiredValue(decode)),
        };
    }

    // What the original did is not a matter of choice under --compat.
    private static void RefuseBeside(ParseResult parsed, params Option[] options)
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
