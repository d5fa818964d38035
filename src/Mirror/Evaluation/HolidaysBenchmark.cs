// INRIA Holidays (Jegou et al. 2008): image 123401 shows what 123400 shows; multiples of 100 are the queries. The formula is the
// published one, written anew: a positive's rank is one less once the query itself has been passed.

using System.Globalization;

namespace Mirror.Evaluation;

/// <summary>Evaluates a ranking by the Holidays protocol.</summary>
public static class HolidaysBenchmark
{
    private const int GroupSize = 100;

    /// <summary>Evaluates a result file of the published program: <c>query rank image rank image ...</c> lines.</summary>
    /// <param name="results">The result file.</param>
    /// <param name="images">All images, the queries among them.</param>
    /// <exception cref="InvalidDataException">A line is malformed; a query is missing, unknown or repeated; an image is unknown or repeated.</exception>
    public static RankingScore EvaluateResults(string results, NameList images)
    {
        ArgumentNullException.ThrowIfNull(images);
        var numbers = Numbers(images);
        var known = numbers.ToHashSet();
        var rankings = new Dictionary<int, IReadOnlyList<int?>>();
        var line = 0;
        foreach (var text in File.ReadLines(results))
        {
            line++;
            var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0)
            {
                continue;
            }

            var query = Known(words[0]);
            if (query % GroupSize != 0)
            {
                throw Bad($"'{words[0]}' is no query: queries are multiples of {GroupSize}");
            }

            if (!rankings.TryAdd(query, Ranking(words)))
            {
                throw Bad($"the query '{words[0]}' comes twice");
            }
        }

        return Evaluate(results, numbers, rankings);

        // Ranks need not be listed in order, nor all of them.
        int?[] Ranking(string[] words)
        {
            if (words.Length % 2 == 0)
            {
                throw Bad($"{words.Length} words, expected a query and pairs of rank and image");
            }

            var ranked = new SortedDictionary<int, int>();
            var seen = new HashSet<int>();
            for (var word = 1; word < words.Length; word += 2)
            {
                var image = Known(words[word + 1]);
                if (!int.TryParse(words[word], NumberStyles.None, CultureInfo.InvariantCulture, out var rank) || !ranked.TryAdd(rank, image) || !seen.Add(image))
                {
                    throw Bad($"'{words[word]} {words[word + 1]}' is no rank with an image, or repeats one");
                }
            }

            var last = ranked.Count == 0 ? -1 : ranked.Keys.Last();
            if (last >= known.Count)
            {
                throw Bad($"rank {last} of {known.Count} images");
            }

            var list = new int?[last + 1];
            foreach (var (rank, image) in ranked)
            {
                list[rank] = image;
            }

            return list;
        }

        int Known(string name) =>
            TryNumber(NameList.Stem(name), out var number) && known.Contains(number) ? number : throw Bad($"'{name}' is not in {images.Path}");

        InvalidDataException Bad(string what) => new($"{results}, line {line}: {what}");
    }

    /// <summary>Evaluates a <c>match_pairs</c> file.</summary>
    /// <param name="matchPairs">The ranking: query and image indices, best first for each query.</param>
    /// <param name="images">Names of the images.</param>
    /// <param name="queries">Names of the queries; they need not be among the images.</param>
    /// <exception cref="InvalidDataException">A name is no number, a query is missing, an image is repeated, or a line is malformed.</exception>
    public static RankingScore EvaluatePairs(string matchPairs, NameList images, NameList queries)
    {
        ArgumentNullException.ThrowIfNull(queries);
        var numbers = Numbers(images);
        var asked = Numbers(queries);
        if (Array.Find(asked, number => number % GroupSize != 0) is var wrong and not 0)
        {
            throw new InvalidDataException($"{queries.Path}: {wrong} is no query: queries are multiples of {GroupSize}");
        }

        var ranking = RankedLists.Read(matchPairs, queries, images);
        foreach (var (query, list) in ranking)
        {
            // A positive that came twice would count twice.
            var seen = new HashSet<int>();
            if (list.FindIndex(image => !seen.Add(image)) is var again and not -1)
            {
                throw new InvalidDataException($"{matchPairs}: the query {asked[query]} ranks the image {numbers[list[again]]} twice: every image may come once");
            }
        }

        var rankings = ranking.ToDictionary(entry => asked[entry.Key], entry => (IReadOnlyList<int?>)[.. entry.Value.Select(image => (int?)numbers[image])]);
        return Evaluate(matchPairs, [.. numbers.Union(asked)], rankings);
    }

    // A rank that a result file leaves out is null: it counts as a wrong image.
    private static RankingScore Evaluate(string source, IReadOnlyCollection<int> images, Dictionary<int, IReadOnlyList<int?>> rankings)
    {
        var scores = new List<QueryScore>();
        foreach (var query in images.Where(image => image % GroupSize == 0).Order())
        {
            if (!rankings.TryGetValue(query, out var ranked))
            {
                throw new InvalidDataException($"{source} has no result for the query {query}: every query must be ranked");
            }

            var total = images.Count(image => image != query && image / GroupSize == query / GroupSize);
            var ranks = new List<int>();
            var self = 0;
            for (var rank = 0; rank < ranked.Count; rank++)
            {
                if (ranked[rank] == query)
                {
                    self = 1;
                }
                else if (ranked[rank] / GroupSize == query / GroupSize)
                {
                    ranks.Add(rank - self);
                }
            }

            var score = total == 0 ? (double?)null : AveragePrecision.OfRanks(ranks, total, ranked.Count - self).Value;
            scores.Add(new QueryScore(query.ToString(CultureInfo.InvariantCulture), score, total, ranks.Count, ranked.Count - self));
        }

        return RankingScore.Mean(null, scores, source, []);
    }

    private static int[] Numbers(NameList names)
    {
        ArgumentNullException.ThrowIfNull(names);
        int[] numbers = [.. names.Names.Select(name => TryNumber(name, out var number) ? number : throw new InvalidDataException($"{names.Path}: '{name}' is no number: images of Holidays are called 100000.jpg, 100001.jpg, ..."))];
        return numbers.Distinct().Count() == numbers.Length ? numbers : throw new InvalidDataException($"{names.Path}: two names are the same number");
    }

    private static bool TryNumber(string name, out int number) => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
