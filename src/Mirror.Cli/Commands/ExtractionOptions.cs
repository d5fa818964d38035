// The options that `match` and `extract` share: where the photographs are and how descriptors are made of them.

using System.CommandLine;
using Mirror.Evaluation;
using Mirror.Photographs;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

internal sealed class ExtractionOptions
{
    private const int MaxBatch = 1024;

    private readonly Option<string> images = new("--images") { Description = "Folder of photographs, or a text file with one path a line", Required = true, HelpName = "DIR|LIST" };
    private readonly Option<string?> root = new("--root") { Description = "Folder that the paths of a list are relative to (default: the list's folder)", HelpName = "DIR" };
    private readonly Option<string> outFolder = new("--out") { Description = "Folder for the results; created when absent", Required = true, HelpName = "DIR" };
    private readonly DescriptorOptions descriptors = new();
    private readonly Option<int> batch = new("--batch") { Description = "Images the network runs at once", DefaultValueFactory = _ => 1 };
    private readonly Option<bool> strict = new("--strict") { Description = "Stop at the first photograph that cannot be read (default: skip it, exit code 2)" };
    private readonly Option<bool> overwrite = new("--overwrite") { Description = "Replace descriptors made with other settings" };
    private readonly DeviceOptions device = new();

    public void AddTo(Command command)
    {
        Array.ForEach<Option>([images, root, outFolder], command.Options.Add);
        descriptors.AddTo(command);
        Array.ForEach<Option>([batch, strict, overwrite], command.Options.Add);
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

    /// <summary>Extracts into <paramref name="folder"/>, showing progress.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="opened">Where to compute.</param>
    /// <param name="folder">Folder of the descriptors.</param>
    /// <param name="terminal">For progress and notices.</param>
    /// <param name="begin">See <see cref="ExtractionRun.Begin"/>.</param>
    /// <param name="queries">The query pictures to extract, and what they are; null: the photographs of --images.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public (ExtractionReport Report, ExtractionSettings Settings) Run(
        ParseResult parsed,
        Device opened,
        string folder,
        Terminal terminal,
        Action<int, ExtractorInfo>? begin,
        (IReadOnlyList<Photo> Photos, OxfordQueryPicture Picture)? queries,
        CancellationToken cancellationToken)
    {
        CommandValues.RequireRange("--batch", parsed.GetValue(batch), 1, MaxBatch);
        var photos = queries?.Photos ?? Photos(parsed);
        NamesCommand.Warn(photos, terminal);
        using var loaded = Model.Load(descriptors.ModelPath(parsed));
        var settings = descriptors.Settings(parsed, loaded.Info.Network) with { OxfordQueries = queries?.Picture };
        var run = new ExtractionRun
        {
            Batch = parsed.GetValue(batch),
            Strict = parsed.GetValue(strict),
            Overwrite = parsed.GetValue(overwrite),
            Notice = terminal.Notice,
            Begin = begin,
        };
        terminal.Notice($"{photos.Count} photographs, {settings.Network} at {settings.Size} px, regions {string.Join(',', settings.Regions)}, {CommandValues.Name(settings.Precision)} on {opened.Info.Name}{(opened.Info.IsCuda ? "" : $" ({opened.Info.Threads} threads)")}");
        var report = terminal.Run("images", progress => Extraction.Run(
            opened, loaded, settings, photos, folder, run with { Progress = (done, total) => progress("extract", done, total) }, cancellationToken));
        return (report, settings);
    }

    public Device OpenDevice(ParseResult parsed, Terminal terminal) => device.Open(parsed, terminal);
}
