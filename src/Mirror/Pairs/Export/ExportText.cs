// Lines as other programs read them: UTF-8 without byte-order mark, '\n', numbers without a locale.

using System.Globalization;
using System.Text;

namespace Mirror.Pairs.Export;

internal static class ExportText
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Each line ended by a line feed.</summary>
    public static void WriteLines(Stream stream, IEnumerable<string> lines)
    {
        using var writer = new StreamWriter(stream, Utf8, leaveOpen: true) { NewLine = "\n" };
        foreach (var line in lines)
        {
            writer.WriteLine(line);
        }
    }

    /// <summary>The text as it is.</summary>
    public static void WriteText(Stream stream, string text) => stream.Write(Utf8.GetBytes(text));

    /// <summary>The shortest text that reads back as the same float; empty where there is none.</summary>
    public static string Number(float value) => float.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A rank; empty where there is none.</summary>
    public static string Rank(int rank) => rank == CandidatePair.Unranked ? "" : rank.ToString(CultureInfo.InvariantCulture);

    /// <summary>"retrieval,gps".</summary>
    public static string Sources(PairSources sources) => string.Join(',', SourceNames(sources));

    /// <summary>The names of the sources, in the order of their bits.</summary>
    public static IEnumerable<string> SourceNames(PairSources sources) =>
        Enum.GetValues<PairSources>().Where(source => source != PairSources.None && sources.HasFlag(source)).Select(source => source.ToString().ToLowerInvariant());
}
