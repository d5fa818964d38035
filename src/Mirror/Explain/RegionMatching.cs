// The pairing inside PR-MAC: each region of one photograph with its best region of the other. The score is the mean over the
// pairs of one direction; pairs that are each other's best say where the photographs agree.

namespace Mirror.Explain;

/// <summary>A region of one photograph and its best region of the other.</summary>
/// <param name="From">Region that looks for the other.</param>
/// <param name="To">Its best one; the lower index among equals, as in the search.</param>
/// <param name="Similarity">Dot product of the unit vectors, -1..1.</param>
public readonly record struct RegionMatch(int From, int To, float Similarity);

/// <summary>How the regions of two photographs A and B pair up.</summary>
public sealed class RegionMatching
{
    private RegionMatching(RegionMatch[] forward, RegionMatch[] backward)
    {
        Forward = forward;
        Backward = backward;
        Mutual = [.. forward.Where(match => backward[match.To].To == match.From).OrderByDescending(match => match.Similarity).ThenBy(match => match.From)];
    }

    /// <summary>Each region of A with its best of B.</summary>
    public IReadOnlyList<RegionMatch> Forward { get; }

    /// <summary>Each region of B with its best of A.</summary>
    public IReadOnlyList<RegionMatch> Backward { get; }

    /// <summary>The pairs (region of A, region of B) that are each other's best, most similar first.</summary>
    public IReadOnlyList<RegionMatch> Mutual { get; }

    /// <summary>PR-MAC score of the query A for B: mean of <see cref="Forward"/>.</summary>
    public double ForwardScore => Forward.Average(match => (double)match.Similarity);

    /// <summary>PR-MAC score of the query B for A: mean of <see cref="Backward"/>.</summary>
    public double BackwardScore => Backward.Average(match => (double)match.Similarity);

    /// <summary>Pairs the regions.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="a">[R, dimension], rows of Euclidean length 1.</param>
    /// <param name="b">[S, dimension], likewise.</param>
    /// <param name="dimension">Length of a row.</param>
    /// <exception cref="ArgumentException">A length does not fit, or there is no row.</exception>
    public static RegionMatching Create(Device device, ReadOnlySpan<float> a, ReadOnlySpan<float> b, int dimension)
    {
        var rows = (int)Lengths.Rows(nameof(a), a.Length, dimension);
        var columns = (int)Lengths.Rows(nameof(b), b.Length, dimension);
        if (rows == 0 || columns == 0)
        {
            throw new ArgumentException($"{rows} and {columns} regions, expected at least one each");
        }

        var products = new float[checked(rows * columns)];
        Operations.Gemm(device, a, b, rows, columns, dimension, Precision.Fp32, products);
        return Of(products, rows, columns);
    }

    /// <summary>Pairs regions whose similarities are known.</summary>
    /// <param name="similarities">[rows, columns]: region of A by region of B.</param>
    /// <param name="rows">Regions of A, at least 1.</param>
    /// <param name="columns">Regions of B, at least 1.</param>
    /// <exception cref="ArgumentException">The length does not fit, or there is no region.</exception>
    public static RegionMatching Of(IReadOnlyList<float> similarities, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(similarities);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        Lengths.Exact(nameof(similarities), similarities.Count, rows, columns);
        return new RegionMatching(
            [.. Enumerable.Range(0, rows).Select(row => Best(row, columns, column => similarities[(row * columns) + column]))],
            [.. Enumerable.Range(0, columns).Select(column => Best(column, rows, row => similarities[(row * columns) + column]))]);
    }

    private static RegionMatch Best(int from, int count, Func<int, float> similarity)
    {
        var best = 0;
        for (var i = 1; i < count; i++)
        {
            if (similarity(i) > similarity(best))
            {
                best = i;
            }
        }

        return new RegionMatch(from, best, similarity(best));
    }
}
