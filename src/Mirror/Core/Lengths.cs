// Length checks shared by the public API: shapes are multiplied in 64 bits with overflow checked, and a mismatch names the
// argument, both lengths and the shape.
namespace Mirror;

internal static class Lengths
{
    /// <summary>Product of a shape's dimensions.</summary>
    /// <exception cref="ArgumentException">A dimension is negative or the product exceeds 2^63 - 1.</exception>
    internal static long Product(string name, params ReadOnlySpan<long> shape)
    {
        long product = 1;
        foreach (long dimension in shape)
        {
            if (dimension < 0)
                throw new ArgumentException($"{name} would have shape {Text(shape)}, expected no negative dimension.", name);
        }

        try
        {
            foreach (long dimension in shape)
                product = checked(product * dimension);
        }
        catch (OverflowException e)
        {
            throw new ArgumentException($"{name} would have shape {Text(shape)}, which is too large to address.", name, e);
        }

        return product;
    }

    /// <summary>Requires that an argument of <paramref name="length"/> elements holds exactly the shape.</summary>
    internal static void Exact(string name, long length, params ReadOnlySpan<long> shape)
    {
        long expected = Product(name, shape);
        if (length != expected)
            throw new ArgumentException($"{name} has {length} elements, expected {expected} for shape {Text(shape)}.", name);
    }

    /// <summary>The n of shape [n, ...rest] that an argument of <paramref name="length"/> elements has.</summary>
    internal static long Rows(string name, long length, params ReadOnlySpan<long> rest)
    {
        long size = Product(name, rest);
        if (size == 0 || length % size != 0)
            throw new ArgumentException($"{name} has {length} elements, expected a multiple of {size} (rows of shape {Text(rest)}).", name);
        return length / size;
    }

    /// <summary>A length that has to fit into one array or span.</summary>
    internal static int ArrayLength(string name, params ReadOnlySpan<long> shape)
    {
        long length = Product(name, shape);
        if (length > Array.MaxLength)
            throw new ArgumentException($"{name} would have {length} elements (shape {Text(shape)}), an array holds at most {Array.MaxLength}; do it in parts.", name);
        return (int)length;
    }

    private static string Text(ReadOnlySpan<long> shape) => $"[{string.Join(", ", shape.ToArray())}]";
}
