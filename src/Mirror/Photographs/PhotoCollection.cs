// The photographs of a run, in a fixed order: a folder's, sorted by the bytes of their names so that no locale changes an index,
// or a list's, in the order of its lines. Everything that can be wrong with the names is found here, before hours of work.

using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.IO.Enumeration;
using System.Text;

namespace Mirror.Photographs;

/// <summary>An ordered collection of photographs.</summary>
[SuppressMessage("Naming", "CA1711", Justification = "A collection is what photographers call it; Photos is the list.")]
public sealed class PhotoCollection
{
    private static readonly string[] KnownExtensions =
    [
        ".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".jp2", ".heic", ".heif", ".avif", ".jxl",
        ".ppm", ".pgm", ".pnm", ".psd",
    ];

    private static readonly FrozenSet<string> ExtensionSet =
        KnownExtensions.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private PhotoCollection(string root, IReadOnlyList<Photo> photos, int ignoredFiles)
    {
        Root = root;
        Photos = photos;
        IgnoredFiles = ignoredFiles;
        NamesWithSpaces = photos.Count(photo => photo.Name.Contains(' ', StringComparison.Ordinal));
    }

    /// <summary>The file extensions that <see cref="FromDirectory"/> looks for, with the dot, in any case.</summary>
    public static IReadOnlyList<string> Extensions => KnownExtensions;

    /// <summary>The folder that the names are relative to, absolute.</summary>
    public string Root { get; }

    /// <summary>The photographs; <see cref="Photo.Index"/> equals the position. Never empty.</summary>
    public IReadOnlyList<Photo> Photos { get; }

    /// <summary>How many files of the folder were passed over because of their extension; hidden files are not counted.</summary>
    public int IgnoredFiles { get; }

    /// <summary>How many names contain a space: other programs that read pair lists may split them.</summary>
    public int NamesWithSpaces { get; }

    /// <summary>
    /// All photographs of a folder and of the folders in it, sorted by the UTF-8 bytes of their '/'-separated relative paths.
    /// Hidden files and folders are passed over, links to folders are not followed.
    /// </summary>
    /// <param name="directory">The folder.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">It holds no file with a known extension, or a name holds a line break.</exception>
    /// <exception cref="IOException">A folder in it cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder in it may not be read.</exception>
    public static PhotoCollection FromDirectory(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        string root = Path.GetFullPath(directory);
        if (!Directory.Exists(root))
        {
            throw new DirectoryNotFoundException($"{directory}: no such folder");
        }

        var found = new List<(byte[] Key, string Name, string Path)>();
        int ignored = 0;
        foreach (string path in Files(root))
        {
            if (!ExtensionSet.Contains(Path.GetExtension(path)))
            {
                ignored++;
                continue;
            }

            string name = NameOf(root, path);
            if (name.AsSpan().IndexOfAny('\n', '\r') >= 0)
            {
                throw new InvalidDataException(
                    $"{directory}: the name of {path.ReplaceLineEndings("\\n")} holds a line break: rename it, result files have one name a line");
            }

            found.Add((Encoding.UTF8.GetBytes(name), name, path));
        }

        if (found.Count == 0)
        {
            throw new InvalidDataException(
                $"{directory}: no photographs in this folder or below it ({ignored} other files; looked for {string.Join(' ', KnownExtensions)})");
        }

        found.Sort((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
        return new PhotoCollection(root, [.. found.Select((item, index) => new Photo(index, item.Name, item.Path))], ignored);
    }

    /// <summary>
    /// The photographs that a text file lists, one path a line, in its order. UTF-8, with or without byte order mark; a line is taken
    /// as it stands except for a carriage return at its end; empty lines are passed over.
    /// </summary>
    /// <param name="listFile">The text file.</param>
    /// <param name="root">The folder that relative lines start from; null: the folder of the list.</param>
    /// <exception cref="FileNotFoundException">The list is absent.</exception>
    /// <exception cref="InvalidDataException">
    /// The list is empty or no text, names files that do not exist, or names a file twice. The message gives line numbers.
    /// </exception>
    public static PhotoCollection FromList(string listFile, string? root = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(listFile);
        string list = Path.GetFullPath(listFile);
        if (!File.Exists(list))
        {
            throw new FileNotFoundException($"{listFile}: no such list file", listFile);
        }

        string folder = Path.GetFullPath(root ?? Path.GetDirectoryName(list) ?? ".");
        IReadOnlyList<string> paths = PhotoList.Read(listFile, list, folder);
        return new PhotoCollection(folder, [.. paths.Select((path, index) => new Photo(index, NameOf(folder, path), path))], ignoredFiles: 0);
    }

    private static FileSystemEnumerable<string> Files(string root)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = false,
            AttributesToSkip = FileAttributes.Hidden,
        };
        return new FileSystemEnumerable<string>(root, (ref FileSystemEntry entry) => entry.ToFullPath(), options)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
            ShouldRecursePredicate = (ref FileSystemEntry entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0,
        };
    }

    private static string NameOf(string root, string path)
    {
        string relative = Path.GetRelativePath(root, path);
        bool outside = Path.IsPathRooted(relative) || relative == ".."
            || relative.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal);
        if (outside)
        {
            relative = path[(Path.GetPathRoot(path)?.Length ?? 0)..];
        }

        return Path.DirectorySeparatorChar == '/' ? relative : relative.Replace(Path.DirectorySeparatorChar, '/');
    }
}
