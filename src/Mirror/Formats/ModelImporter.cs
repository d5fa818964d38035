// Imports a model as a safetensors file: the variables that a network needs, as float32, or every tensor as it is stored.
//
// Everything that can be known from the tables of contents is checked before the first byte is written; the rest (checksums,
// numbers that are not finite) while writing to a temporary name. The output depends on the weights, network and origin alone.

using System.Security.Cryptography;
using System.Text;

namespace Mirror.Formats;

/// <summary>What an import did.</summary>
/// <param name="Kind">What the source is, e.g. "TensorFlow V2 checkpoint".</param>
/// <param name="Network">The network whose variables were taken; null where every tensor was.</param>
/// <param name="Origin">The text stored as origin.</param>
/// <param name="Tensors">Variables written.</param>
/// <param name="Parameters">Elements in them.</param>
/// <param name="Ignored">Other tensors of the source: optimiser state, loss layers, step counters.</param>
/// <param name="Warnings">Conversions that rounded, one line each; empty for a float32 checkpoint.</param>
/// <param name="Notes">What the reader did beyond reading (batch norms unfolded), one line each; empty as a rule.</param>
/// <param name="Output">The file written.</param>
/// <param name="Sha256">Its hash, 64 lower-case hexadecimal digits.</param>
public sealed record ImportReport(
    string Kind,
    string? Network,
    string Origin,
    int Tensors,
    long Parameters,
    int Ignored,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<string> Notes,
    string Output,
    string Sha256);

/// <summary>A network by its variables.</summary>
internal sealed record NetworkVariables(string Name, IReadOnlyList<TensorShape> Variables);

/// <summary>Import of checkpoints, frozen graphs and numpy dictionaries.</summary>
public static class ModelImporter
{
    // What the native core reports of a model's origin (mirror_model_info.origin with its terminator).
    private const int MaxOriginBytes = 199;
    private const int Shown = 3;

    /// <summary>Writes the variables of <paramref name="network"/> found in a source to a model file.</summary>
    /// <param name="source">The source, as <see cref="ModelSource.Open"/> takes it.</param>
    /// <param name="network">One of <see cref="Networks.Names"/>.</param>
    /// <param name="step">The training step, at least 0, where <paramref name="source"/> does not contain it; else null.</param>
    /// <param name="output">The model file; replaced where it exists, once everything is written.</param>
    /// <param name="origin">Free text on where the weights come from, at most 199 bytes of UTF-8; null: the source's file name.</param>
    /// <exception cref="FileNotFoundException">No such network, source or shard.</exception>
    /// <exception cref="InvalidDataException">The source is damaged, lacks variables, has them in other shapes or types, or holds numbers that are not finite.</exception>
    /// <exception cref="ArgumentException">The origin is too long, or the output is a file of the source.</exception>
    /// <exception cref="IOException">Reading or writing failed. In every case of failure nothing is left behind.</exception>
    public static ImportReport Import(string source, string network, long? step, string output, string? origin)
    {
        NetworkVariables wanted = new(network, Networks.Variables(network));
        return Import(source, wanted, () => Networks.Names.Select(name => new NetworkVariables(name, Networks.Variables(name))), step, output, origin);
    }

    /// <summary>The same for variables given by the caller; <paramref name="others"/> is asked for hints when they do not fit.</summary>
    internal static ImportReport Import(
        string source,
        NetworkVariables network,
        Func<IEnumerable<NetworkVariables>> others,
        long? step,
        string output,
        string? origin)
    {
        using ITensorSource tensors = ModelSource.Open(source, step);
        string text = RequireOrigin(tensors, output, origin);
        RequireFit(tensors, network, others);
        TensorEntry[] entries = [.. network.Variables.Select(variable => tensors.Find(variable.Name)!)];
        SafeTensorsItem[] items = [.. entries.Select(entry => new SafeTensorsItem(entry.Name, ElementType.Float32, entry.Shape, () => ReadFinite(tensors, entry)))];
        SafeTensorsWriter.Write(output, new Dictionary<string, string> { ["format"] = "mirror", ["network"] = network.Name, ["origin"] = text }, items);
        return Report(tensors, network.Name, text, entries, [.. Warnings(entries)], output);
    }

    /// <summary>Writes every tensor of a source in its stored type: to keep it, or to write it out again in another format.</summary>
    /// <param name="source">The source, as <see cref="ModelSource.Open"/> takes it; partitioned variables are put together.</param>
    /// <param name="step">As for <see cref="Import(string, string, long?, string, string?)"/>.</param>
    /// <param name="output">The safetensors file; it names no network, so it is no model that descriptors can be computed with.</param>
    /// <param name="origin">As for <see cref="Import(string, string, long?, string, string?)"/>.</param>
    /// <exception cref="FileNotFoundException">No such source or shard.</exception>
    /// <exception cref="InvalidDataException">The source is damaged, or has a tensor of a type that safetensors cannot hold (texts, complex128).</exception>
    /// <exception cref="ArgumentException">The origin is too long, or the output is a file of the source.</exception>
    /// <exception cref="IOException">Reading or writing failed. In every case of failure nothing is left behind.</exception>
    public static ImportReport ImportAll(string source, long? step, string output, string? origin)
    {
        using ITensorSource tensors = ModelSource.Open(source, step);
        string text = RequireOrigin(tensors, output, origin);
        foreach (TensorEntry entry in tensors.Tensors.Where(entry => entry.Type.SafeTensorsName() is null || entry.Name is "" or "__metadata__"))
        {
            throw new InvalidDataException($"{tensors.Path}: tensor \"{entry.Name}\" of type {entry.TypeName} has no place in a safetensors file: import the variables of a network (--net) instead of everything");
        }
        SafeTensorsItem[] items = [.. tensors.Tensors.Select(entry => new SafeTensorsItem(entry.Name, entry.Type, entry.Shape, () => tensors.ReadBytes(entry.Name)))];
        SafeTensorsWriter.Write(output, new Dictionary<string, string> { ["format"] = "mirror", ["origin"] = text }, items);
        return Report(tensors, null, text, [.. tensors.Tensors], [], output);
    }

    private static string RequireOrigin(ITensorSource source, string output, string? origin)
    {
        ArgumentException.ThrowIfNullOrEmpty(output);
        string text = origin ?? source.Name;
        if (Encoding.UTF8.GetByteCount(text) > MaxOriginBytes)
        {
            throw new ArgumentException($"the origin has {Encoding.UTF8.GetByteCount(text)} bytes, at most {MaxOriginBytes} are kept: give a shorter one", nameof(origin));
        }
        return source.Files.Any(file => Path.GetFullPath(file) == Path.GetFullPath(output))
            ? throw new ArgumentException($"{output} belongs to the source that is read: name another output", nameof(output))
            : text;
    }

    private static ImportReport Report(ITensorSource source, string? network, string origin, TensorEntry[] entries, IReadOnlyList<string> warnings, string output)
    {
        using FileStream written = File.OpenRead(output);
        return new(
            source.Kind,
            network,
            origin,
            entries.Length,
            entries.Sum(entry => entry.ElementCount),
            source.Tensors.Count - entries.Length,
            warnings,
            source.Notes,
            output,
            Convert.ToHexStringLower(SHA256.HashData(written)));
    }

    private static void RequireFit(ITensorSource source, NetworkVariables network, Func<IEnumerable<NetworkVariables>> others)
    {
        string[] missing = [.. network.Variables.Where(variable => source.Find(variable.Name) is null).Select(variable => variable.Name)];
        string[] misshapen = [.. network.Variables
            .Select(variable => (variable, Found: source.Find(variable.Name)))
            .Where(pair => pair.Found is not null && !pair.Found.Shape.SequenceEqual(pair.variable.Dimensions))
            .Select(pair => $"{pair.variable.Name} is {pair.Found!.ShapeText}, expected {ShapeMath.Text(pair.variable.Dimensions)}")];
        if (missing.Length > 0 || misshapen.Length > 0)
        {
            string[] fitting = [.. others().Where(other => other.Name != network.Name && Fits(source, other)).Select(other => other.Name)];
            string what = missing.Length > 0
                ? $"{missing.Length} of the {network.Variables.Count} variables of {network.Name} are missing: {FirstFew(missing)}"
                : $"{misshapen.Length} variables of {network.Name} have other shapes: {FirstFew(misshapen)}";
            string hint = fitting.Length > 0 ? $"; the source has all variables of {string.Join(" and ", fitting)}: import it as that network" : "";
            throw new InvalidDataException($"{source.Path}: {what}{hint}");
        }
        foreach (TensorShape variable in network.Variables)
        {
            TensorEntry entry = source.Find(variable.Name)!;
            if (entry.Type is not (ElementType.Float32 or ElementType.Float64 or ElementType.Float16 or ElementType.BFloat16))
            {
                throw new InvalidDataException($"{source.Path}: variable {entry.Name} is of type {entry.TypeName}, expected a floating-point type");
            }
        }
    }

    private static bool Fits(ITensorSource source, NetworkVariables network) =>
        network.Variables.All(variable => source.Find(variable.Name) is { } found && found.Shape.SequenceEqual(variable.Dimensions));

    private static ReadOnlyMemory<byte> ReadFinite(ITensorSource source, TensorEntry entry)
    {
        float[] values = source.ReadFloat32(entry.Name);
        int bad = Array.FindIndex(values, value => !float.IsFinite(value));
        return bad < 0
            ? ElementData.FromFloat32(values)
            : throw new InvalidDataException($"{source.Path}: variable {entry.Name} {entry.ShapeText}: element {bad} is {values[bad]} as float32; such a network cannot give descriptors");
    }

    private static IEnumerable<string> Warnings(TensorEntry[] entries) => entries
        .Where(entry => entry.Type != ElementType.Float32)
        .GroupBy(entry => entry.TypeName)
        .Select(group => $"{group.Count()} variables are stored as {group.Key} and were converted to float32: {FirstFew([.. group.Select(entry => entry.Name)])}");

    private static string FirstFew(string[] texts) =>
        string.Join(", ", texts.Take(Shown)) + (texts.Length > Shown ? $" and {texts.Length - Shown} more" : "");
}
