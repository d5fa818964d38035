// What an exported ONNX file computes: the options of an extraction that its graph contains.

using System.CommandLine;

namespace Mirror.Cli.Commands;

internal sealed class OnnxOptions
{
    private readonly RegionOptions regions = new("Side of the square input in pixels", " (--format onnx)");
    private readonly Option<int?> height = new("--height") { Description = "Rows of an input that is not square; --size is then its width (--format onnx)", HelpName = "N" };

    public void AddTo(Command command)
    {
        Option[] options = [.. regions.All, height];
        Array.ForEach(options, command.Options.Add);
        command.Validators.Add(result =>
        {
            var given = Array.Find(options, option => result.GetResult(option) is { Implicit: false });
            if (given is not null && !result.Children.Any(child => child is System.CommandLine.Parsing.OptionResult { Option.Name: "--format" } format && format.GetValueOrDefault<string>() == "onnx"))
            {
                result.AddError($"{given.Name} belongs to --format onnx");
            }
        });
    }

    public ExtractorOptions Read(ParseResult parsed)
    {
        var (pooling, gemPower) = regions.Pooling(parsed);
        var options = new ExtractorOptions
        {
            Width = regions.Size(parsed),
            Height = parsed.GetValue(height) ?? regions.Size(parsed),
            Steps = regions.Steps(parsed),
            Pooling = pooling,
            Fit = regions.Fit(parsed),
            MultiScale = regions.MultiScale(parsed),
        };
        return gemPower is { } power ? options with { GemPower = power } : options;
    }
}
