// The name of a file's content in summaries and settings.

using System.Security.Cryptography;

namespace Mirror.Cli;

internal static class FileHash
{
    /// <summary>SHA-256 in lower-case hexadecimal.</summary>
    public static string Sha256(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
