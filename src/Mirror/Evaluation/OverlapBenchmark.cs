// Mean average precision against pairs with a known overlap, the arithmetic of the original's compute_overlap_benchmark.py
// (the GL3D protocol of Shen et al. 2018): trapezoid AP over each ranked list, the image itself left out of both sides.

using System.Globalization;

namespace Mirror.Evaluation;

/// <summary>Evaluates a <c>match_pairs</c> file by the overlap of photographs (GL3D).</summary>
public static class OverlapBenchmark
{
    /// <summary>Compares a ranking with ground truth; both files hold <c>i j ...</c> lines, further columns are ignored.</summary>
    /// <param name="matchPairs">The ranking, best first for each image.</param>
    /// <param name="groundTruth">Pairs with a large overlap, both directions; a repeated line counts as a further positive.</param>
    /// <param name="images">Names of the images for the results per query; null: their indices.</param>
    /// <exception cref="InvalidDataException">A line that does not start with two indices, or no ground truth at all.</exception>
    public static RankingScore Evaluate(string matchPairs, string groundTruth, NameList? images = null)
    {
        var truth = RankedLists.Read(groundTruth, images, images);
        var results = RankedLists.Read(matchPairs, images, images);
        var queries = new List<QueryScore>();
        foreach (var (query, listed) in truth)
        {
            var total = listed.Count(other => other != query);
            if (total > 0)
            {
                var score = AveragePrecision.Trapezoids(results.GetValueOrDefault(query) ?? [], listed.ToHashSet(), new HashSet<int> { query }, total);
                queries.Add(new QueryScore(images?.Names[query] ?? query.ToString(CultureInfo.InvariantCulture), score.Value, total, score.Found, score.Judged));
            }
        }

        return queries.Count > 0
            ? RankingScore.Mean(null, queries, groundTruth, [])
            : throw new InvalidDataException($"{groundTruth} holds no pair of two different images: nothing to evaluate against");
    }
}
