// Which descriptor files a query compares: a list file, or a folder - in the order of its features.txt where an extraction
// left one, else every .npy below it in byte order.

using System.Text;

namespace Mirror.Pipeline;

/// <summary>Finds descriptor files.</summary>
public static class FeatureList
{
    /// <summary>Paths of the descriptor files that a list or folder names.</summary>
    /// <param name="source">A folder, or a text file with one path a line.</param>
    /// <param name="root">Folder that relative paths of a list start from; null: the list's folder.</param>
    /// <exception cref="FileNotFoundException">No such list or folder, or a listed file is missing: names the line.</exception>
    /// <exception cref="InvalidDataException">Nothing is listed.</exception>
    public static IReadOnlyList<string> Read(string source, string? root = null)
    {
        if (Directory.Exists(source))
        {
            var list = Path.Combine(source, "features.txt");
            return File.Exists(list) ? FromList(list, null) : FromFolder(source);
        }

        return File.Exists(source)
            ? FromList(source, root)
            : throw new FileNotFoundException($"{source}: no such list or folder of descriptors", source);
    }

    /// <summary>The folder that <c>mirror extract</c> wrote descriptor files into, for a summary: the first with an <c>extraction.json</c> from the deepest
    /// folder that holds them all upwards; null where there is none.</summary>
    /// <param name="paths">As from <see cref="Read"/>.</param>
    /// <param name="seenFrom">Folder that the result is relative to.</param>
    public static string? FolderOf(IReadOnlyList<string> paths, string seenFrom)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var folder = paths.Select(path => Path.GetDirectoryName(Path.GetFullPath(path))!).Distinct().Aggregate<string?>(Common);
        for (; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, ExtractionSettings.FileName)))
            {
                return Path.GetRelativePath(Path.GetFullPath(seenFrom), folder);
            }
        }

        return null;

        static string? Common(string? first, string? second)
        {
            while (first is not null && !IsWithin(second!, first))
            {
                first = Path.GetDirectoryName(first);
            }

            return first;
        }

        static bool IsWithin(string path, string folder) =>
            path == folder || path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }

    private static List<string> FromList(string list, string? root)
    {
        var folder = root ?? Path.GetDirectoryName(Path.GetFullPath(list))!;
        var paths = new List<string>();
        var number = 0;
        foreach (var line in File.ReadLines(list))
        {
            number++;
            var entry = line.TrimEnd('\r');
            if (entry.Length == 0)
            {
                continue;
            }

            var path = Path.Combine(folder, entry);
            if (!File.Exists(path))
            {
                throw new FileNotFoundException($"{list}, line {number}: {path} does not exist", path);
            }

            paths.Add(path);
        }

        return paths.Count > 0 ? paths : throw new InvalidDataException($"{list} names no descriptor file");
    }

    private static List<string> FromFolder(string folder)
    {
        var paths = Directory.EnumerateFiles(folder, "*.npy", SearchOption.AllDirectories)
            .OrderBy(path => path, Utf8Order.Instance)
            .ToList();
        return paths.Count > 0 ? paths : throw new InvalidDataException($"{folder} holds no .npy file");
    }

    private sealed class Utf8Order : IComparer<string>
    {
        public static readonly Utf8Order Instance = new();

        public int Compare(string? x, string? y) =>
            Encoding.UTF8.GetBytes(x ?? "").AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y ?? ""));
    }
}
