// ROxford and RParis (Radenovic et al. 2018), by the rules of the authors' evaluation program: positives found are renumbered
// without the junk before them. Easy: hard counts as junk. Medium: easy and hard are positives. Hard: easy counts as junk.

namespace Mirror.Evaluation;

/// <summary>Evaluates a <c>match_pairs</c> file by the revisited Oxford / Paris protocol.</summary>
public static class RevisitedBenchmark
{
    private static readonly (string Name, Func<RevisitedQuery, IEnumerable<int>> Positives, Func<RevisitedQuery, IEnumerable<int>> Junk)[] s_levels =
    [
        ("easy", query => query.Easy, query => query.Junk.Concat(query.Hard)),
        ("medium", query => query.Easy.Concat(query.Hard), query => query.Junk),
        ("hard", query => query.Hard, query => query.Junk.Concat(query.Easy)),
    ];

    /// <summary>Ranks at which precision is taken. Precision at k is taken at the last positive where that comes before k.</summary>
    public static IReadOnlyList<int> Cutoffs { get; } = [1, 5, 10];

    /// <summary>Compares a ranking with ground truth at each level that any query has positives of; the others are named in the notices.</summary>
    /// <param name="matchPairs">The ranking: query and image indices, best first for each query. What it leaves out counts as not found.</param>
    /// <param name="images">Names of the images; those the ground truth does not know are distractors.</param>
    /// <param name="queries">Names of the queries: those of the ground truth, in any order.</param>
    /// <param name="truth">The ground truth.</param>
    /// <exception cref="InvalidDataException">The lists and the ground truth do not belong together, or no query has positives.</exception>
    public static IReadOnlyList<RankingScore> Evaluate(string matchPairs, NameList images, NameList queries, RevisitedGroundTruth truth)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(truth);
        if (truth.Queries.FirstOrDefault(query => !queries.Contains(query.Name)) is { } absent)
        {
            throw new InvalidDataException($"{queries.Path} lacks the query '{absent.Name}' of {truth.Path}: every query must be ranked");
        }

        var ranking = RankedLists.Read(matchPairs, queries, images);
        var known = truth.Images.Select((name, index) => (name, index)).ToDictionary(item => item.name, item => item.index, StringComparer.Ordinal);
        var notices = RankingScore.Unlisted(known.Keys.ToHashSet(StringComparer.Ordinal), images, truth.Path).ToList();
        var shortest = Enumerable.Range(0, queries.Count).Min(query => ranking.GetValueOrDefault(query)?.Count ?? 0);
        if (shortest < images.Count)
        {
            notices.Add($"the ranking has as few as {shortest} of {images.Count} images a query: positives beyond count as not found (the protocol ranks all: --top {images.Count})");
        }

        var lists = queries.Names.Select((name, index) => (name, index)).ToDictionary(
            item => item.name,
            item => (ranking.GetValueOrDefault(item.index) ?? []).Select(image => known.GetValueOrDefault(images.Names[image], -1)).ToArray(),
            StringComparer.Ordinal);
        var scores = new List<RankingScore>();
        foreach (var (name, positives, junk) in s_levels)
        {
            var results = truth.Queries.Select(query => Score(query.Name, lists[query.Name], positives(query).ToHashSet(), junk(query).ToHashSet())).ToArray();
            if (results.All(result => result.AveragePrecision is null))
            {
                notices.Add($"{name}: no query has positives");
                continue;
            }

            scores.Add(RankingScore.Mean(name, results, truth.Path, []) with { MeanPrecisionAt = MeanPrecision(results) });
        }

        return scores.Count > 0
            ? [scores[0] with { Notices = [.. notices, .. scores[0].Notices] }, .. scores[1..]]
            : throw new InvalidDataException($"{truth.Path}: no query has positives: nothing to evaluate against");
    }

    private static QueryScore Score(string name, int[] ranked, HashSet<int> positives, HashSet<int> junk)
    {
        var judged = ranked.Where(image => !junk.Contains(image)).ToArray();
        var ranks = Enumerable.Range(0, judged.Length).Where(rank => positives.Contains(judged[rank])).ToArray();
        return positives.Count == 0
            ? new QueryScore(name, null, 0, 0, judged.Length)
            : new QueryScore(name, AveragePrecision.OfRanks(ranks, positives.Count, judged.Length).Value, positives.Count, ranks.Length, judged.Length)
            {
                PrecisionAt = [.. Cutoffs.Select(cutoff => PrecisionAt(ranks, cutoff))],
            };
    }

    // The authors divide by the rank of the last positive where that comes first; a ranking that finds none has precision 0.
    private static double PrecisionAt(int[] ranks, int cutoff)
    {
        if (ranks.Length == 0)
        {
            return 0;
        }

        var at = Math.Min(ranks[^1] + 1, cutoff);
        return ranks.Count(rank => rank < at) / (double)at;
    }

    private static double[] MeanPrecision(QueryScore[] results)
    {
        var judged = results.Where(result => result.PrecisionAt is not null).ToArray();
        return [.. Cutoffs.Select((_, index) => judged.Sum(result => result.PrecisionAt![index]) / judged.Length)];
    }
}
