// A folder of links with names that every program reads, for photographs whose own names some cannot. The photographs stay as they are.

using System.Globalization;
using System.Runtime.InteropServices;
using Mirror.Formats;
using Mirror.Photographs;

namespace Mirror.Pairs.Export;

/// <summary>What was staged.</summary>
/// <param name="Links">Photographs that are links.</param>
/// <param name="Copies">Photographs that had to be copied.</param>
/// <param name="Renamed">Photographs that have another name than before.</param>
/// <param name="Reason">Why links failed; null where none did.</param>
public sealed record StagingReport(int Links, int Copies, int Renamed, string? Reason);

/// <summary>Makes folders of links.</summary>
public static class StagedLinks
{
    /// <summary>Name of the table in the folder: the name there, a tab, and the name of before up to the end of the line.</summary>
    public const string MapName = "names.tsv";

    /// <summary>
    /// Links every photograph below <paramref name="folder"/> by a safe name: letters, digits, '.', '_' and '-' only, folders kept, and every file's
    /// name different from all others without regard to case and folder. Where a link cannot be made, the photograph is copied.
    /// </summary>
    /// <param name="photos">The photographs.</param>
    /// <param name="root">The folder that they were found in.</param>
    /// <param name="folder">An empty folder, or none yet.</param>
    /// <exception cref="IOException">The folder is not empty, or a file cannot be made.</exception>
    /// <exception cref="InvalidDataException">Photographs are gone: how many, and three.</exception>
    public static StagingReport Create(IReadOnlyList<Photo> photos, string root, string folder)
    {
        ArgumentNullException.ThrowIfNull(photos);
        var raw = RawPaths(photos, root);

        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new IOException($"{folder} is not empty: links are made in a folder of their own");
        }

        AtomicFile.CreateFolder(folder);
        var names = SafeNames([.. photos.Select(photo => photo.Name)]);
        var (copies, reason) = (0, (string?)null);
        for (var i = 0; i < names.Count; i++)
        {
            var target = Path.Combine(folder, names[i]);
            AtomicFile.CreateFolder(Path.GetDirectoryName(target)!);
            if (raw.TryGetValue(i, out var bytes))
            {
                if (!RawNames.Link(bytes, target))
                {
                    throw new IOException($"cannot make a link to '{photos[i].Name}', whose name is not UTF-8: {Marshal.GetLastPInvokeErrorMessage()}");
                }
            }
            else if (Link(target, photos[i].Path) is { } failure)
            {
                File.Copy(photos[i].Path, target);
                (copies, reason) = (copies + 1, reason ?? failure);
            }
        }

        AtomicFile.WriteLines(Path.Combine(folder, MapName), names.Select((name, i) => $"{name}\t{photos[i].Name}"));
        return new StagingReport(names.Count - copies, copies, names.Where((name, i) => name != photos[i].Name).Count(), reason);
    }

    /// <summary>One safe name for each name, in order.</summary>
    internal static IReadOnlyList<string> SafeNames(IReadOnlyList<string> names)
    {
        // Names that are safe as they are go first, so that no other takes theirs.
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var safe = new string[names.Count];
        foreach (var i in Enumerable.Range(0, names.Count).OrderBy(i => Sanitize(names[i]) == names[i] ? 0 : 1))
        {
            var wanted = Sanitize(names[i]);
            var slash = wanted.LastIndexOf('/') + 1;
            var (folder, stem, extension) = (wanted[..slash], Path.GetFileNameWithoutExtension(wanted[slash..]), Path.GetExtension(wanted[slash..]));
            safe[i] = wanted;
            for (var number = 2; !taken.Add(safe[i][slash..]); number++)
            {
                safe[i] = string.Create(CultureInfo.InvariantCulture, $"{folder}{stem}_{number}{extension}");
            }
        }

        return safe;
    }

    // The true paths of photographs that cannot be opened by their names as read.
    private static Dictionary<int, byte[]> RawPaths(IReadOnlyList<Photo> photos, string root)
    {
        var paths = new Dictionary<int, byte[]>();
        int[] lost = [.. Enumerable.Range(0, photos.Count).Where(i => !File.Exists(photos[i].Path))];
        var found = lost.Length > 0 ? RawNames.Find(root) : [];
        foreach (var i in lost)
        {
            // Several can read the same: any order will do.
            if (found.TryGetValue(photos[i].Path, out var same) && same.TryDequeue(out var path))
            {
                paths.Add(i, path);
            }
        }

        var gone = lost.Where(i => !paths.ContainsKey(i)).Select(i => photos[i].Name).ToArray();
        return gone.Length == 0 ? paths : throw new InvalidDataException($"{gone.Length} of {photos.Count} photographs are gone from {root}, or cannot be opened by their names on this system ({NameCheck.ListOf(gone)})");
    }

    private static string Sanitize(string name) => string.Join('/', name.Split('/').Select(Part));

    // A leading point would hide the file, a leading hyphen look like an option.
    private static string Part(string part)
    {
        var kept = string.Concat(part.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '_'));
        return kept.StartsWith('.') || kept.StartsWith('-') ? "_" + kept[1..] : kept;
    }

    // The reason why it failed, or null.
    private static string? Link(string link, string target)
    {
        try
        {
            File.CreateSymbolicLink(link, target);
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            return failure.Message;
        }
    }
}
