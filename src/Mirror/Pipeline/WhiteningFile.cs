// Opens a whitening, whichever of the two forms it has: Mirror's safetensors file, or the dictionary that MIRorR's --pca_file takes.

using Mirror.Formats;

namespace Mirror.Pipeline;

/// <summary>Whitenings from files.</summary>
public static class WhiteningFile
{
    /// <summary>
    /// Reads a safetensors file as <see cref="Whitening.Save"/> writes it, or np.save of {'mean': [D], 'eigvec': [n, D], 'eigval': [n]}: mean, components in rows and
    /// their variances, of any floating-point type and memory order. Content decides, not the name.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">No such file, or a safetensors file that lacks a tensor.</exception>
    /// <exception cref="InvalidDataException">Neither form; an array is missing or of another shape, or holds a value that no whitening can have.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Whitening Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return File.Exists(path) && NpyFile.IsNpy(path) ? FromDictionary(path) : Whitening.Load(path);
    }

    private static Whitening FromDictionary(string path)
    {
        using SingleFileSource source = NumpyDictionary.Open(path);
        TensorEntry mean = Find("mean", 1), components = Find("eigvec", 2), variances = Find("eigval", 1);
        if (components.Shape[0] != variances.Shape[0] || components.Shape[1] != mean.Shape[0])
        {
            throw Bad($"eigvec is {components.ShapeText}, expected [n, D] = [{variances.Shape[0]}, {mean.Shape[0]}] as eigval and mean have it");
        }
        try
        {
            return Whitening.Create(Values(mean), Values(components), Values(variances));
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }

        TensorEntry Find(string name, int rank) => source.Find(name) is not { } entry
            ? throw Bad($"no array '{name}' (there are: {string.Join(", ", source.Tensors.Take(5).Select(tensor => tensor.Name))}); expected mean, eigvec and eigval")
            : entry.Shape.Count == rank && entry.Type is (ElementType.Float64 or ElementType.Float32 or ElementType.Float16) ? entry
            : throw Bad($"{name} is {entry.ShapeText} {entry.TypeName}, expected {rank} dimensions of floating-point numbers");

        double[] Values(TensorEntry entry) => ElementData.ToFloat64(entry.Type, source.ReadBytes(entry.Name));

        InvalidDataException Bad(string what) => new($"{path}: {what}");
    }
}
