// Finds the repository's root from wherever the tests were built to: the folder above that holds CMakeLists.txt and native/.
// Builds outside the repository find it through this file's path as the compiler recorded it.
using System.Runtime.CompilerServices;

namespace Mirror.Interop.Tests;

internal static class Repository
{
    internal static string Path(params string[] parts) => System.IO.Path.Combine([Root(), .. parts]);

    private static string Root([CallerFilePath] string source = "")
    {
        foreach (string start in new[] { AppContext.BaseDirectory, System.IO.Path.GetDirectoryName(source)! })
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(System.IO.Path.Combine(folder.FullName, "CMakeLists.txt")) && Directory.Exists(System.IO.Path.Combine(folder.FullName, "native")))
                    return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No folder with CMakeLists.txt and native/ above {AppContext.BaseDirectory} or {source}.");
    }
}
