// Where tests find their files: the repository root, tests/data in it, and the shared folder beside it.
//
// The shared folder (golden vectors, photographs) is no part of the repository: MIRROR_SHARED names it, else it is ../shared
// seen from the root. A test that needs what is absent is skipped with the reason printed, never passed silently.

using System.Runtime.CompilerServices;
using NUnit.Framework;

namespace Mirror.Tests.TestSupport;

/// <summary>Paths of the repository and of the shared folder.</summary>
internal static class Paths
{
    private static readonly Lazy<string> LazyRoot = new(() => FindRoot());

    /// <summary>The repository root: the folder that holds CMakeLists.txt and Mirror.sln.</summary>
    public static string Root => LazyRoot.Value;

    /// <summary>The shared folder (MIRROR_SHARED or ../shared); it need not exist.</summary>
    public static string Shared =>
        Environment.GetEnvironmentVariable("MIRROR_SHARED") is { Length: > 0 } folder
            ? Path.GetFullPath(folder)
            : Path.GetFullPath(Path.Combine(Root, "..", "shared"));

    /// <summary>A file or folder of tests/data, which is part of the repository and must exist.</summary>
    public static string Data(string relative) => Existing(Path.Combine(Root, "tests", "data", relative));

    /// <summary>A file or folder below the root that must exist.</summary>
    public static string InRoot(string relative) => Existing(Path.Combine(Root, relative));

    /// <summary>
    /// A file, folder or checkpoint prefix (then PREFIX.index must exist) of the shared folder;
    /// skips the running test where it is absent.
    /// </summary>
    public static string SharedOrSkip(string relative)
    {
        string path = Path.Combine(Shared, relative);
        if (!Path.Exists(path) && !File.Exists(path + ".index"))
        {
            string reason = $"skipped: {relative} is not in the shared folder {Shared} (set MIRROR_SHARED)";
            TestContext.Out.WriteLine(reason);
            Assert.Ignore(reason);
        }
        return path;
    }

    /// <summary>A new empty folder for the running test; the caller deletes it by disposing.</summary>
    public static TempFolder NewTempFolder() => new();

    private static string Existing(string path) =>
        Path.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing from the repository.", path);

    // The build output may lie outside the repository (ArtifactsPath), hence the source file's own place as the last resort.
    private static string FindRoot([CallerFilePath] string source = "")
    {
        string[] starts = [AppContext.BaseDirectory, Environment.CurrentDirectory, Path.GetDirectoryName(source) ?? ""];
        foreach (string start in starts)
        {
            for (DirectoryInfo? folder = start.Length > 0 ? new DirectoryInfo(start) : null; folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "CMakeLists.txt")) && File.Exists(Path.Combine(folder.FullName, "Mirror.sln")))
                {
                    return folder.FullName;
                }
            }
        }
        throw new DirectoryNotFoundException(
            $"The repository root (CMakeLists.txt beside Mirror.sln) is not above any of: {string.Join(", ", starts)}.");
    }
}

/// <summary>A temporary folder that is deleted with its contents when disposed.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mirror-test-");

    /// <summary>The folder's absolute path.</summary>
    public string Root => _folder.FullName;

    /// <summary>The path of a file or folder inside, whether it exists or not.</summary>
    public string File(string name) => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);
}
