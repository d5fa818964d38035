// Networks the core can build, and the weights of one of them, read from a safetensors file.
using Mirror.Interop;

namespace Mirror;

/// <summary>Name and shape of a variable.</summary>
/// <param name="Name">TensorFlow variable name, e.g. "conv1_7x7_s2/kernel".</param>
/// <param name="Dimensions">0 to 4 sizes; kernels are [height, width, in, out].</param>
public sealed record TensorShape(string Name, IReadOnlyList<long> Dimensions);

/// <summary>The networks this library can build.</summary>
public static unsafe class Networks
{
    /// <summary>Their names, as in the original: "googlenet", "resnet-50", ...</summary>
    public static IReadOnlyList<string> Names
    {
        get
        {
            var names = new string[NativeMethods.NetworkCount()];
            for (int i = 0; i < names.Length; i++)
                names[i] = Check.Text(NativeMethods.NetworkName(i));
            return names;
        }
    }

    /// <summary>Variables that a network needs (those on the path from input to output), sorted by name in byte order.</summary>
    /// <param name="network">One of <see cref="Names"/>.</param>
    /// <exception cref="FileNotFoundException">No such network; lists those there are.</exception>
    public static IReadOnlyList<TensorShape> Variables(string network)
    {
        ArgumentNullException.ThrowIfNull(network);
        long count;
        Check.Ok(NativeMethods.NetworkVariables(network, null, 0, &count));
        var infos = new NativeTensorInfo[count];
        foreach (ref NativeTensorInfo info in infos.AsSpan())
            info.StructSize = (uint)sizeof(NativeTensorInfo);
        var shapes = new TensorShape[count];
        fixed (NativeTensorInfo* first = infos)
        {
            Check.Ok(NativeMethods.NetworkVariables(network, first, count, &count));
            for (int i = 0; i < infos.Length; i++)
                shapes[i] = new TensorShape(FixedText.Read(first[i].Name, 200), new ReadOnlySpan<long>(first[i].Dims, first[i].Rank).ToArray());
        }

        return shapes;
    }
}

/// <summary>What a model is.</summary>
/// <param name="Network">Name of its network.</param>
/// <param name="Channels">D: channels of the output map, the length of a region vector.</param>
/// <param name="MinSize">Smallest image side the network admits, in pixels.</param>
/// <param name="Tensors">Variables used.</param>
/// <param name="Parameters">Elements in them.</param>
/// <param name="Origin">Free text from the file: what it was imported from.</param>
public sealed record ModelInfo(string Network, int Channels, int MinSize, int Tensors, long Parameters, string Origin);

/// <summary>A network with its weights. Used by one thread at a time; may be disposed before the extractors made from it.</summary>
public sealed unsafe class Model : IDisposable
{
    private readonly ModelHandle _handle;

    private Model(ModelHandle handle)
    {
        _handle = handle;
        var info = new NativeModelInfo { StructSize = (uint)sizeof(NativeModelInfo) };
        Check.Ok(NativeMethods.ModelGetInfo(handle, &info));
        Info = new ModelInfo(
            FixedText.Read(info.Network, 32), info.Channels, info.MinSize, info.Tensors, info.Parameters, FixedText.Read(info.Origin, 200));
    }

    /// <summary>What this model is.</summary>
    public ModelInfo Info { get; }

    internal ModelHandle Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle;
        }
    }

    /// <summary>Maps a safetensors file with float32 tensors under TensorFlow's names. The file must stay unchanged while the model lives.</summary>
    /// <param name="path">The file.</param>
    /// <param name="network">Name of the network; null takes it from the file's metadata.</param>
    /// <exception cref="FileNotFoundException">No such file, network, or tensor in the file.</exception>
    /// <exception cref="InvalidDataException">Not a safetensors file, or a tensor with another shape or type; names both.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Model Load(string path, string? network = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Check.Ok(NativeMethods.ModelLoad(out ModelHandle handle, path, network));
        return new Model(handle);
    }

    /// <summary>Releases the model.</summary>
    public void Dispose() => _handle.Dispose();
}
