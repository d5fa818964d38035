// Writes a file so that its final name never shows half of it: everything goes to a temporary name in the same folder,
// which is flushed to the disk and then renamed. On any failure the temporary file is deleted and an older file is as it was.

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
    public static void Write(string path, Action<Stream> write) => WriteTogether((path, write));

    /// <summary>
    /// <see cref="Write"/> for files that mean something together only: none is renamed before all are complete, and the last, by which the others
    /// are read, is away in between, so that an old file of it never stands beside a new one of them.
    /// </summary>
    /// <exception cref="IOException">As <see cref="Write"/>. All older files are as they were; where one cannot be put back, the message names where it lies.</exception>
    public static void WriteTogether(params (string Path, Action<Stream> Write)[] files)
    {
        Replacement[] replacements = [.. files.Select(file => new Replacement(file.Path))];
        List<string> left = [];
        try
        {
            foreach ((Replacement replacement, (_, Action<Stream> write)) in replacements.Zip(files))
            {
                replacement.Fill(write);
            }
            if (replacements.Length > 1)
            {
                Array.ForEach([.. replacements.Reverse()], replacement => replacement.SetOldAside());
            }
            Array.ForEach(replacements, replacement => replacement.Rename());
        }
        catch (Exception cause)
        {
            bool restored = true;
            foreach (Replacement replacement in replacements)
            {
                restored &= replacement.Undo(restore: restored || replacement != replacements[^1], left);
            }
            if (left.Count > 0)
            {
                throw new IOException($"{cause.Message}; {string.Join("; ", left)}", cause);
            }
            throw;
        }
        Array.ForEach(replacements, replacement => replacement.DeleteOld(left));
        if (left.Count > 0)
        {
            throw new IOException(string.Join("; ", left));
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

    // One file on its way: temporary names beside the final one.
    private sealed class Replacement
    {
        private readonly string _path;
        private readonly string _full;
        private readonly string _folder;
        private readonly string _temporary;
        private readonly string _aside;
        private bool _isAside;
        private bool _isRenamed;

        public Replacement(string path)
        {
            _path = path;
            _full = Path.GetFullPath(path);
            _folder = Path.GetDirectoryName(_full) ?? throw new IOException($"cannot write {path}: it is a folder");
            if (Directory.Exists(_full))
            {
                throw new IOException($"cannot write {path}: a folder has this name");
            }
            string name = Path.Combine(_folder, $".{Path.GetFileName(_full)}.{Path.GetRandomFileName()}");
            (_temporary, _aside) = (name + ".tmp", name + ".old");
        }

        public void Fill(Action<Stream> write) => Explain(() =>
        {
            Directory.CreateDirectory(_folder);
            // Readable too: writers of HDF5 ask for it.
            using FileStream stream = new(_temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 1 << 16);
            write(stream);
            stream.Flush(flushToDisk: true);
        });

        public void SetOldAside() => Explain(() =>
        {
            if (File.Exists(_full))
            {
                File.Move(_full, _aside);
                _isAside = true;
            }
        });

        public void Rename() => Explain(() =>
        {
            File.Move(_temporary, _full, overwrite: true);
            _isRenamed = true;
        });

        // Takes back whatever was done; what cannot be is put into words. Whether the name holds the old file again, or none as before.
        public bool Undo(bool restore, List<string> left)
        {
            if (File.Exists(_temporary))
            {
                Try(() => File.Delete(_temporary), $"{_temporary} cannot be deleted", left);
            }
            if (!_isAside)
            {
                return !_isRenamed || Try(() => File.Delete(_full), $"the new {_path} cannot be deleted", left);
            }
            string place = $"the old {_path} lies in {_aside}";
            if (!restore)
            {
                left.Add($"{place}, as files that belong to it are not back");
                return false;
            }
            return Try(() => File.Move(_aside, _full, overwrite: true), $"{place} and cannot be put back", left);
        }

        public void DeleteOld(List<string> left)
        {
            if (_isAside)
            {
                Try(() => File.Delete(_aside), $"{_path} is written, but the old file cannot be deleted, which lies in {_aside}", left);
            }
        }

        private static bool Try(Action work, string otherwise, List<string> left)
        {
            try
            {
                work();
                return true;
            }
            catch (Exception e) when (e is UnauthorizedAccessException or IOException)
            {
                left.Add($"{otherwise} ({e.Message})");
                return false;
            }
        }

        private void Explain(Action work)
        {
            try
            {
                work();
            }
            catch (Exception e) when (e is UnauthorizedAccessException or IOException)
            {
                throw new IOException($"cannot write {_path}: {e.Message.Replace(_temporary, _full, StringComparison.Ordinal)}", e);
            }
        }
    }
}
