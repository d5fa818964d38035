// Names that are no UTF-8. On Linux a name is any bytes; .NET reads those that are no text as U+FFFD and cannot open them again. Only the C library can.

using System.Runtime.InteropServices;
using System.Text;

namespace Mirror.Pairs.Export;

internal static unsafe partial class RawNames
{
    // struct dirent of 64-bit Linux: inode 8, offset 8, length 2, kind 1, then the name, ended by a zero.
    private const int KindAt = 18;
    private const int NameAt = 19;
    private const byte UnknownKind = 0;
    private const byte Folder = 4;

    /// <summary>The true paths of files below a folder whose paths are no UTF-8, by what .NET takes them for; none on other systems than 64-bit Linux. Hidden ones are passed over.</summary>
    public static Dictionary<string, Queue<byte[]>> Find(string root)
    {
        var found = new Dictionary<string, Queue<byte[]>>(StringComparer.Ordinal);
        if (OperatingSystem.IsLinux() && Environment.Is64BitProcess)
        {
            Walk(Encoding.UTF8.GetBytes(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root))), found);
        }

        return found;
    }

    /// <summary>Makes a symbolic link.</summary>
    /// <returns>Whether it was made; if not, <see cref="Marshal.GetLastPInvokeErrorMessage"/> has the reason.</returns>
    public static bool Link(byte[] target, string link)
    {
        fixed (byte* from = Ended(target))
        fixed (byte* to = Ended(Encoding.UTF8.GetBytes(link)))
        {
            return SymbolicLink(from, to) == 0;
        }
    }

    private static bool Walk(byte[] folder, Dictionary<string, Queue<byte[]>> found)
    {
        nint open;
        fixed (byte* path = Ended(folder))
        {
            open = OpenFolder(path);
        }

        if (open == 0)
        {
            return false;
        }

        try
        {
            for (var entry = ReadFolder(open); entry is not null; entry = ReadFolder(open))
            {
                var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + NameAt);
                if (!name.StartsWith("."u8))
                {
                    Visit([.. folder, (byte)'/', .. name], entry[KindAt], found);
                }
            }
        }
        finally
        {
            _ = CloseFolder(open);
        }

        return true;
    }

    private static void Visit(byte[] path, byte kind, Dictionary<string, Queue<byte[]>> found)
    {
        // Some file systems do not tell the kind: what cannot be opened as a folder is a file.
        if (kind is Folder or UnknownKind && Walk(path, found))
        {
            return;
        }

        var read = Encoding.UTF8.GetString(path);
        if (!Encoding.UTF8.GetBytes(read).AsSpan().SequenceEqual(path))
        {
            if (!found.TryGetValue(read, out var paths))
            {
                found[read] = paths = new Queue<byte[]>();
            }

            paths.Enqueue(path);
        }
    }

    private static byte[] Ended(byte[] text) => [.. text, 0];

    [LibraryImport("libc", EntryPoint = "opendir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint OpenFolder(byte* path);

    [LibraryImport("libc", EntryPoint = "readdir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial byte* ReadFolder(nint folder);

    [LibraryImport("libc", EntryPoint = "closedir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CloseFolder(nint folder);

    [LibraryImport("libc", EntryPoint = "symlink", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SymbolicLink(byte* target, byte* link);
}
