// The result files: match_pairs in the original's format, and pairs.txt with names, each unordered pair once.

using System.Globalization;
using Mirror.Formats;

namespace Mirror.Pipeline;

/// <summary>An unordered pair of images.</summary>
/// <param name="First">The lower index.</param>
/// <param name="Second">The higher index.</param>
/// <param name="Score">The better of the two directions, divided by R.</param>
public readonly record struct ImagePair(int First, int Second, double Score);

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
        var best = new Dictionary<(int, int), double>();
        for (var query = 0; query < ranking.Result.Queries; query++)
        {
            for (var rank = 0; rank < ranking.Result.K; rank++)
            {
                var other = ranking.Id(query, rank);
                if (other == query)
                {
                    continue;
                }

                var key = (Math.Min(query, other), Math.Max(query, other));
                var score = ranking.Score(query, rank);
                if (!best.TryGetValue(key, out var known) || sign * score > sign * known)
                {
                    best[key] = score;
                }
            }
        }

        return [.. best
            .Select(entry => new ImagePair(entry.Key.Item1, entry.Key.Item2, entry.Value))
            .OrderByDescending(pair => sign * pair.Score)
            .ThenBy(pair => pair.First)
            .ThenBy(pair => pair.Second)];
    }

    /// <summary>Writes <c>name name score</c> lines in the given order.</summary>
    public static void WriteNamed(string path, IReadOnlyList<ImagePair> pairs, IReadOnlyList<string> names) =>
        AtomicFile.WriteLines(path, pairs.Select(pair =>
            string.Create(CultureInfo.InvariantCulture, $"{names[pair.First]} {names[pair.Second]} {pair.Score:F6}")));
}
