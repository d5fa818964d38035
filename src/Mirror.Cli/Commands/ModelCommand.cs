// mirror model: models in any format -> safetensors, back to TensorFlow, and what is inside a model file.

using System.CommandLine;
using System.Globalization;
using Mirror.Export;
using Mirror.Formats;

namespace Mirror.Cli.Commands;

internal static class ModelCommand
{
    private static readonly Argument<string> Source = new("source") { Description = "TensorFlow V2 checkpoint (its prefix, its .index file, or its folder), V1 checkpoint, frozen graph (.pb) or numpy dictionary (.npy)" };
    private static readonly Option<string?> Net = new("--net") { Description = "Take the variables of this network: googlenet, half_googlenet, googlenet_bn, googlenet_places, resnet-50, resnet-101 or resnet-152", HelpName = "NAME" };
    private static readonly Option<bool> All = new("--all") { Description = "In place of --net: keep every tensor as it is stored" };
    private static readonly Option<long?> Step = new("--step") { Description = "Training step: reads SOURCE-N", HelpName = "N" };
    private static readonly Option<string> Output = new("--output", "-o") { Description = "Model file to write", Required = true, HelpName = "FILE" };
    private static readonly Option<string?> Origin = new("--origin") { Description = "Free text on where the weights come from (default: the source's name)" };
    private static readonly Argument<string> ModelFile = new("file") { Description = "safetensors file, or anything that import takes" };
    private static readonly Option<bool> Verify = new("--verify") { Description = "Check every checksum of a checkpoint" };
    private static readonly Argument<string> Exported = new("file") { Description = "safetensors file" };
    private static readonly Option<string> Format = CommandValues.Choice("--format", "tensorflow: a V2 checkpoint; onnx: from the preprocessed picture to the region vectors", "tensorflow", "tensorflow", "onnx");
    private static readonly Option<string> ExportOutput = new("--output", "-o") { Description = "What to write: the prefix of a checkpoint's files, or the ONNX file", Required = true, HelpName = "PATH" };

    private static readonly OnnxOptions Onnx = new();

    public static Command Create()
    {
        var import = new Command("import", "Import a checkpoint, frozen graph or numpy dictionary") { Source, Net, All, Step, Output, Origin };
        import.Validators.Add(result =>
        {
            if (result.GetResult(Net) is null == !result.GetValue(All))
            {
                result.AddError("import needs one of --net NAME and --all");
            }
        });
        import.SetAction(Import);
        var export = new Command("export", "Write a model in another format") { Exported, Format, ExportOutput };
        Onnx.AddTo(export);
        export.SetAction(Export);
        var info = new Command("info", "List network, tensors, hash and origin") { ModelFile, Verify };
        info.SetAction(Info);
        return new Command("model", "Import, export and inspect models") { import, export, info };
    }

    private static int Import(ParseResult parsed)
    {
        var (source, step) = (parsed.GetRequiredValue(Source), parsed.GetValue(Step));
        var (output, origin) = (parsed.GetRequiredValue(Output), parsed.GetValue(Origin));
        var report = parsed.GetValue(Net) is { } network
            ? ModelImporter.Import(source, network, step, output, origin)
            : ModelImporter.ImportAll(source, step, output, origin);
        foreach (var line in report.Warnings.Concat(report.Notes))
        {
            Console.Error.WriteLine(line);
        }

        var ignored = report.Network is null ? "every tensor is kept" : $"{report.Ignored} other tensors are not needed";
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Tensors} tensors, {report.Parameters:N0} parameters in {output} (from a {report.Kind}; {ignored})"));
        return ExitCode.Success;
    }

    private static int Export(ParseResult parsed)
    {
        var (file, output) = (parsed.GetRequiredValue(Exported), parsed.GetRequiredValue(ExportOutput));
        switch (parsed.GetRequiredValue(Format))
        {
            case "tensorflow":
                var report = BundleWriter.Write(file, output);
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Tensors} tensors, {report.Parameters:N0} parameters in {string.Join(" and ", report.Files)}"));
                return ExitCode.Success;
            case "onnx":
                var onnx = OnnxExporter.Export(file, Onnx.Read(parsed), output);
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{onnx.Network}: {onnx.Nodes} nodes, descriptors [N, {onnx.Regions}, {onnx.Dimension}] in {output} ({onnx.Bytes:N0} bytes)"));
                return ExitCode.Success;
            case var format:
                throw new ArgumentException($"--format {format} is not written");
        }
    }

    private static int Info(ParseResult parsed)
    {
        ModelFileInfo.Read(parsed.GetRequiredValue(ModelFile), parsed.GetValue(Verify)).Write(Console.Out);
        return ExitCode.Success;
    }
}
