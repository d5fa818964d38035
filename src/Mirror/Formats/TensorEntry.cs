// One tensor of a model file as its table of contents describes it: no data, only name, type and shape.

using System.Globalization;

namespace Mirror.Formats;

/// <summary>Name, type and shape of a tensor stored in a file.</summary>
/// <param name="Name">The variable's name, e.g. "conv1_7x7_s2/kernel".</param>
/// <param name="Type">Type of the elements; <see cref="ElementType.Other"/> where Mirror cannot read them.</param>
/// <param name="TypeName">The type as the file calls it, e.g. "float32" or "F32".</param>
/// <param name="Shape">Dimensions, row-major, slowest first; empty for a scalar. Each is at least 0.</param>
/// <param name="ElementCount">Product of <paramref name="Shape"/>.</param>
/// <param name="ByteLength">Bytes of data in the file.</param>
public sealed record TensorEntry(
    string Name,
    ElementType Type,
    string TypeName,
    IReadOnlyList<long> Shape,
    long ElementCount,
    long ByteLength)
{
    /// <summary>The shape as text, e.g. "[7, 7, 3, 64]"; "[]" for a scalar.</summary>
    public string ShapeText => ShapeMath.Text(Shape);
}

/// <summary>Products and texts of shapes that come from files and therefore may be hostile.</summary>
internal static class ShapeMath
{
    /// <summary>Most dimensions that any format read here allows (NumPy 2's own limit is 64).</summary>
    public const int MaxRank = 64;

    /// <summary>
    /// Multiplies dimensions that are all at least 0. A zero anywhere makes the product 0 whatever the others are, as NumPy and TensorFlow have it.
    /// </summary>
    /// <returns>False where the product exceeds <see cref="long.MaxValue"/>.</returns>
    public static bool TryCount(IReadOnlyList<long> shape, out long count)
    {
        count = 1;
        bool overflow = false;
        foreach (long dim in shape)
        {
            if (dim == 0)
            {
                count = 0;
                return true;
            }
            overflow |= count > long.MaxValue / dim;
            count = overflow ? 0 : count * dim;
        }
        return !overflow;
    }

    public static string Text(IReadOnlyList<long> shape) =>
        "[" + string.Join(", ", shape.Select(dim => dim.ToString(CultureInfo.InvariantCulture))) + "]";
}
