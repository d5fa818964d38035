// A pair that something proposed, and what became of it.

namespace Mirror.Pairs;

/// <summary>What proposed a pair; a pair can have several.</summary>
[Flags]
public enum PairSources
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>One image is among the other's best by similarity.</summary>
    Retrieval = 1,

    /// <summary>The images follow each other by name or time.</summary>
    Sequence = 2,

    /// <summary>The images were taken near each other.</summary>
    Gps = 4,

    /// <summary>A list named the pair.</summary>
    List = 8,
}

/// <summary>The rule that kept or removed a pair.</summary>
public enum PairRule
{
    /// <summary>Removed: the budget was spent on better pairs.</summary>
    Budget,

    /// <summary>Removed: its weight is below the cut.</summary>
    BelowCut,

    /// <summary>Removed: neither image has it among its k best.</summary>
    BeyondK,

    /// <summary>Removed: one of its images has as many pairs as it may.</summary>
    DegreeCap,

    /// <summary>Removed: it alone would join two parts, and is too doubtful for that.</summary>
    DoubtfulBridge,

    /// <summary>Kept: an edge of a maximum spanning forest.</summary>
    SpanningForest,

    /// <summary>Kept: among the best of the rest.</summary>
    Best,

    /// <summary>Kept: asked for by a list.</summary>
    Listed,
}

/// <summary>A candidate pair of images.</summary>
/// <param name="First">Index of an image.</param>
/// <param name="Second">Index of another, larger than <paramref name="First"/>.</param>
public readonly record struct CandidatePair(int First, int Second)
{
    /// <summary>Rank where the other image is not in the list.</summary>
    public const int Unranked = -1;

    /// <summary>Similarity, the better of both directions; NaN where it was not measured.</summary>
    public float Score { get; init; } = float.NaN;

    /// <summary>What pairs are chosen by: the score, corrected for hubs (CSLS), larger is better; NaN where there is no score.</summary>
    public float Weight { get; init; } = float.NaN;

    /// <summary>Rank of <see cref="Second"/> among the others in the list of <see cref="First"/>, 0 is the best.</summary>
    public int RankOfSecond { get; init; } = Unranked;

    /// <summary>Rank of <see cref="First"/> among the others in the list of <see cref="Second"/>, 0 is the best.</summary>
    public int RankOfFirst { get; init; } = Unranked;

    /// <summary>What proposed it.</summary>
    public PairSources Sources { get; init; }

    /// <summary>What became of it.</summary>
    public PairRule Rule { get; init; }

    /// <summary>Whether it is among the chosen pairs.</summary>
    public bool Kept => Rule >= PairRule.SpanningForest;
}
