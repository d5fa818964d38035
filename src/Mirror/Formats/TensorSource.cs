// What every readable model has in common, whatever it is stored in: a table of tensors, each read when it is asked for.

namespace Mirror.Formats;

/// <summary>A model in some file format, opened for reading. Tables of contents are checked when opening, tensors when they are read.</summary>
public interface ITensorSource : IDisposable
{
    /// <summary>The format, e.g. "TensorFlow V2 checkpoint".</summary>
    string Kind { get; }

    /// <summary>The file that messages name: the one with the table of contents.</summary>
    string Path { get; }

    /// <summary>A short name without folder: the origin of an import that is given none.</summary>
    string Name { get; }

    /// <summary>All files that belong to it.</summary>
    IReadOnlyList<string> Files { get; }

    /// <summary>All tensors, sorted by name.</summary>
    IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>What the reader did beyond reading, one line each; empty as a rule.</summary>
    IReadOnlyList<string> Notes { get; }

    /// <summary>The tensor of this name; null where there is none.</summary>
    TensorEntry? Find(string name);

    /// <summary>Reads one tensor's elements, row-major and little-endian.</summary>
    /// <exception cref="KeyNotFoundException">There is no tensor of this name.</exception>
    /// <exception cref="InvalidDataException">The tensor is damaged or of a type that cannot be read.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    byte[] ReadBytes(string name);

    /// <summary>Verifies all that the format protects by checksums, and says in words what was verified.</summary>
    /// <exception cref="InvalidDataException">A checksum is wrong; the message names file and tensor.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    string Verify();
}

/// <summary>Reading common to all sources.</summary>
public static class TensorSources
{
    /// <summary>Reads one tensor as float32. Other real types are converted, rounding to the nearest.</summary>
    /// <exception cref="KeyNotFoundException">There is no tensor of this name.</exception>
    /// <exception cref="InvalidDataException">As <see cref="ITensorSource.ReadBytes"/>; also where the elements are complex or too many for one array.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public static float[] ReadFloat32(this ITensorSource source, string name)
    {
        ArgumentNullException.ThrowIfNull(source);
        byte[] bytes = source.ReadBytes(name);
        TensorEntry tensor = source.Find(name)!;
        return tensor.ElementCount <= Array.MaxLength / sizeof(float)
            ? ElementData.ToFloat32(tensor.Type, bytes)
            : throw new InvalidDataException($"{source.Path}: tensor \"{name}\" has {tensor.ElementCount} elements, too many for one array");
    }
}

/// <summary>One tensor of a <see cref="SingleFileSource"/>: its entry and how to read its elements.</summary>
internal sealed record SourceTensor(TensorEntry Entry, Func<byte[]> Read);

/// <summary>A model that one file holds: frozen graphs, V1 checkpoints, numpy dictionaries.</summary>
internal sealed class SingleFileSource : ITensorSource
{
    private readonly Dictionary<string, SourceTensor> _tensors = new(StringComparer.Ordinal);
    private readonly string _verified;

    /// <param name="kind">The format.</param>
    /// <param name="path">The file.</param>
    /// <param name="tensors">In any order.</param>
    /// <param name="notes">See <see cref="ITensorSource.Notes"/>.</param>
    /// <param name="verified">What opening has already verified, in words.</param>
    /// <exception cref="InvalidDataException">A name occurs twice.</exception>
    public SingleFileSource(string kind, string path, IEnumerable<SourceTensor> tensors, IReadOnlyList<string> notes, string verified)
    {
        Kind = kind;
        Path = path;
        Notes = notes;
        _verified = verified;
        foreach (SourceTensor tensor in tensors)
        {
            if (!_tensors.TryAdd(tensor.Entry.Name, tensor))
            {
                throw new InvalidDataException($"{path}: tensor \"{tensor.Entry.Name}\" occurs twice");
            }
        }
        Tensors = [.. _tensors.Values.Select(tensor => tensor.Entry).OrderBy(entry => entry.Name, StringComparer.Ordinal)];
    }

    public string Kind { get; }

    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    public IReadOnlyList<string> Files => [Path];

    public IReadOnlyList<TensorEntry> Tensors { get; }

    public IReadOnlyList<string> Notes { get; }

    public TensorEntry? Find(string name) => _tensors.GetValueOrDefault(name)?.Entry;

    public byte[] ReadBytes(string name)
    {
        if (!_tensors.TryGetValue(name, out SourceTensor? tensor))
        {
            throw new KeyNotFoundException($"{Path}: no tensor \"{name}\"");
        }
        return tensor.Entry.Type != ElementType.Other
            ? tensor.Read()
            : throw new InvalidDataException($"{Path}: tensor \"{name}\" is of type {tensor.Entry.TypeName}, which can be listed but not read");
    }

    public string Verify() => _verified;

    // The file is in memory; nothing is held open.
    public void Dispose()
    {
    }
}
