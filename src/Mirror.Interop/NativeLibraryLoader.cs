// Finds and loads the native core. The folder in MIRROR_NATIVE_DIR decides alone when it is set; otherwise the first
// existing file of: beside this assembly, runtimes/<rid>/native under it. A file that exists but does not load, or has another
// ABI, is an error and never a reason to try the next one: that would silently run code nobody asked for.
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]

namespace Mirror.Interop;

internal static unsafe class NativeLibraryLoader
{
    /// <summary>The name in every LibraryImport; the resolver knows what file it stands for.</summary>
    internal const string LibraryName = "mirror";

    /// <summary>Environment variable naming the folder of the native library.</summary>
    internal const string DirectoryVariable = "MIRROR_NATIVE_DIR";

    private static readonly Lock Gate = new();
    private static nint s_library;

    /// <summary>libmirror.dll, libmirror.dylib or libmirror.so; not mirror.dll, which would be the managed Mirror.dll on Windows.</summary>
    internal static string FileName =>
        OperatingSystem.IsWindows() ? "libmirror.dll" : OperatingSystem.IsMacOS() ? "libmirror.dylib" : "libmirror.so";

    /// <summary>Hooks the resolver to this assembly; called once, by the static constructor of NativeMethods.</summary>
    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(NativeLibraryLoader).Assembly, Resolve);

    /// <summary>The files to try, in order.</summary>
    /// <param name="nativeDirectory">The value of MIRROR_NATIVE_DIR; null or empty where it is not set.</param>
    /// <param name="assemblyDirectory">The folder of this assembly.</param>
    internal static IReadOnlyList<string> CandidatePaths(string? nativeDirectory, string assemblyDirectory) =>
        string.IsNullOrEmpty(nativeDirectory)
            ? [
                Path.Combine(assemblyDirectory, FileName),
                Path.Combine(assemblyDirectory, "runtimes", RuntimeId(), "native", FileName),
            ]
            : [Path.Combine(Path.GetFullPath(nativeDirectory), FileName)];

    /// <summary>Loads the first file that exists and checks its ABI.</summary>
    /// <exception cref="DllNotFoundException">No file exists, or the first that does cannot be used; lists each path with the reason.</exception>
    internal static nint Load(IReadOnlyList<string> paths)
    {
        var reasons = new StringBuilder();
        Exception? cause = null;
        foreach (string path in paths)
        {
            if (!File.Exists(path))
            {
                reasons.Append($"\n  {path}: no such file");
                continue;
            }

            try
            {
                nint library = NativeLibrary.Load(path);
                uint? abi = AbiOf(library);
                if (abi == NativeConstants.AbiVersion)
                    return library;
                reasons.Append($"\n  {path}: ").Append(abi is null ? "has no mirror_abi_version" : $"has ABI {abi}");
                NativeLibrary.Free(library);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                cause = e;
                reasons.Append($"\n  {path}: {e.Message.ReplaceLineEndings(" ").Trim()}");
            }

            break;
        }

        throw new DllNotFoundException(
            $"Cannot load the native core of Mirror (ABI {NativeConstants.AbiVersion} expected). Tried:{reasons}\n" +
            $"Build it (./build.sh build) or set {DirectoryVariable} to the folder that holds {FileName}.",
            cause);
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != LibraryName)
            return 0;
        lock (Gate)
        {
            if (s_library == 0)
                s_library = Load(CandidatePaths(Environment.GetEnvironmentVariable(DirectoryVariable), AssemblyDirectory()));
            return s_library;
        }
    }

    private static uint? AbiOf(nint library) =>
        NativeLibrary.TryGetExport(library, "mirror_abi_version", out nint address)
            ? ((delegate* unmanaged[Cdecl]<uint>)address)()
            : null;

    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty location, as in a single-file program, is handled: the program's own folder then.")]
    private static string AssemblyDirectory()
    {
        string location = typeof(NativeLibraryLoader).Assembly.Location;
        return location.Length > 0 ? Path.GetDirectoryName(location)! : AppContext.BaseDirectory;
    }

    private static string RuntimeId()
    {
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        string architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        return $"{system}-{architecture}";
    }
}
