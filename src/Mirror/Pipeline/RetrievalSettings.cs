// Options of a search over descriptors, as on the command line.

namespace Mirror.Pipeline;

/// <summary>How descriptors are whitened, compared and ranked.</summary>
public sealed record RetrievalSettings
{
    /// <summary>What becomes a row; <see cref="Aggregation.Regions"/> is PR-MAC.</summary>
    public Aggregation Aggregation { get; init; } = Aggregation.Regions;

    /// <summary>How region similarities become one score.</summary>
    public Similarity Similarity { get; init; } = Similarity.PrMac;

    /// <summary>Dot product of unit rows, or squared Euclidean distance of raw rows (smaller is better).</summary>
    public Metric Metric { get; init; } = Metric.Dot;

    /// <summary>Whitened dimension, at least 1; null: none asked for.</summary>
    public int? Dimension { get; init; }

    /// <summary>Share of the variance to keep, between 0 and 1, instead of a dimension; null: none asked for.</summary>
    public double? Variance { get; init; }

    /// <summary>A fitted whitening to load instead; null: none.</summary>
    public string? WhiteningFile { get; init; }

    /// <summary>Where to save the whitening that was used; null: nowhere.</summary>
    public string? SaveWhitening { get; init; }

    /// <summary>How the search keeps and multiplies descriptors: fp32, or on a GPU fp16.</summary>
    public Precision SearchPrecision { get; init; } = Precision.Fp32;

    /// <summary>Results per query, at least 1.</summary>
    public int Top { get; init; } = 200;

    /// <summary>Neighbours that a query is expanded with; 0: no expansion.</summary>
    public int ExpandNeighbours { get; init; }

    /// <summary>Rounds of expansion, at least 1.</summary>
    public int ExpandTimes { get; init; } = 1;

    /// <summary>Refuses combinations that have no meaning.</summary>
    /// <exception cref="ArgumentException">Names the values.</exception>
    public void Validate()
    {
        Require(Top >= 1, $"--top is {Top}, expected at least 1");
        Require(Dimension is null or >= 1, $"--dim is {Dimension}, expected at least 1");
        Require(Variance is null or (> 0 and < 1), $"--variance is {Variance}, expected between 0 and 1");
        Require(ExpandNeighbours >= 0, $"--expand is {ExpandNeighbours}, expected at least 0");
        Require(ExpandTimes >= 1, $"--expand-times is {ExpandTimes}, expected at least 1");
        Require(ExpandTimes == 1 || ExpandNeighbours > 0, $"--expand-times {ExpandTimes} does nothing without --expand K: give both");
        Require(Dimension is null || Variance is null, "--dim and --variance exclude each other: give one");
        Require(WhiteningFile is null || (Dimension is null && Variance is null), "--whitening brings its own dimension: leave --dim and --variance out");
        Require(SearchPrecision == Precision.Fp32 || Metric == Metric.Dot, "--search-precision fp16 multiplies only: it cannot be combined with --euclidean");
        Require(
            Metric == Metric.Dot || ExpandNeighbours == 0,
            "--expand weighs neighbours by similarity, so it cannot be combined with --euclidean (where larger is worse)");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ArgumentException(message);
        }
    }
}
