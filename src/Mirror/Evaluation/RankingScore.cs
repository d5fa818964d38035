// What an evaluation says: one mean, and the result of every query behind it. A query without positives has no average
// precision; it is counted and left out of the mean, never NaN.

using System.Globalization;

namespace Mirror.Evaluation;

/// <summary>Result of one query.</summary>
/// <param name="Query">Name of the query, or its index where the protocol has no names.</param>
/// <param name="AveragePrecision">0..1; null where the query has no positives.</param>
/// <param name="Positives">Images that should be found.</param>
/// <param name="Found">Positives among the ranked images.</param>
/// <param name="Retrieved">Ranked images that were judged: without those the protocol ignores.</param>
public sealed record QueryScore(string Query, double? AveragePrecision, int Positives, int Found, int Retrieved)
{
    /// <summary>Precision at each of <see cref="RevisitedBenchmark.Cutoffs"/>, 0..1; null in the other protocols and where there are no positives.</summary>
    public IReadOnlyList<double>? PrecisionAt { get; init; }
}

/// <summary>Result of a ranking under one protocol.</summary>
/// <param name="Level">Difficulty (easy, medium, hard); null where the protocol has one level.</param>
/// <param name="MeanAveragePrecision">Mean over the queries with positives, 0..1.</param>
/// <param name="Queries">Queries over which the mean is taken.</param>
/// <param name="WithoutPositives">Queries left out, because nothing could be found for them.</param>
/// <param name="PerQuery">Every query, those left out included, in the order of the protocol.</param>
public sealed record RankingScore(string? Level, double MeanAveragePrecision, int Queries, int WithoutPositives, IReadOnlyList<QueryScore> PerQuery)
{
    /// <summary>Mean precision at each of <see cref="RevisitedBenchmark.Cutoffs"/>; null in the other protocols.</summary>
    public IReadOnlyList<double>? MeanPrecisionAt { get; init; }

    /// <summary>What the reader of the figures should know, one line each.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>Takes the mean.</summary>
    /// <param name="level">See <see cref="Level"/>.</param>
    /// <param name="queries">Every query of the protocol.</param>
    /// <param name="groundTruth">The file, for the message.</param>
    /// <param name="notices">See <see cref="Notices"/>.</param>
    /// <exception cref="InvalidDataException">No query has positives.</exception>
    internal static RankingScore Mean(string? level, IReadOnlyList<QueryScore> queries, string groundTruth, IEnumerable<string> notices)
    {
        var judged = queries.Where(query => query.AveragePrecision is not null).ToArray();
        if (judged.Length == 0)
        {
            throw new InvalidDataException($"{groundTruth}: {(level is null ? "" : level + ": ")}none of the {queries.Count} queries has positives: nothing to evaluate against");
        }

        var empty = queries.Count - judged.Length;
        var told = empty == 0 ? [] : new[] { $"{(level is null ? "" : level + ": ")}{empty} of {queries.Count} queries have no positives and are left out of the mean" };
        return new RankingScore(level, judged.Sum(query => query.AveragePrecision!.Value) / judged.Length, judged.Length, empty, queries)
        {
            Notices = [.. notices, .. told],
        };
    }

    /// <summary>Tells how many names of the ground truth no ranking over <paramref name="images"/> can contain.</summary>
    /// <exception cref="InvalidDataException">None of the names is in the list.</exception>
    internal static IEnumerable<string> Unlisted(IReadOnlySet<string> names, NameList images, string groundTruth)
    {
        var missing = names.Count(name => !images.Contains(name));
        if (missing == names.Count && missing > 0)
        {
            throw new InvalidDataException($"{groundTruth}: none of its {missing} images, such as '{names.First()}', is in {images.Path}: is that the list of this collection?");
        }

        return missing == 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"{missing} of {names.Count} images of the ground truth are not in {images.Path}: they count as not found")];
    }
}
