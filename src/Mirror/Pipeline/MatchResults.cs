// The result folder of a match: match_pairs, images.txt (line number = index), pairs.txt, candidates.tsv, skipped.txt, summary.json.

using Mirror.Formats;
using Mirror.Pairs;

namespace Mirror.Pipeline;

/// <summary>Writes what <c>mirror match</c> leaves.</summary>
public static class MatchResults
{
    /// <summary>Name of the file that tells how the <c>match_pairs</c> beside it was made.</summary>
    public const string SummaryName = "summary.json";

    /// <summary>Writes the result files and returns the unordered pairs, best first.</summary>
    /// <param name="folder">Result folder; created when absent.</param>
    /// <param name="extraction">What was extracted.</param>
    /// <param name="ranking">All against all, in the order of <see cref="ExtractionReport.Photos"/>.</param>
    /// <param name="metric">Which scores are better.</param>
    public static IReadOnlyList<ImagePair> Write(string folder, ExtractionReport extraction, Ranking ranking, Metric metric)
    {
        ArgumentNullException.ThrowIfNull(extraction);
        var names = extraction.Photos.Select(photo => photo.Name).ToArray();
        var pairs = PairFiles.Unordered(ranking, metric);
        PairFiles.WriteMatchPairs(Path.Combine(folder, "match_pairs"), ranking);
        PairFiles.WriteNamed(Path.Combine(folder, "pairs.txt"), pairs, names);
        PairTableFile.Write(Path.Combine(folder, PairTableFile.FileName), PairFiles.Candidates(pairs, metric, names));
        AtomicFile.WriteLines(Path.Combine(folder, "images.txt"), names);
        WriteSkipped(folder, extraction.Skipped);
        return pairs;
    }

    /// <summary>Writes any other text file of the folder whole or not at all.</summary>
    public static void WriteText(string folder, string name, string text) => AtomicFile.WriteText(Path.Combine(folder, name), text);

    internal static void WriteSkipped(string folder, IEnumerable<SkippedPhoto> skipped) =>
        AtomicFile.WriteLines(Path.Combine(folder, "skipped.txt"), skipped.Select(photo => $"{photo.Name}\t{photo.Reason}"));
}
