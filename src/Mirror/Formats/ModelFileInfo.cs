// What `mirror model info` shows: the table of contents of a model file or source, and hashes that identify it.

using System.Globalization;
using System.Security.Cryptography;

namespace Mirror.Formats;

/// <summary>One file of a model.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Sha256">Its hash, 64 lower-case hexadecimal digits.</param>
public sealed record HashedFile(string Path, long Length, string Sha256);

/// <summary>Contents of a model file.</summary>
/// <param name="Kind">"safetensors", or the kind of source, e.g. "TensorFlow V2 checkpoint".</param>
/// <param name="Network">The network that the file names; null where it names none (sources never do).</param>
/// <param name="Origin">Where the weights come from, as the file tells; null where it does not.</param>
/// <param name="Tensors">All tensors, sorted by name.</param>
/// <param name="Parameters">Elements in all of them.</param>
/// <param name="Files">The file, or index and shards of a checkpoint.</param>
/// <param name="Verification">What was verified beyond the table of contents, in words; null where nothing was asked for.</param>
/// <param name="Notes">What the reader did beyond reading, one line each; empty as a rule.</param>
public sealed record ModelFileInfo(
    string Kind,
    string? Network,
    string? Origin,
    IReadOnlyList<TensorEntry> Tensors,
    long Parameters,
    IReadOnlyList<HashedFile> Files,
    string? Verification,
    IReadOnlyList<string> Notes)
{
    /// <summary>Reads the table of contents of a safetensors file or of a source, and hashes its files.</summary>
    /// <param name="path">A safetensors file, or a source as <see cref="ModelSource.Open"/> takes it.</param>
    /// <param name="verify">Also verify the checksum of every tensor of a checkpoint (safetensors has none).</param>
    /// <exception cref="FileNotFoundException">There is no such file or source.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or something else.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public static ModelFileInfo Read(string path, bool verify = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (IsSafeTensors(path))
        {
            using SafeTensorsFile file = SafeTensorsFile.Open(path);
            return new(
                "safetensors",
                file.Metadata.GetValueOrDefault("network"),
                file.Metadata.GetValueOrDefault("origin"),
                file.Tensors,
                file.Tensors.Sum(tensor => tensor.ElementCount),
                [Hash(path)],
                verify ? "the header; safetensors files have no checksums" : null,
                []);
        }
        using ITensorSource source = ModelSource.Open(path);
        return new(
            source.Kind,
            null,
            null,
            source.Tensors,
            source.Tensors.Sum(tensor => tensor.ElementCount),
            [.. source.Files.Select(Hash)],
            verify ? source.Verify() : null,
            source.Notes);
    }

    /// <summary>Prints everything, one fact or tensor a line.</summary>
    public void Write(TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Line(writer, "kind", Kind);
        Line(writer, "network", Network ?? "(not told)");
        Line(writer, "origin", Origin ?? "(not told)");
        Line(writer, "tensors", Tensors.Count.ToString("N0", CultureInfo.InvariantCulture));
        Line(writer, "parameters", Parameters.ToString("N0", CultureInfo.InvariantCulture));
        foreach (HashedFile file in Files)
        {
            Line(writer, "file", string.Create(CultureInfo.InvariantCulture, $"{file.Path} ({file.Length:N0} bytes)"));
            Line(writer, "sha256", file.Sha256);
        }
        if (Verification is not null)
        {
            Line(writer, "verified", Verification);
        }
        foreach (string note in Notes)
        {
            Line(writer, "note", note);
        }
        writer.WriteLine();
        int width = Tensors.Select(tensor => tensor.Name.Length).DefaultIfEmpty(0).Max();
        foreach (TensorEntry tensor in Tensors)
        {
            writer.WriteLine($"{tensor.Name.PadRight(width)}  {tensor.TypeName,-8}  {tensor.ShapeText}");
        }
    }

    private static void Line(TextWriter writer, string key, string value) => writer.WriteLine($"{key,-11} {value}");

    // By name, else by content: the JSON header begins right after its 8-byte length.
    private static bool IsSafeTensors(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }
        Span<byte> start = stackalloc byte[9];
        using FileStream stream = File.OpenRead(path);
        return path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
            || (stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start[8] == '{');
    }

    private static HashedFile Hash(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return new(path, stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }
}
