// mirror model: TensorFlow checkpoints -> safetensors, and what is inside a model file.

using System.CommandLine;
using System.Globalization;
using Mirror.Formats;

namespace Mirror.Cli.Commands;

internal static class ModelCommand
{
    private static readonly Argument<string> Source = new("source") { Description = "TensorFlow V2 checkpoint: its prefix, its .index file, or its folder" };
    private static readonly Option<string> Net = new("--net") { Description = "googlenet, half_googlenet, googlenet_bn, googlenet_places, resnet-50, resnet-101 or resnet-152", Required = true, HelpName = "NAME" };
    private static readonly Option<long?> Step = new("--step") { Description = "Training step: reads SOURCE-N", HelpName = "N" };
    private static readonly Option<string> Output = new("--output", "-o") { Description = "Model file to write", Required = true, HelpName = "FILE" };
    private static readonly Option<string?> Origin = new("--origin") { Description = "Free text on where the weights come from (default: the source's name)" };
    private static readonly Argument<string> ModelFile = new("file") { Description = "safetensors file or checkpoint prefix" };
    private static readonly Option<bool> Verify = new("--verify") { Description = "Check every checksum of a checkpoint" };

    public static Command Create()
    {
        var import = new Command("import", "Import a TensorFlow checkpoint") { Source, Net, Step, Output, Origin };
        import.SetAction(Import);
        var info = new Command("info", "List network, tensors, hash and origin") { ModelFile, Verify };
        info.SetAction(Info);
        return new Command("model", "Import and inspect models") { import, info };
    }

    private static int Import(ParseResult parsed)
    {
        var output = parsed.GetRequiredValue(Output);
        var report = ModelImporter.Import(
            parsed.GetRequiredValue(Source), parsed.GetRequiredValue(Net), parsed.GetValue(Step), output, parsed.GetValue(Origin));
        foreach (var warning in report.Warnings)
        {
            Console.Error.WriteLine(warning);
        }

        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Tensors} tensors, {report.Parameters:N0} parameters in {output} ({report.Ignored} other tensors of the checkpoint are not needed)"));
        return ExitCode.Success;
    }

    private static int Info(ParseResult parsed)
    {
        ModelFileInfo.Read(parsed.GetRequiredValue(ModelFile), parsed.GetValue(Verify)).Write(Console.Out);
        return ExitCode.Success;
    }
}
