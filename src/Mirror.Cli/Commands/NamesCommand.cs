// mirror names: which programs could not read the names of photographs, and a folder of links with names that all can.

using System.CommandLine;
using Mirror.Pairs.Export;
using Mirror.Photographs;

namespace Mirror.Cli.Commands;

internal static class NamesCommand
{
    private static readonly Argument<string> Images = new("images") { Description = "Folder of photographs" };
    private static readonly Option<string?> StageLinks = new("--stage-links") { Description = "Make links with safe names in this folder, which must be empty or absent", HelpName = "DIR" };

    public static Command Create()
    {
        var command = new Command("names", "Check the names of photographs, and stage links with safe ones") { Images, StageLinks };
        command.SetAction(Run);
        return command;
    }

    /// <summary>A line on standard error for each kind of name that some format cannot carry.</summary>
    public static void Warn(IReadOnlyList<Photo> photos, Terminal terminal)
    {
        foreach (var line in Describe(photos))
        {
            terminal.Notice(line);
        }
    }

    private static int Run(ParseResult parsed)
    {
        var terminal = new Terminal(json: false);
        var source = parsed.GetRequiredValue(Images);
        var photos = PhotoCollection.FromDirectory(source).Photos;
        var lines = Describe(photos);
        foreach (var line in lines.Count > 0 ? lines : [$"every format can carry the names of all {photos.Count} photographs"])
        {
            terminal.Result(line);
        }

        if (parsed.GetValue(StageLinks) is { } folder)
        {
            RequireOutside(source, folder);
            var report = StagedLinks.Create(photos, source, folder);
            terminal.Result($"{report.Links} links and {report.Copies} copies in {folder}, {report.Renamed} with another name: see {Path.Combine(folder, StagedLinks.MapName)}");
            if (report.Reason is { } reason)
            {
                terminal.Notice($"links could not be made ({reason}): {report.Copies} photographs were copied");
            }
        }

        return ExitCode.Success;
    }

    private static IReadOnlyList<string> Describe(IReadOnlyList<Photo> photos)
    {
        string[] names = [.. photos.Select(photo => photo.Name)];
        var lines = NameCheck.Describe(NameCheck.Find(names), names);
        return lines.Count > 0 ? [.. lines, NameCheck.Remedy] : lines;
    }

    // Links among the photographs would be photographs themselves the next time.
    private static void RequireOutside(string images, string folder)
    {
        var inside = Path.TrimEndingDirectorySeparator(Path.GetFullPath(images)) + Path.DirectorySeparatorChar;
        if ((Path.GetFullPath(folder) + Path.DirectorySeparatorChar).StartsWith(inside, StringComparison.Ordinal))
        {
            throw new ArgumentException($"--stage-links {folder} lies in {images}: choose a folder outside");
        }
    }
}
