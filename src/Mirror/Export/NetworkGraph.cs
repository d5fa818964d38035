// A network's layers as the native core describes them (mirror_network_graph), for exporters.

using System.Text.Json;
using Mirror.Interop;

namespace Mirror.Export;

/// <summary>What a layer computes.</summary>
internal enum LayerKind
{
    Input,
    Conv,
    BatchNorm,
    Relu,
    Add,
    MaxPool,
    AvgPool,
    Lrn,
    Concat,
}

/// <summary>Local response normalisation: x / (Bias + Alpha * sum of squares over 2 Radius + 1 channels)^Beta.</summary>
internal readonly record struct LrnParameters(int Radius, float Alpha, float Beta, float Bias);

/// <summary>One layer.</summary>
/// <param name="Name">TensorFlow's name; a convolution's variables are NAME/kernel and NAME/bias.</param>
/// <param name="Kind">What it computes.</param>
/// <param name="Inputs">Indices of earlier layers.</param>
/// <param name="Channels">Channels of the output.</param>
/// <param name="Kernel">Side of the square window; 1 where there is none.</param>
/// <param name="Stride">Stride of it.</param>
/// <param name="Pad">Cells on every side; <see cref="Same"/>: TensorFlow's SAME.</param>
/// <param name="HasBias">A convolution has NAME/bias.</param>
/// <param name="BatchNorm">Scope of gamma, beta, moving_mean and moving_variance; null where there is none.</param>
/// <param name="Relu">A ReLU comes last.</param>
/// <param name="Lrn">Of an LRN layer.</param>
internal sealed record NetworkLayer(
    string Name,
    LayerKind Kind,
    IReadOnlyList<int> Inputs,
    int Channels,
    int Kernel,
    int Stride,
    int Pad,
    bool HasBias,
    string? BatchNorm,
    bool Relu,
    LrnParameters Lrn)
{
    /// <summary>The value of <see cref="Pad"/> that stands for TensorFlow's SAME.</summary>
    public const int Same = -1;

    /// <summary>Batch norm's epsilon, the same in all networks.</summary>
    public const float BatchNormEpsilon = 1e-5f;

    /// <summary>Cells before and after an axis of <paramref name="size"/> cells, and the size that comes out.</summary>
    public (int Before, int After, int Output) Window(int size)
    {
        if (Pad != Same)
        {
            return (Pad, Pad, ((size + (2 * Pad) - Kernel) / Stride) + 1);
        }

        var output = (size + Stride - 1) / Stride;
        var total = Math.Max(((output - 1) * Stride) + Kernel - size, 0);
        return (total / 2, total - (total / 2), output);
    }
}

/// <summary>Layers in execution order; the first is the input, the last the output.</summary>
internal static unsafe class NetworkGraph
{
    /// <summary>The layers of a network.</summary>
    /// <exception cref="FileNotFoundException">No such network; lists those there are.</exception>
    public static IReadOnlyList<NetworkLayer> Layers(string network)
    {
        byte* json;
        Check.Ok(NativeMethods.NetworkGraph(network, &json));
        using var document = JsonDocument.Parse(Check.Text(json));
        return [.. document.RootElement.GetProperty("layers").EnumerateArray().Select(Read)];
    }

    private static NetworkLayer Read(JsonElement layer)
    {
        var kind = layer.GetProperty("kind").GetString()!.Replace("_", "", StringComparison.Ordinal);
        return new(
            layer.GetProperty("name").GetString()!,
            Enum.Parse<LayerKind>(kind, ignoreCase: true),
            [.. layer.GetProperty("inputs").EnumerateArray().Select(input => input.GetInt32())],
            layer.GetProperty("channels").GetInt32(),
            Number("kernel", 1),
            Number("stride", 1),
            Number("pad", 0),
            layer.TryGetProperty("bias", out var bias) && bias.GetBoolean(),
            layer.TryGetProperty("batch_norm", out var scope) ? scope.GetString() : null,
            layer.GetProperty("relu").GetBoolean(),
            new(Number("radius", 0), Real("alpha"), Real("beta"), Real("lrn_bias")));

        int Number(string name, int absent) => layer.TryGetProperty(name, out var value) ? value.GetInt32() : absent;
        float Real(string name) => layer.TryGetProperty(name, out var value) ? value.GetSingle() : 0;
    }
}
