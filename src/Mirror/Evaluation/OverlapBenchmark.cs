// Mean average precision against pairs with a known overlap, the arithmetic of the original's compute_overlap_benchmark.py
// (the GL3D protocol of Shen et al. 2018): trapezoid AP over each ranked list, the image itself left out of both sides.

using System.Globalization;

namespace Mirror.Evaluation;

/// <summary>Result of an overlap evaluation.</summary>
/// <param name="MeanAveragePrecision">0..1.</param>
/// <param name="Queries">Images with ground truth, over which the mean is taken.</param>
public sealed record OverlapScore(double MeanAveragePrecision, int Queries);

/// <summary>Evaluates a <c>match_pairs</c> file.</summary>
public static class OverlapBenchmark
{
    /// <summary>Compares a ranking with ground truth; both files hold <c>i j ...</c> lines, further columns are ignored.</summary>
    /// <exception cref="InvalidDataException">A line that does not start with two indices, or no ground truth at all.</exception>
    public static OverlapScore Evaluate(string matchPairs, string groundTruth)
    {
        var truth = Read(groundTruth);
        if (truth.Count == 0)
        {
            throw new InvalidDataException($"{groundTruth} holds no pair of two different images: nothing to evaluate against");
        }

        var results = Read(matchPairs);
        var sum = truth.Sum(query => AveragePrecision(results.GetValueOrDefault(query.Key) ?? [], query.Value));
        return new OverlapScore(sum / truth.Count, truth.Count);
    }

    // Repeated ground-truth lines count as further positives, as in the original.
    private static double AveragePrecision(List<int> ranked, List<int> positives)
    {
        var relevant = positives.ToHashSet();
        double precision = 1, recall = 0, area = 0;
        var hits = 0;
        for (var rank = 0; rank < ranked.Count; rank++)
        {
            if (relevant.Contains(ranked[rank]))
            {
                hits++;
            }

            var newRecall = hits / (double)positives.Count;
            var newPrecision = hits / (rank + 1.0);
            area += (newRecall - recall) * (precision + newPrecision) / 2.0;
            (recall, precision) = (newRecall, newPrecision);
        }

        return area;
    }

    private static SortedDictionary<int, List<int>> Read(string path)
    {
        var lists = new SortedDictionary<int, List<int>>();
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.AsSpan().Trim().IsEmpty)
            {
                continue;
            }

            var columns = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length < 2 || !TryIndex(columns[0], out var query) || !TryIndex(columns[1], out var other))
            {
                throw new InvalidDataException($"{path}, line {number}: '{(line.Length <= 60 ? line : line[..60] + "...")}' does not start with two image indices");
            }

            if (query != other)
            {
                if (!lists.TryGetValue(query, out var list))
                {
                    lists.Add(query, list = []);
                }

                list.Add(other);
            }
        }

        return lists;
    }

    private static bool TryIndex(string text, out int index) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out index);
}
