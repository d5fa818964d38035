// Opens whatever a model comes in. What a file is is seen in its bytes; names only help where several files form one model.

namespace Mirror.Formats;

/// <summary>Detection of model formats.</summary>
public static class ModelSource
{
    /// <summary>Opens a TensorFlow V2 or V1 checkpoint, a frozen graph (.pb) or a numpy dictionary (.npy).</summary>
    /// <param name="path">A file, a checkpoint's prefix, or the folder of a V2 checkpoint.</param>
    /// <param name="step">The training step, at least 0, where <paramref name="path"/> is a checkpoint without it; else null.</param>
    /// <exception cref="FileNotFoundException">There is no such model; the message names what was looked for.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or none of these; the message says what was found.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty or <paramref name="step"/> negative.</exception>
    public static ITensorSource Open(string path, long? step = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegative(step.GetValueOrDefault(), nameof(step));
        string file = path + CheckpointPaths.Suffix(step);
        if (CheckpointPaths.IsBundle(path, step) || !File.Exists(file))
        {
            return TensorFlowCheckpoint.Open(path, step);
        }
        if (SsTable.HasMagic(file))
        {
            return V1Checkpoint.Open(file);
        }
        Span<byte> start = stackalloc byte[9];
        using (FileStream stream = File.OpenRead(file))
        {
            start = start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        }
        // A safetensors header begins with its length and an opening brace; a GraphDef with the tag of a node.
        return start.StartsWith(NpyFile.Magic) ? NumpyDictionary.Open(file)
            : start.Length == 9 && start[8] == '{' && start[4..8].IndexOfAnyExcept((byte)0) < 0 ? throw new InvalidDataException($"{file}: a safetensors file: it needs no import")
            : start.Length > 0 && start[0] == FrozenGraph.FirstByte ? FrozenGraph.Open(file)
            : throw new InvalidDataException($"{file}: no TensorFlow checkpoint (there is no {file}.index), frozen graph or numpy dictionary: it begins with {Convert.ToHexStringLower(start)}");
    }
}
