// A golden match_pairs file, and how a ranking is compared with it: equal scores at equal ranks, and equal images wherever
// neighbouring scores differ by more than the tolerance.

using NUnit.Framework;
using System.Globalization;
using Mirror.Pipeline;

namespace Mirror.Tests.TestSupport;

internal sealed class ExpectedRanking
{
    // Scores are stated to about 1e-6; distances above 1 are compared relatively, as float32 rounds them.
    private const double Tolerance = 2e-6;

    private readonly List<List<(int Id, double Score)>> queries = [];

    public ExpectedRanking(string path)
    {
        foreach (var line in File.ReadLines(path))
        {
            var columns = line.Split(' ');
            var query = int.Parse(columns[0], CultureInfo.InvariantCulture);
            while (queries.Count <= query)
            {
                queries.Add([]);
            }

            queries[query].Add((int.Parse(columns[1], CultureInfo.InvariantCulture), double.Parse(columns[2], CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>Asserts equality and returns the largest score difference.</summary>
    public double AssertEqual(Ranking ranking) =>
        AssertEqual([.. Enumerable.Range(0, ranking.Result.Queries).Select(query =>
            Enumerable.Range(0, ranking.Result.K).Select(rank => (ranking.Id(query, rank), ranking.Score(query, rank))).ToList())]);

    /// <summary>Asserts equality with another match_pairs file and returns the largest score difference.</summary>
    public double AssertEqual(ExpectedRanking written) => AssertEqual(written.queries);

    private double AssertEqual(List<List<(int Id, double Score)>> actual)
    {
        Assert.That(actual, Has.Count.EqualTo(queries.Count), "queries");
        var worst = 0.0;
        for (var query = 0; query < queries.Count; query++)
        {
            var expected = queries[query];
            Assert.That(actual[query], Has.Count.EqualTo(expected.Count), $"results of query {query}");
            var scores = expected.ToDictionary(item => item.Id, item => item.Score);
            for (var rank = 0; rank < expected.Count; rank++)
            {
                var (id, score) = actual[query][rank];
                var limit = Tolerance * Math.Max(1, Math.Abs(expected[rank].Score));
                var difference = Math.Abs(score - expected[rank].Score);
                worst = Math.Max(worst, difference);
                Assert.That(difference, Is.LessThanOrEqualTo(limit), $"query {query}, rank {rank}: score {score}, expected {expected[rank].Score}");
                if (id != expected[rank].Id)
                {
                    // Outside the expected list only the last rank can have a rival.
                    var rival = scores.TryGetValue(id, out var known) ? known : expected[^1].Score;
                    Assert.That(Math.Abs(rival - expected[rank].Score), Is.LessThanOrEqualTo(2 * limit), $"query {query}, rank {rank}: image {id}, expected {expected[rank].Id}");
                }
            }
        }

        return worst;
    }
}
