// Reads a list of photographs and reports everything wrong with it at once: a list of ten thousand lines with three bad ones
// should cost its author one correction, not three.

using System.Text;

namespace Mirror.Photographs;

/// <summary>Parses list files, one path a line.</summary>
internal static class PhotoList
{
    private const int Named = 5;
    private const long MaxBytes = 256L << 20;

    /// <summary>The absolute paths of a list, in its order; all exist and all differ.</summary>
    /// <param name="name">The list as the user named it, for messages.</param>
    /// <param name="path">The list file.</param>
    /// <param name="root">The folder that relative lines start from, absolute.</param>
    /// <exception cref="InvalidDataException">The list is empty, no text, or names absent files or one file twice.</exception>
    internal static IReadOnlyList<string> Read(string name, string path, string root)
    {
        long bytes = new FileInfo(path).Length;
        if (bytes > MaxBytes)
        {
            throw new InvalidDataException($"{name}: {bytes} bytes are no list of photographs (the limit is {MaxBytes})");
        }

        var paths = new List<string>();
        var lineOf = new Dictionary<string, int>(StringComparer.Ordinal);
        var missing = new List<string>();
        var repeated = new List<string>();
        int number = 0;
        using var reader = new StreamReader(path, Encoding.UTF8);
        foreach (string line in Lines(reader))
        {
            number++;
            if (line.Length == 0)
            {
                continue;
            }

            if (line.Contains('\0', StringComparison.Ordinal))
            {
                throw new InvalidDataException($"{name}: line {number} holds a zero byte: this is no text file");
            }

            string full = Path.GetFullPath(line, root);
            if (!lineOf.TryAdd(full, number))
            {
                repeated.Add($"lines {lineOf[full]} and {number}: {line}");
            }
            else if (!File.Exists(full))
            {
                missing.Add($"line {number}: {line}{(Directory.Exists(full) ? " (a folder)" : "")}");
            }
            else
            {
                paths.Add(full);
            }
        }

        Refuse(name, missing, $"{missing.Count} of {lineOf.Count} files do not exist below {root}");
        Refuse(name, repeated, $"{repeated.Count} photographs are listed twice");
        return paths.Count > 0 ? paths : throw new InvalidDataException($"{name}: the list names no photograph");
    }

    // Only '\n' ends a line: StreamReader.ReadLine would also split at a lone '\r', which may be part of a name.
    private static IEnumerable<string> Lines(StreamReader reader)
    {
        string[] lines = reader.ReadToEnd().Split('\n');
        return lines.Select(line => line.EndsWith('\r') ? line[..^1] : line);
    }

    private static void Refuse(string list, List<string> findings, string summary)
    {
        if (findings.Count > 0)
        {
            string more = findings.Count > Named ? $"; and {findings.Count - Named} more" : "";
            throw new InvalidDataException($"{list}: {summary}: {string.Join("; ", findings.Take(Named))}{more}");
        }
    }
}
