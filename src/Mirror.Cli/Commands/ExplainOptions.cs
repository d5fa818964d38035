// How `mirror explain` describes its two photographs: the options of an extraction that make sense for two, and a whitening.

using System.CommandLine;
using Mirror.Explain;
using Mirror.Photographs;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

internal sealed class ExplainOptions
{
    private readonly Option<string?> model = new("--model") { Description = "Model file, safetensors (default: the one that comes with Mirror)", HelpName = "FILE" };
    private readonly Option<int> size = new("--size") { Description = "Side of the square network input in pixels", DefaultValueFactory = _ => 896 };
    private readonly Option<int[]?> regions = new("--regions") { Description = "Steps of the region grids (default: 1,3,5; at --size 224: 1)", CustomParser = CommandValues.IntegerList, HelpName = "1,3,5" };
    private readonly Option<string> pool = CommandValues.Choice("--pool", "How a region is pooled", "max", "max", "avg", "l2");
    private readonly Option<bool> multiScale = new("--multi-scale") { Description = "Also see the input subsampled by 2 and 4 (sizes 224, 448, 896, 1024)" };
    private readonly Option<string> exif = CommandValues.Choice("--exif", "Whether EXIF orientation is applied", "apply", "apply", "ignore");
    private readonly Option<string?> whitening = new("--whitening") { Description = "A saved whitening, as mirror match --save-whitening leaves it", HelpName = "FILE" };
    private readonly DeviceOptions device = new();

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[model, size, regions, pool, multiScale, exif, whitening])
        {
            command.Options.Add(option);
        }

        device.AddTo(command);
    }

    public Device OpenDevice(ParseResult parsed, Terminal terminal) => device.Open(parsed, terminal);

    public DecodedPhoto Decode(ParseResult parsed, string path) => PhotoDecoder.Decode(path, CommandValues.Parse<ExifMode>(parsed.GetRequiredValue(exif)));

    /// <summary>Unit-length, whitened region vectors of each image [R, dimension], and where the regions lie.</summary>
    public (float[][] Regions, RegionGeometry Geometry, int Dimension) Describe(ParseResult parsed, Device opened, IReadOnlyList<PixelImage> images, CancellationToken cancellationToken)
    {
        CommandValues.RequireRange("--size", parsed.GetValue(size), 1, PixelImage.MaxSide);
        using var fitted = parsed.GetValue(whitening) is { } file ? WhiteningFile.Load(file) : null;
        using var loaded = Model.Load(parsed.GetValue(model) ?? DefaultModel.Path);
        if (fitted is not null && fitted.InputDimension != loaded.Info.Channels)
        {
            throw new InvalidDataException($"{parsed.GetValue(whitening)} whitens {fitted.InputDimension} dimensions, the model has {loaded.Info.Channels}: fit a whitening on descriptors of the same network");
        }

        var side = parsed.GetValue(size);
        var options = new ExtractorOptions
        {
            Width = side,
            Height = side,
            Pooling = CommandValues.Parse<RegionPooling>(parsed.GetRequiredValue(pool)),
            MultiScale = parsed.GetValue(multiScale),
            Steps = parsed.GetValue(regions) is { Length: > 0 } steps ? steps : ExtractionSettings.DefaultRegions(side),
        };
        using var extractor = new Extractor(opened, loaded, options);
        var info = extractor.Info;
        var vectors = images.Select(image =>
        {
            var raw = new float[checked(info.Regions * info.Dimension)];
            extractor.Run([image], raw, null, cancellationToken);
            return Finish(opened, raw, info.Dimension, fitted);
        }).ToArray();
        var maps = Enumerable.Range(0, info.Scales).Select(scale => scale == 0 ? (info.MapHeight, info.MapWidth) : Map(opened, loaded, options, side >> scale)).ToArray();
        return (vectors, new RegionGeometry(side, side, maps, options.Steps), fitted?.OutputDimension ?? info.Dimension);
    }

    // The shape of a smaller scale's map is what an extractor of that size has.
    private static (int Height, int Width) Map(Device opened, Model loaded, ExtractorOptions options, int side)
    {
        using var smaller = new Extractor(opened, loaded, options with { Width = side, Height = side, MultiScale = false });
        return (smaller.Info.MapHeight, smaller.Info.MapWidth);
    }

    private static float[] Finish(Device opened, float[] raw, int dimension, Whitening? fitted)
    {
        Operations.L2Normalize(opened, raw, dimension, raw);
        if (fitted is null)
        {
            return raw;
        }

        var whitened = new float[checked(raw.Length / dimension * fitted.OutputDimension)];
        fitted.Apply(opened, raw, whitened);
        return whitened;
    }
}
