// Takes a file into memory whole, as the readers of pickles and frozen graphs need it, with its length checked first.

namespace Mirror.Formats;

/// <summary>Whole-file reading.</summary>
internal static class WholeFile
{
    /// <summary>The file's bytes.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is too long for one array.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public static byte[] Read(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
        if (stream.Length > Array.MaxLength)
        {
            throw new InvalidDataException($"{path}: {stream.Length} bytes; at most {Array.MaxLength} can be read");
        }
        byte[] data = new byte[stream.Length];
        stream.ReadExactly(data);
        return data;
    }
}
