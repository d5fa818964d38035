// All candidate pairs of a collection with the names of its images: what every exporter, report and explanation reads.

namespace Mirror.Pairs;

/// <summary>The candidate pairs of a collection.</summary>
public sealed class PairTable
{
    /// <summary>Takes the names and pairs as they are.</summary>
    /// <param name="names">Of the images, with '/' between folders, relative to the photographs' folder.</param>
    /// <param name="pairs">Each unordered pair once.</param>
    /// <exception cref="ArgumentException">A pair's indices are out of range, equal or in the wrong order.</exception>
    public PairTable(IReadOnlyList<string> names, IReadOnlyList<CandidatePair> pairs)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(pairs);
        foreach (var pair in pairs)
        {
            if (pair.First < 0 || pair.First >= pair.Second || pair.Second >= names.Count)
            {
                throw new ArgumentException($"({pair.First}, {pair.Second}) is no pair of {names.Count} images: the lower index comes first");
            }
        }

        Names = names;
        Pairs = pairs;
    }

    /// <summary>Names of the images; an image's index is its place here.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>All candidates.</summary>
    public IReadOnlyList<CandidatePair> Pairs { get; }

    /// <summary>The chosen ones.</summary>
    public IEnumerable<CandidatePair> Kept => Pairs.Where(pair => pair.Kept);
}
