// Matching images -> matching rows, what a whitening is learned from: of two images with R regions each, the pairs of regions
// that are each other's most similar.

using System.Globalization;
using Mirror.Explain;

namespace Mirror.Pipeline;

/// <summary>Learns a whitening from pairs of images that show the same surface.</summary>
public static class MatchingRows
{
    /// <summary>Reads pairs: <c>i j</c> lines of 0-based indices, or <c>name name</c> lines; further columns are ignored, as is the order.</summary>
    /// <param name="path">The file; match_pairs, pairs.txt and ground-truth lists are such.</param>
    /// <param name="features">The descriptor files that indices count, and that names (of photographs, with their folders) lead to.</param>
    /// <returns>Each unordered pair of two different images once, in the order of the file.</returns>
    /// <exception cref="InvalidDataException">A line that is no pair, an index out of range, an unknown name, or no pair at all.</exception>
    public static IReadOnlyList<(int First, int Second)> ReadPairs(string path, IReadOnlyList<string> features)
    {
        ArgumentNullException.ThrowIfNull(features);
        var byName = new Lazy<Dictionary<string, int>>(() => Names(features));
        var seen = new HashSet<(int, int)>();
        var pairs = new List<(int, int)>();
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.AsSpan().Trim().IsEmpty)
            {
                continue;
            }

            var columns = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length < 2)
            {
                throw new InvalidDataException($"{path}, line {number}: '{Shortened(line)}' is no pair of images: expected two indices or two names");
            }

            var (a, b) = (Find(columns[0]), Find(columns[1]));
            var pair = (Math.Min(a, b), Math.Max(a, b));
            if (a != b && seen.Add(pair))
            {
                pairs.Add(pair);
            }
        }

        return pairs.Count > 0 ? pairs : throw new InvalidDataException($"{path} holds no pair of two different images: nothing to learn from");

        int Find(string word)
        {
            if (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            {
                return index < features.Count
                    ? index
                    : throw new InvalidDataException($"{path}, line {number}: there is no image {index} among {features.Count} descriptor files");
            }

            return byName.Value.TryGetValue(word, out index) || byName.Value.TryGetValue(Path.ChangeExtension(word, null), out index)
                ? index
                : throw new InvalidDataException($"{path}, line {number}: no descriptor file is named after {Shortened(word)}: pairs and --features must come from one collection");
        }
    }

    /// <summary>Learns from every mutually best pair of regions of the image pairs.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="features">Rows as they will be whitened: normalise them first.</param>
    /// <param name="pairs">Indices into <paramref name="features"/>.</param>
    /// <param name="dimension">Components kept, 1..D; lowered as <see cref="Retrieval.FittedDimension"/> says, by the number of row pairs.</param>
    /// <param name="notice">Told where the number of row pairs lowers the dimension.</param>
    /// <param name="progress">Called with (pairs done, pairs).</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>The whitening, and the number of row pairs that it was learned from.</returns>
    /// <exception cref="ArgumentException">
    /// A dimension above D or what the rows carry; or fewer row pairs than D, whose differences do not span the space, or than the dimension takes.
    /// </exception>
    public static (Whitening Whitening, int Rows) Learn(
        Device device,
        FeatureSet features,
        IReadOnlyList<(int First, int Second)> pairs,
        int dimension,
        Action<string>? notice = null,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(pairs);
        Retrieval.RequireDimension(dimension, features.Dimension);
        var matches = new List<(long Query, long Positive)>();
        var scores = new float[features.Regions * features.Regions];
        for (var i = 0; i < pairs.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (first, second) = pairs[i];
            Operations.SimilarityScores(device, Image(features, first), Image(features, second), 1, features.Dimension, Similarity.PrMac, Metric.Dot, scores);
            foreach (var match in RegionMatching.Of(scores, features.Regions, features.Regions).Mutual)
            {
                matches.Add((((long)first * features.Regions) + match.From, ((long)second * features.Regions) + match.To));
            }

            progress?.Invoke(i + 1, pairs.Count);
        }

        if (matches.Count < features.Dimension)
        {
            throw new ArgumentException($"{pairs.Count} image pairs gave {matches.Count} pairs of regions, too few to learn a whitening of {features.Dimension}-dimensional descriptors: it takes one a dimension at least; use more image pairs or regions, or 'mirror whitening fit', which needs no pairs");
        }

        var kept = Retrieval.RequireFitted(dimension, matches.Count, "pairs of regions", "", notice);
        using var queries = Gather(features, matches.ConvertAll(match => match.Query));
        using var positives = Gather(features, matches.ConvertAll(match => match.Positive));
        return (Whitening.Learn(device, queries, positives, features.Dimension, kept), matches.Count);
    }

    private static Span<float> Image(FeatureSet features, int image)
    {
        var size = features.Regions * features.Dimension;
        return features.Rows.Slice((long)image * size, size);
    }

    private static FloatBuffer Gather(FeatureSet features, List<long> rows)
    {
        var (gathered, size) = (new FloatBuffer((long)rows.Count * features.Dimension), features.Dimension);
        for (var i = 0; i < rows.Count; i++)
        {
            features.Rows.Slice(rows[i] * size, size).CopyTo(gathered.Slice((long)i * size, size));
        }

        return gathered;
    }

    // Every trailing part of a descriptor's path without .npy that no other has: a/b/c.npy is c, b/c and a/b/c.
    private static Dictionary<string, int> Names(IReadOnlyList<string> features)
    {
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        var shared = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < features.Count; i++)
        {
            var path = Path.ChangeExtension(features[i].Replace('\\', '/'), null);
            for (var slash = path.Length; slash > 0;)
            {
                slash = path.LastIndexOf('/', slash - 1);
                if (!names.TryAdd(path[(slash + 1)..], i))
                {
                    shared.Add(path[(slash + 1)..]);
                }
            }
        }

        foreach (var name in shared)
        {
            names.Remove(name);
        }

        return names;
    }

    private static string Shortened(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
