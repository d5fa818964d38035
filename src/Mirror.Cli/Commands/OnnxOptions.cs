// What an exported ONNX file computes: the options of an extraction that its graph contains.

using System.CommandLine;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

internal sealed class OnnxOptions
{
    private readonly Option<int> size = new("--size") { Description = "onnx: side of the square input in pixels", DefaultValueFactory = _ => 896 };
    private readonly Option<int?> height = new("--height") { Description = "onnx: rows of an input that is not square; --size is then its width", HelpName = "N" };
    private readonly Option<int[]?> regions = new("--regions") { Description = "onnx: steps of the region grids (default: 1,3,5; at --size 224: 1)", CustomParser = CommandValues.IntegerList, HelpName = "1,3,5" };
    private readonly Option<string> pool = CommandValues.Choice("--pool", "onnx: how a region is pooled", "max", "max", "avg", "l2", "gem");
    private readonly Option<float> gemPower = new("--gem-p") { Description = "onnx: power of --pool gem, 1 to 32", HelpName = "P", DefaultValueFactory = _ => 3 };
    private readonly Option<string> fit = CommandValues.Choice("--fit", "onnx: the regions of cropped or of whole photographs", "crop", "crop", "whole");
    private readonly Option<bool> multiScale = new("--multi-scale") { Description = "onnx: also the input subsampled by 2 and 4" };

    public void AddTo(Command command)
    {
        Option[] options = [size, height, regions, pool, gemPower, fit, multiScale];
        Array.ForEach(options, command.Options.Add);
        command.Validators.Add(result =>
        {
            var given = Array.Find(options, option => result.GetResult(option) is { Implicit: false });
            if (given is not null && !result.Children.Any(child => child is System.CommandLine.Parsing.OptionResult { Option.Name: "--format" } format && format.GetValueOrDefault<string>() == "onnx"))
            {
                result.AddError($"{given.Name} belongs to --format onnx");
            }

            if (result.GetResult(gemPower) is { Implicit: false } && result.GetValue(pool) != "gem")
            {
                result.AddError("--gem-p belongs to --pool gem");
            }
        });
    }

    public ExtractorOptions Read(ParseResult parsed) => new()
    {
        Width = parsed.GetValue(size),
        Height = parsed.GetValue(height) ?? parsed.GetValue(size),
        Steps = parsed.GetValue(regions) is { Length: > 0 } steps ? steps : ExtractionSettings.DefaultRegions(parsed.GetValue(size)),
        Pooling = CommandValues.Parse<RegionPooling>(parsed.GetRequiredValue(pool)),
        GemPower = parsed.GetValue(gemPower),
        Fit = CommandValues.Parse<FitMode>(parsed.GetRequiredValue(fit)),
        MultiScale = parsed.GetValue(multiScale),
    };
}
