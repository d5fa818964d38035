// Oxford5k and Paris6k (Philbin et al. 2007, 2008): good and ok images are positives, junk does not advance the rank, and the
// query itself, being in its own good list, counts. Ground truth is three text files a query, names without extension.

namespace Mirror.Evaluation;

/// <summary>Evaluates a <c>match_pairs</c> file by the Oxford5k / Paris6k protocol.</summary>
public static class OxfordBenchmark
{
    /// <summary>Compares a ranking with <c>QUERY_good.txt</c>, <c>QUERY_ok.txt</c> and <c>QUERY_junk.txt</c>.</summary>
    /// <param name="matchPairs">The ranking: query and image indices, best first for each query.</param>
    /// <param name="images">Names of the images.</param>
    /// <param name="queries">Names of the queries, e.g. <c>all_souls_1</c>.</param>
    /// <param name="groundTruth">Folder of the ground-truth files.</param>
    /// <param name="asPublished">Float arithmetic, and the mean of the values as printed with 6 digits, as in the original; else double.</param>
    /// <exception cref="FileNotFoundException">A query has no ground truth.</exception>
    /// <exception cref="InvalidDataException">A file is not what it should be, or no query has positives.</exception>
    public static RankingScore Evaluate(string matchPairs, NameList images, NameList queries, string groundTruth, bool asPublished)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(queries);
        var ranking = RankedLists.Read(matchPairs, queries, images);
        var known = new HashSet<string>(StringComparer.Ordinal);
        var scores = new List<QueryScore>();
        for (var query = 0; query < queries.Count; query++)
        {
            var name = queries.Names[query];
            var positives = Names(groundTruth, name, "good");
            positives.UnionWith(Names(groundTruth, name, "ok"));
            var junk = Names(groundTruth, name, "junk");
            known.UnionWith(positives);
            var ranked = (ranking.GetValueOrDefault(query) ?? []).Select(image => images.Names[image]);
            var score = positives.Count == 0
                ? new AveragePrecision(0, 0, ranked.Count(image => !junk.Contains(image)))
                : asPublished
                    ? AveragePrecision.PrintedFloat(ranked, positives, junk, positives.Count)
                    : AveragePrecision.Trapezoids(ranked, positives, junk, positives.Count);
            scores.Add(new QueryScore(name, positives.Count == 0 ? null : score.Value, positives.Count, score.Found, score.Judged));
        }

        return RankingScore.Mean(null, scores, groundTruth, RankingScore.Unlisted(known, images, groundTruth));
    }

    private static HashSet<string> Names(string folder, string query, string kind)
    {
        var path = Path.Combine(folder, $"{query}_{kind}.txt");
        return File.Exists(path)
            ? NameList.ReadSet(path)
            : throw new FileNotFoundException($"{path} does not exist: --gt is the folder with QUERY_good.txt, QUERY_ok.txt and QUERY_junk.txt of every query", path);
    }
}
