// mirror export: the chosen pairs of a result, as one program reads them.

using System.CommandLine;
using Mirror.Pairs;
using Mirror.Pairs.Export;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

internal static class ExportCommand
{
    private static readonly Argument<string> Format = CreateFormat();
    private static readonly Argument<string> Result = new("result") { Description = "Folder that mirror match wrote" };
    private static readonly Option<string?> Ids = new("--ids") { Description = "openmvg: sfm_data.json; alicevision: cameraInit.sfm", HelpName = "FILE" };
    private static readonly Option<string?> Database = new("--database") { Description = "colmap: check the pairs against this database.db", HelpName = "FILE" };
    private static readonly Option<string?> Features = new("--features") { Description = $"hloc: write {HlocFeatures.FileName} too, of these descriptors (usually RESULT/features)", HelpName = "DIR" };
    private static readonly Option<string?> Images = new("--images") { Description = "hloc, with --features: the photographs, for their sizes", HelpName = "DIR" };
    private static readonly Option<string?> PositionFile = new("--positions") { Description = "opensfm: table of name, latitude, longitude and altitude (tabs between), for exif_overrides.json", HelpName = "FILE" };
    private static readonly Option<int> LineLimit = new("--line-limit") { Description = "alicevision: most neighbours on a line, for even chunks of work (0: no limit)", DefaultValueFactory = _ => 0 };
    private static readonly Option<string?> Out = new("--out") { Description = "The list to write; other files go beside it (default: RESULT and the format's own name)", HelpName = "FILE" };

    public static Command Create()
    {
        var command = new Command("export", "Write the chosen pairs for another program") { Format, Result, Ids, Database, Features, Images, PositionFile, LineLimit, Out };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(parsed, cancellationToken)));
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        var terminal = new Terminal(json: false);
        var (format, folder) = (parsed.GetRequiredValue(Format), parsed.GetRequiredValue(Result));
        RequireFitting(parsed, format);
        CommandValues.RequireRange("--line-limit", parsed.GetValue(LineLimit), 0, int.MaxValue);
        var export = Read(parsed, folder, format, terminal);
        if (parsed.GetValue(Database) is { } database)
        {
            Tell(ColmapDatabase.Check(database, export), export, terminal);
        }

        var path = parsed.GetValue(Out) ?? Path.Combine(folder, PairExporters.FileName(format));
        using var set = parsed.GetValue(Features) is { } features
            ? FeatureSet.Load(HlocFeatures.Paths(features, export.Names), Aggregation.Sum, null, cancellationToken)
            : null;
        var sizes = set is not null && parsed.GetValue(Images) is { } images ? PhotoSizes.Read(images, export.Names) : null;
        var files = PairExporters.Write(format, path, export, set is null ? [] : [HlocFeatures.File(set, export.Names, sizes)]);
        terminal.Result($"{export.Pairs.Count} pairs of {export.Used.Count} images in {string.Join(" and ", files)}");
        if (set is not null && sizes is null)
        {
            terminal.Notice($"{HlocFeatures.FileName} has no image_size, which needs --images DIR; hloc's pairs_from_retrieval does without");
        }

        var unmeasured = export.Pairs.Count(pair => float.IsNaN(pair.Score));
        if (format == "kapture" && unmeasured > 0)
        {
            terminal.Notice($"{unmeasured} pairs have no measured similarity and got score 0: the format has no empty score");
        }

        return ExitCode.Success;
    }

    private static PairExport Read(ParseResult parsed, string folder, string format, Terminal terminal)
    {
        var (list, candidates) = (Path.Combine(folder, "images.txt"), Path.Combine(folder, PairTableFile.FileName));
        foreach (var file in (string[])[list, candidates])
        {
            if (!File.Exists(file))
            {
                throw new FileNotFoundException($"{file} is missing: it is written by mirror match", file);
            }
        }

        var names = File.ReadAllLines(list);
        var table = PairTableFile.Read(candidates, names);
        var coverage = parsed.GetValue(Ids) is { } ids ? IdFile.Read(ids, PairExporters.Ids(format), names) : null;
        if (coverage is { Strange: > 0 })
        {
            terminal.Notice($"{coverage.Strange} of {coverage.Views} photographs of {parsed.GetValue(Ids)} are not in {folder}: they are in no pair");
        }

        var positions = new Dictionary<int, GeoPosition>();
        if (parsed.GetValue(PositionFile) is { } file2)
        {
            var (found, strange) = Positions.Read(file2, names);
            positions = new Dictionary<int, GeoPosition>(found);
            terminal.Notice($"positions of {found.Count} of {names.Length} images{(strange > 0 ? $"; {strange} lines name no image" : "")}");
        }

        return new PairExport(table) { Ids = coverage?.Ids, Positions = positions, LineLimit = parsed.GetValue(LineLimit) };
    }

    // An option that a format has no use for is a mistake, not a wish.
    private static void RequireFitting(ParseResult parsed, string format)
    {
        foreach (var (option, formats) in ((Option, string[])[])[
            (Ids, ["openmvg", "alicevision"]), (Database, ["colmap"]), (Features, ["hloc"]), (Images, ["hloc"]), (PositionFile, ["opensfm"]), (LineLimit, ["alicevision"])])
        {
            if (parsed.GetResult(option) is { Implicit: false } && !formats.Contains(format))
            {
                throw new ArgumentException($"{option.Name} is for {string.Join(" and ", formats)}, not for {format}");
            }
        }

        if (parsed.GetValue(Images) is not null && parsed.GetValue(Features) is null)
        {
            throw new ArgumentException("--images is for --features: give both");
        }
    }

    private static void Tell(DatabaseCheck check, PairExport export, Terminal terminal)
    {
        terminal.Notice($"the database has all {export.Used.Count} images of the pairs, and {check.Images} in all");
        if (check.WithoutFeatures > 0)
        {
            terminal.Notice($"{check.WithoutFeatures} of them have no key points in it: run colmap feature_extractor first");
        }

        if (check.AlreadyMatched > 0)
        {
            terminal.Notice($"{check.AlreadyMatched} of {export.Pairs.Count} pairs are matched in it already: COLMAP passes over them");
        }
    }

    private static Argument<string> CreateFormat()
    {
        var format = new Argument<string>("format") { Description = "Whose list" };
        format.AcceptOnlyFromAmong([.. PairExporters.Names]);
        return format;
    }
}
