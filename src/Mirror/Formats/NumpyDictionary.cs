// Reads a numpy dictionary (.npy): np.save of {layer: {parameter: array}}, the form in which MIRorR's --model_data has weights.
//
// The file is a .npy header for one Python object, then a pickle (PickleReader). "layer/parameter" is the variable's name. A flat
// dictionary {name: array} is taken too: whitenings are stored so.

namespace Mirror.Formats;

/// <summary>Reader of pickled dictionaries of arrays.</summary>
internal static class NumpyDictionary
{
    /// <summary>Opens a dictionary.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or holds anything but a dictionary of arrays or of dictionaries of arrays.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public static SingleFileSource Open(string path) => new(
        "numpy dictionary",
        path,
        Arrays(path).Select(pair => Tensor(path, pair.Name, pair.Array)),
        [],
        "the size of every array; numpy dictionaries have no checksums");

    private static IEnumerable<(string Name, NpyArray Array)> Arrays(string path)
    {
        if (NpyFile.ReadObject(path) is not Dictionary<object, object?> root)
        {
            throw new InvalidDataException($"{path}: holds something other than a dictionary; expected np.save of {{layer: {{parameter: array}}}}");
        }
        foreach ((object key, object? value) in root)
        {
            if (value is not Dictionary<object, object?> layer)
            {
                yield return (Name(path, key), Array(path, $"[{key}]", value));
                continue;
            }
            foreach ((object parameter, object? array) in layer)
            {
                yield return ($"{Name(path, key)}/{Name(path, parameter)}", Array(path, $"[{key}][{parameter}]", array));
            }
        }
    }

    private static string Name(string path, object key) =>
        key is string { Length: > 0 } name ? name : throw new InvalidDataException($"{path}: the dictionary has the key {key}, expected texts that are not empty");

    private static NpyArray Array(string path, string where, object? value) =>
        value as NpyArray ?? throw new InvalidDataException($"{path}: {where} is {PickleNames.Kind(value)}, expected a numpy array");

    private static SourceTensor Tensor(string path, string name, NpyArray array)
    {
        string type = array.Type.ToString().ToLowerInvariant();
        return ShapeMath.TryCount(array.Shape, out long count)
            ? new(new(name, array.Type, type, array.Shape, count, array.Bytes.Length), () => array.Bytes.ToArray())
            : throw new InvalidDataException($"{path}: array \"{name}\" {ShapeMath.Text(array.Shape)} has no possible shape");
    }
}
