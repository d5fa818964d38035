// candidates.tsv: a table of all candidate pairs. Tab-separated, as names may hold spaces; a tab, a line break and a backslash in a name are
// written as \t, \n, \r and \\.

using System.Globalization;
using Mirror.Formats;

namespace Mirror.Pairs;

/// <summary>Reads and writes <c>candidates.tsv</c>.</summary>
public static class PairTableFile
{
    /// <summary>Name of the file beside <c>images.txt</c>.</summary>
    public const string FileName = "candidates.tsv";

    private const string Header = "first\tsecond\tscore\tweight\trank_of_second\trank_of_first\tsources\trule";
    private const int Columns = 8;

    /// <summary>Writes one line a pair after a line of column names; what was not measured is empty.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, PairTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        AtomicFile.WriteLines(path, table.Pairs.Select(pair => Line(table.Names, pair)).Prepend(Header));
    }

    /// <summary>Reads a table whose images are in <paramref name="names"/>.</summary>
    /// <param name="path">A file that <see cref="Write"/> wrote.</param>
    /// <param name="names">Names of all images, in the order of their indices.</param>
    /// <exception cref="InvalidDataException">Names the line that is none of the table's, or whose image is unknown.</exception>
    public static PairTable Read(string path, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var indices = new Dictionary<string, int>(names.Count, StringComparer.Ordinal);
        for (var i = 0; i < names.Count; i++)
        {
            if (!indices.TryAdd(Escaped(names[i]), i))
            {
                throw new InvalidDataException($"{path}: two images are called {names[i]}");
            }
        }

        var pairs = new List<CandidatePair>();
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (number == 1)
            {
                if (line != Header)
                {
                    throw new InvalidDataException($"{path} is no table of candidate pairs: its first line is not \"{Header}\"");
                }

                continue;
            }

            pairs.Add(Parse(line, indices) ?? throw new InvalidDataException($"{path}, line {number}: \"{line}\" is no candidate pair of the {names.Count} images"));
        }

        return number > 0 ? new PairTable(names, pairs) : throw new InvalidDataException($"{path} is empty");
    }

    private static string Line(IReadOnlyList<string> names, CandidatePair pair) => string.Join(
        '\t',
        Escaped(names[pair.First]),
        Escaped(names[pair.Second]),
        Text(pair.Score),
        Text(pair.Weight),
        Text(pair.RankOfSecond),
        Text(pair.RankOfFirst),
        Text(pair.Sources),
        pair.Rule.ToString());

    /// <summary>"retrieval,gps".</summary>
    internal static string Text(PairSources sources) => sources.ToString().Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();

    private static string Escaped(string name) => name
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\t", "\\t", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal)
        .Replace("\r", "\\r", StringComparison.Ordinal);

    private static CandidatePair? Parse(string line, Dictionary<string, int> indices)
    {
        var fields = line.Split('\t');
        return fields.Length == Columns
            && indices.TryGetValue(fields[0], out var first)
            && indices.TryGetValue(fields[1], out var second)
            && first < second
            && Number(fields[2]) is { } score
            && Number(fields[3]) is { } weight
            && Rank(fields[4]) is { } rankOfSecond
            && Rank(fields[5]) is { } rankOfFirst
            && Enum.TryParse<PairSources>(fields[6], ignoreCase: true, out var sources)
            && Enum.TryParse<PairRule>(fields[7], out var rule)
            && Enum.IsDefined(rule)
                ? new CandidatePair(first, second) { Score = score, Weight = weight, RankOfSecond = rankOfSecond, RankOfFirst = rankOfFirst, Sources = sources, Rule = rule }
                : null;
    }

    /// <summary>The shortest text that reads back as the same float; empty for NaN.</summary>
    internal static string Text(float value) => float.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A rank; empty where there is none.</summary>
    internal static string Text(int rank) => rank == CandidatePair.Unranked ? "" : rank.ToString(CultureInfo.InvariantCulture);

    private static float? Number(string text) =>
        text.Length == 0 ? float.NaN : float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && float.IsFinite(value) ? value : null;

    private static int? Rank(string text) =>
        text.Length == 0 ? CandidatePair.Unranked : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var rank) ? rank : null;
}
