// Puts a partitioned variable together: the entry under its name lists slices, each stored like a tensor under an encoded key.
//
// Everything is checked before the whole is allocated: every slice lies inside the variable, has a stored part of its very shape, and
// the element counts add up; that no element is written twice is seen while copying, which together proves full coverage.

using System.Collections;
using System.Text;

namespace Mirror.Formats;

/// <summary>Assembly of partitioned variables.</summary>
internal static class SlicedTensor
{
    /// <summary>The whole variable's bytes, row-major, little-endian.</summary>
    /// <param name="path">The index file, for messages.</param>
    /// <param name="tensor">The whole variable; its byte length fits an array.</param>
    /// <param name="entry">Its entry with the list of slices.</param>
    /// <param name="stored">All slices of the checkpoint by encoded key.</param>
    /// <param name="storedBytes">Length of all opened shards: no honest variable is larger.</param>
    /// <param name="read">Reads and verifies one slice.</param>
    public static byte[] Assemble(
        string path,
        TensorEntry tensor,
        BundleEntry entry,
        Dictionary<string, BundleEntry> stored,
        long storedBytes,
        Func<BundleEntry, byte[]> read)
    {
        if (tensor.ByteLength > storedBytes)
        {
            throw Bad(path, tensor, $"{tensor.ByteLength} bytes, but all shards together have {storedBytes}");
        }
        List<(long[] Start, BundleEntry Part)> parts = [.. entry.Slices.Select(slice => Locate(path, tensor, entry, slice, stored))];
        UInt128 total = 0;
        foreach ((_, BundleEntry part) in parts)
        {
            total += (UInt128)part.Size;
        }
        if (total != (UInt128)tensor.ByteLength)
        {
            throw Bad(path, tensor, $"{parts.Count} slices hold {total} bytes, expected {tensor.ByteLength}");
        }
        byte[] whole = new byte[tensor.ByteLength];
        BitArray written = new((int)tensor.ElementCount);
        foreach ((long[] start, BundleEntry part) in parts)
        {
            Copy(path, tensor, start, part.Shape, read(part), whole, written);
        }
        return whole;
    }

    private static (long[] Start, BundleEntry Part) Locate(string path, TensorEntry tensor, BundleEntry entry, SliceExtent[] slice, Dictionary<string, BundleEntry> stored)
    {
        if (slice.Length != tensor.Shape.Count)
        {
            throw Bad(path, tensor, $"a slice has {slice.Length} dimensions");
        }
        long[] start = new long[slice.Length];
        long[] shape = new long[slice.Length];
        for (int i = 0; i < slice.Length; i++)
        {
            long dim = tensor.Shape[i];
            start[i] = slice[i].Start;
            shape[i] = slice[i].Length == SliceExtent.Whole ? dim : slice[i].Length;
            if (start[i] < 0 || shape[i] < 0 || start[i] > dim || shape[i] > dim - start[i])
            {
                throw Bad(path, tensor, $"slice [{start[i]}, +{shape[i]}] of dimension {i} lies outside");
            }
        }
        if (!stored.TryGetValue(Encoding.Latin1.GetString(OrderedCode.SliceKey(tensor.Name, slice)), out BundleEntry? part))
        {
            throw Bad(path, tensor, $"its slice at {ShapeMath.Text(start)} of shape {ShapeMath.Text(shape)} is missing");
        }
        return part.Type == entry.Type && part.Slices.Count == 0 && part.Shape.AsSpan().SequenceEqual(shape)
            ? (start, part)
            : throw Bad(path, tensor, $"its slice at {ShapeMath.Text(start)} is stored with shape {ShapeMath.Text(part.Shape)} or another type, expected {ShapeMath.Text(shape)}");
    }

    // Copies runs along the last dimension; an odometer counts through the others.
    private static void Copy(string path, TensorEntry tensor, long[] start, long[] shape, ReadOnlySpan<byte> from, Span<byte> whole, BitArray written)
    {
        int width = tensor.Type.Size();
        int rank = shape.Length;
        int run = rank == 0 ? 1 : (int)shape[^1];
        long[] at = new long[rank];
        while (!from.IsEmpty)
        {
            long offset = 0;
            for (int i = 0; i < rank; i++)
            {
                offset = (offset * tensor.Shape[i]) + start[i] + at[i];
            }
            for (int i = 0; i < run; i++)
            {
                if (written[(int)offset + i])
                {
                    throw Bad(path, tensor, $"two slices hold element {offset + i}");
                }
                written[(int)offset + i] = true;
            }
            from[..(run * width)].CopyTo(whole[((int)offset * width)..]);
            from = from[(run * width)..];
            for (int i = rank - 2; i >= 0 && ++at[i] == shape[i]; i--)
            {
                at[i] = 0;
            }
        }
    }

    private static InvalidDataException Bad(string path, TensorEntry tensor, string what) =>
        new($"{path}: partitioned tensor \"{tensor.Name}\" {tensor.ShapeText}: {what}");
}
