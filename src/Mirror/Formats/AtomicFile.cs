// Writes a file so that its final name never shows half of it: everything goes to a temporary name in the same folder,
// which is flushed to the disk and then renamed. On any failure the temporary file is deleted and an older file stays as it was.

using System.Text;

namespace Mirror.Formats;

/// <summary>Whole-file replacement.</summary>
internal static class AtomicFile
{
    // Other programs read these files byte by byte: no byte-order mark.
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Writes text as UTF-8 without byte-order mark.</summary>
    /// <exception cref="IOException">As <see cref="Write"/>.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Utf8.GetBytes(text)));

    /// <summary>Writes lines, each ended by a single line feed, as UTF-8 without byte-order mark.</summary>
    /// <exception cref="IOException">As <see cref="Write"/>.</exception>
    public static void WriteLines(string path, IEnumerable<string> lines) => Write(path, stream =>
    {
        using StreamWriter writer = new(stream, Utf8, leaveOpen: true) { NewLine = "\n" };
        foreach (string line in lines)
        {
            writer.WriteLine(line);
        }
    });

    /// <summary>Creates the parent folders, calls <paramref name="write"/> with the temporary file, then renames it to <paramref name="path"/>.</summary>
    /// <exception cref="IOException">The file cannot be created, written or renamed; the message names <paramref name="path"/> and the reason.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full) ?? throw new IOException($"cannot write {path}: it is a folder");
        if (Directory.Exists(full))
        {
            throw new IOException($"cannot write {path}: a folder has this name");
        }
        string temporary = Path.Combine(folder, $".{Path.GetFileName(full)}.{Path.GetRandomFileName()}.tmp");
        bool done = false;
        try
        {
            Directory.CreateDirectory(folder);
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, full, overwrite: true);
            done = true;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new IOException($"cannot write {path}: {e.Message.Replace(temporary, full, StringComparison.Ordinal)}", e);
        }
        finally
        {
            // Deleting a file that is not there is no error, unless its folder is missing too.
            if (!done && Directory.Exists(folder))
            {
                File.Delete(temporary);
            }
        }
    }

    /// <summary>Creates a folder and its parents.</summary>
    /// <exception cref="IOException">It cannot be created; the message names it and the reason.</exception>
    public static void CreateFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new IOException($"cannot create the folder {folder} ({e.Message}): choose another", e);
        }
    }
}
