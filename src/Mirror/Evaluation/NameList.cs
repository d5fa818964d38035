// Names of images as ground truth knows them: the last part of a path, without the extension of an image or of a descriptor file.
// A published name may hold a dot of its own, so no other extension is taken off.

using System.Collections.Frozen;
using Mirror.Photographs;

namespace Mirror.Evaluation;

/// <summary>Names of a list file, one a line; the position is the index that a ranking uses.</summary>
public sealed class NameList
{
    private const long MaxBytes = 256L << 20;

    private static readonly FrozenSet<string> Extensions =
        PhotoCollection.Extensions.Append(".npy").ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private readonly Dictionary<string, int> positions;
    private readonly List<string> names;

    private NameList(string path, List<string> names, Dictionary<string, int> positions)
    {
        Path = path;
        this.names = names;
        this.positions = positions;
    }

    /// <summary>The file, for messages.</summary>
    public string Path { get; }

    /// <summary>Names, without folders and extensions.</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>How many.</summary>
    public int Count => names.Count;

    /// <summary>Reads a list such as <c>images.txt</c>, <c>features.txt</c> or the original's image lists. Empty lines are passed over.</summary>
    /// <exception cref="FileNotFoundException">No such file.</exception>
    /// <exception cref="InvalidDataException">No name in it, one name twice, or too large for a list.</exception>
    public static NameList Read(string path)
    {
        var positions = new Dictionary<string, int>(StringComparer.Ordinal);
        var names = new List<string>();
        foreach (var name in Lines(path))
        {
            if (!positions.TryAdd(name, names.Count))
            {
                throw new InvalidDataException($"{path}: names {positions[name] + 1} and {names.Count + 1} are both '{name}': ground truth could not tell them apart");
            }

            names.Add(name);
        }

        return names.Count > 0 ? new NameList(path, names, positions) : throw new InvalidDataException($"{path} names no image");
    }

    /// <summary>Names of a ground-truth file, where repetition says nothing and no line at all is an answer.</summary>
    internal static HashSet<string> ReadSet(string path) => Lines(path).ToHashSet(StringComparer.Ordinal);

    /// <summary>A path's last part without the extension of an image or of a descriptor file.</summary>
    internal static string Stem(string line)
    {
        var name = line[(line.LastIndexOfAny(['/', '\\']) + 1)..];
        var dot = name.LastIndexOf('.');
        return dot > 0 && Extensions.Contains(name[dot..]) ? name[..dot] : name;
    }

    /// <summary>Whether the list has a name.</summary>
    internal bool Contains(string name) => positions.ContainsKey(name);

    private static IEnumerable<string> Lines(string path)
    {
        var bytes = new FileInfo(path) is { Exists: true } file ? file.Length : throw new FileNotFoundException($"{path}: no such file", path);
        if (bytes > MaxBytes)
        {
            throw new InvalidDataException($"{path}: {bytes} bytes are no list of names (the limit is {MaxBytes})");
        }

        return File.ReadAllText(path).Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0).Select(Stem);
    }
}
