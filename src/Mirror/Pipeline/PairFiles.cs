// The result files: match_pairs in the original's format, and pairs.txt with names, each unordered pair once.

using System.Globalization;
using Mirror.Formats;
using Mirror.Pairs;

namespace Mirror.Pipeline;

/// <summary>An unordered pair of images.</summary>
/// <param name="First">The lower index.</param>
/// <param name="Second">The higher index.</param>
/// <param name="Score">The better of the two directions, divided by R.</param>
public readonly record struct ImagePair(int First, int Second, double Score)
{
    /// <summary>Rank of <see cref="Second"/> among the others in the list of <see cref="First"/>, 0 is the best; <see cref="CandidatePair.Unranked"/> where it is not in it.</summary>
    public int RankOfSecond { get; init; } = CandidatePair.Unranked;

    /// <summary>Rank of <see cref="First"/> among the others in the list of <see cref="Second"/>, likewise.</summary>
    public int RankOfFirst { get; init; } = CandidatePair.Unranked;
}

/// <summary>Writes rankings.</summary>
public static class PairFiles
{
    /// <summary>Writes <c>query database score</c> lines, best first within a query, scores as Python prints doubles, no newline
    /// at the end (deep_query.py's <c>match_pairs</c>). A summary beside an earlier ranking is deleted first: it would name the wrong settings.</summary>
    public static void WriteMatchPairs(string path, Ranking ranking)
    {
        ArgumentNullException.ThrowIfNull(ranking);
        var summary = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, MatchResults.SummaryName);
        if (File.Exists(summary))
        {
            File.Delete(summary);
        }

        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true);
            var first = true;
            for (var query = 0; query < ranking.Result.Queries; query++)
            {
                for (var rank = 0; rank < ranking.Result.K; rank++)
                {
                    if (!first)
                    {
                        writer.Write('\n');
                    }

                    first = false;
                    writer.Write(string.Create(CultureInfo.InvariantCulture, $"{query} {ranking.Id(query, rank)} {PythonFloat.Format(ranking.Score(query, rank))}"));
                }
            }
        });
    }

    /// <summary>The unordered pairs of an all-against-all ranking without self pairs, best first, then by index. A pair found
    /// in both directions has the better score.</summary>
    /// <param name="ranking">Every image was a query.</param>
    /// <param name="metric">Which scores are better.</param>
    public static IReadOnlyList<ImagePair> Unordered(Ranking ranking, Metric metric)
    {
        ArgumentNullException.ThrowIfNull(ranking);
        var sign = metric == Metric.Dot ? 1 : -1;
        var found = new Dictionary<(int, int), ImagePair>();
        for (var query = 0; query < ranking.Result.Queries; query++)
        {
            var others = 0;
            for (var rank = 0; rank < ranking.Result.K; rank++)
            {
                var other = ranking.Id(query, rank);
                if (other == query)
                {
                    continue;
                }

                var score = ranking.Score(query, rank);
                var (first, second) = (Math.Min(query, other), Math.Max(query, other));
                var pair = found.TryGetValue((first, second), out var known) ? known : new ImagePair(first, second, score);
                pair = pair with { Score = sign * pair.Score < sign * score ? score : pair.Score };
                found[(first, second)] = query == first ? pair with { RankOfSecond = others } : pair with { RankOfFirst = others };
                others++;
            }
        }

        return [.. found.Values
            .OrderByDescending(pair => sign * pair.Score)
            .ThenBy(pair => pair.First)
            .ThenBy(pair => pair.Second)];
    }

    /// <summary>The same pairs as a table of candidates, all kept. Their weight is the score, negated where less is better.</summary>
    /// <param name="pairs">As from <see cref="Unordered"/>.</param>
    /// <param name="metric">Which scores are better.</param>
    /// <param name="names">Of the images.</param>
    public static PairTable Candidates(IReadOnlyList<ImagePair> pairs, Metric metric, IReadOnlyList<string> names) => new(names, [.. pairs.Select(pair =>
        new CandidatePair(pair.First, pair.Second)
        {
            Score = (float)pair.Score,
            Weight = (float)(metric == Metric.Dot ? pair.Score : -pair.Score),
            RankOfSecond = pair.RankOfSecond,
            RankOfFirst = pair.RankOfFirst,
            Sources = PairSources.Retrieval,
            Rule = PairRule.Best,
        })]);

    /// <summary>Writes <c>name name score</c> lines in the given order.</summary>
    public static void WriteNamed(string path, IReadOnlyList<ImagePair> pairs, IReadOnlyList<string> names) =>
        AtomicFile.WriteLines(path, pairs.Select(pair =>
            string.Create(CultureInfo.InvariantCulture, $"{names[pair.First]} {names[pair.Second]} {pair.Score:F6}")));
}
