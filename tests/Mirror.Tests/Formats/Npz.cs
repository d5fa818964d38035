// Reads numpy's .npz archives (a zip of .npy files): the golden vectors come in them. Tests only.

using System.IO.Compression;
using Mirror.Formats;

namespace Mirror.Tests.Formats;

internal static class Npz
{
    /// <summary>All arrays by name, without the ".npy" of their entries.</summary>
    public static IReadOnlyDictionary<string, NpyArray> Open(string path)
    {
        using ZipArchive archive = ZipFile.OpenRead(path);
        Dictionary<string, NpyArray> arrays = new(StringComparer.Ordinal);
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            using Stream stream = entry.Open();
            arrays.Add(entry.FullName[..^".npy".Length], NpyFile.Read(stream, entry.Length, $"{path}:{entry.FullName}"));
        }
        return arrays;
    }
}
