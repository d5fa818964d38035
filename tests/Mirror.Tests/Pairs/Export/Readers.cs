// The readers of other programs, restated from what is known of them, oddities included: what these make of a file is what the program would.

using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Mirror.Tests.Pairs.Export;

internal static partial class Readers
{
    /// <summary>COLMAP: lines trimmed, '#' lines passed over, names split at one space; unknown names cost a line, self pairs and repetitions are dropped.</summary>
    public static List<(string, string)> Colmap(byte[] file, ICollection<string> images, List<string> errors)
    {
        var seen = new HashSet<(string, string)>();
        var pairs = new List<(string, string)>();
        foreach (var line in Lines(file).Select(line => line.Trim(' ', '\t', '\r', '\n', '\v', '\f')))
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var words = line.Split(' ');
            var (first, second) = (words[0], words.Length > 1 ? words[1] : "");
            if (!images.Contains(first) || !images.Contains(second))
            {
                errors.Add($"{(images.Contains(first) ? second : first)} does not exist");
            }
            else if (first != second && seen.Add(string.CompareOrdinal(first, second) < 0 ? (first, second) : (second, first)))
            {
                pairs.Add((first, second));
            }
        }

        return pairs;
    }

    /// <summary>hloc's triangulation: every line, an empty one too, must split into exactly two words, as Python splits.</summary>
    public static List<(string, string)> Hloc(byte[] file)
    {
        var text = Encoding.UTF8.GetString(file).ReplaceLineEndings("\n");
        var lines = (text.EndsWith('\n') ? text[..^1] : text).Split('\n');
        return [.. lines.Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [var q, var r] ? (q, r) : throw new FormatException($"not enough or too many values to unpack: {line}"))];
    }

    /// <summary>openMVG: words at single spaces; what is no number reads as 0; a line of one word or a self pair rejects the file, as an index out of range does.</summary>
    public static HashSet<(ulong, ulong)>? OpenMvg(byte[] file, ulong views)
    {
        var pairs = IdLines(file, line => line.Split(' '));
        return pairs is null || pairs.Any(pair => pair.Item1 >= views || pair.Item2 >= views) ? null : pairs;
    }

    /// <summary>AliceVision: lines trimmed, words at spaces and tabs however many; otherwise as openMVG, without a limit.</summary>
    public static HashSet<(ulong, ulong)>? AliceVision(byte[] file) =>
        IdLines(file, line => line.Trim().Split([' ', '\t'], StringSplitOptions.None) is var words && words is [""] ? words : [.. words.Where(word => word.Length > 0)]);

    /// <summary>MicMac: the text of every Cple, two names.</summary>
    public static List<(string, string)> MicMac(byte[] file)
    {
        var root = XDocument.Parse(Encoding.UTF8.GetString(file)).Root!;
        if (root.Name != "SauvegardeNamedRel")
        {
            throw new FormatException($"root is {root.Name}");
        }

        return [.. root.Elements("Cple").Select(pair => pair.Value.Split(' ') is [var a, var b] ? (a, b) : throw new FormatException(pair.Value))];
    }

    /// <summary>kapture: the first line names the version, other '#' lines are passed over, columns end at a comma.</summary>
    public static List<(string, string, double)> Kapture(byte[] file)
    {
        var lines = Lines(file);
        if (!KaptureVersion().IsMatch(lines[0]))
        {
            throw new FormatException(lines[0]);
        }

        return [.. lines.Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(',') is [var q, var m, var s] ? (q.Trim(), m.Trim(), double.Parse(s, System.Globalization.CultureInfo.InvariantCulture)) : throw new FormatException(line))];
    }

    private static HashSet<(ulong, ulong)>? IdLines(byte[] file, Func<string, string[]> split)
    {
        var pairs = new HashSet<(ulong, ulong)>();
        foreach (var words in Lines(file).Select(split))
        {
            if (words.Length < 2)
            {
                return null;
            }

            var first = Digits(words[0]);
            foreach (var second in words[1..].Select(Digits))
            {
                if (first == second)
                {
                    return null;
                }

                pairs.Add((Math.Min(first, second), Math.Max(first, second)));
            }
        }

        return pairs;
    }

    // A C++ stream reads the digits at the start of a word; none are 0.
    private static ulong Digits(string word)
    {
        var digits = string.Concat(word.TakeWhile(char.IsAsciiDigit));
        return digits.Length == 0 ? 0 : ulong.Parse(digits, System.Globalization.CultureInfo.InvariantCulture);
    }

    // std::getline: '\n' only, and no empty line after the last. The byte-order mark stays part of the first word.
    private static string[] Lines(byte[] file)
    {
        var lines = new UTF8Encoding(false).GetString(file).Split('\n');
        return lines[^1].Length == 0 ? lines[..^1] : lines;
    }

    [GeneratedRegex(@"^# kapture format: 1\.\d")]
    private static partial Regex KaptureVersion();
}
