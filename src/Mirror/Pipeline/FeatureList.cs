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

    /// <summary>The folder below which all descriptor files lie that <see cref="Read"/> found, for a summary; null where there is no such folder.</summary>
    /// <param name="source">As given to <see cref="Read"/>.</param>
    /// <param name="root">Likewise.</param>
    /// <param name="paths">What it found.</param>
    /// <param name="seenFrom">Folder that the result is relative to.</param>
    public static string? FolderOf(string source, string? root, IReadOnlyList<string> paths, string seenFrom)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var folder = Path.GetFullPath(Directory.Exists(source) ? source : root ?? Path.GetDirectoryName(Path.GetFullPath(source))!);
        var inside = Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar;
        return paths.All(path => Path.GetFullPath(path).StartsWith(inside, StringComparison.Ordinal)) ? Path.GetRelativePath(Path.GetFullPath(seenFrom), folder) : null;
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
