// Looks at the names of a collection before hours of work, and tells which programs could not read them.

using System.Buffers;

namespace Mirror.Pairs.Export;

/// <summary>Names with one hazard.</summary>
/// <param name="Hazard">One flag.</param>
/// <param name="Images">Indices of the names, ascending; never empty.</param>
public sealed record NameFinding(NameHazards Hazard, IReadOnlyList<int> Images);

/// <summary>Finds names that some exporter cannot carry.</summary>
public static class NameCheck
{
    /// <summary>How many names a message gives.</summary>
    private const int Examples = 3;

    private static readonly SearchValues<char> Markup = SearchValues.Create("&<>");

    // In the order in which they are told.
    private static readonly (NameHazards Hazard, string What)[] Kinds =
    [
        (NameHazards.NotUnicode, "not in UTF-8"),
        (NameHazards.Space, "with a space"),
        (NameHazards.OuterSpace, "beginning or ending with a space"),
        (NameHazards.Tab, "with a tab or other white space"),
        (NameHazards.LeadingHash, "beginning with #"),
        (NameHazards.Backslash, "with a backslash"),
        (NameHazards.Comma, "with a comma"),
        (NameHazards.Markup, "with &, < or >"),
        (NameHazards.CaseClash, "differing only by upper and lower case"),
        (NameHazards.BaseNameClash, "occurring in several folders"),
    ];

    /// <summary>All findings, one for each kind that occurs.</summary>
    /// <param name="names">Relative names, '/' between folders.</param>
    public static IReadOnlyList<NameFinding> Find(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var whole = Counts(names);
        var bare = Counts(names.Select(BaseName));
        var found = Kinds.ToDictionary(kind => kind.Hazard, _ => new List<int>());
        for (var i = 0; i < names.Count; i++)
        {
            var hazards = Of(names[i])
                | (whole[names[i]] > 1 ? NameHazards.CaseClash : NameHazards.None)
                | (bare[BaseName(names[i])] > 1 ? NameHazards.BaseNameClash : NameHazards.None);
            foreach (var (hazard, _) in Kinds.Where(kind => hazards.HasFlag(kind.Hazard)))
            {
                found[hazard].Add(i);
            }
        }

        return [.. Kinds.Where(kind => found[kind.Hazard].Count > 0).Select(kind => new NameFinding(kind.Hazard, found[kind.Hazard]))];
    }

    /// <summary>The hazards of one name by itself.</summary>
    public static NameHazards Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var hazards = (name.StartsWith('#') ? NameHazards.LeadingHash : NameHazards.None)
            | (name.StartsWith(' ') || name.EndsWith(' ') ? NameHazards.OuterSpace : NameHazards.None);
        for (var i = 0; i < name.Length; i++)
        {
            hazards |= name[i] switch
            {
                ' ' => NameHazards.Space,
                '\\' => NameHazards.Backslash,
                ',' => NameHazards.Comma,
                var c when char.IsWhiteSpace(c) => NameHazards.Tab,
                // .NET reads bytes that are no UTF-8 as the replacement character.
                '\uFFFD' => NameHazards.NotUnicode,
                var c when char.IsHighSurrogate(c) && i + 1 < name.Length && char.IsLowSurrogate(name[i + 1]) => Skip(ref i),
                var c when char.IsSurrogate(c) => NameHazards.NotUnicode,
                _ => NameHazards.None,
            };
        }

        return name.AsSpan().ContainsAny(Markup) ? hazards | NameHazards.Markup : hazards;

        static NameHazards Skip(ref int i)
        {
            i++;
            return NameHazards.None;
        }
    }

    /// <summary>One line a finding: how many, which formats cannot carry them, three examples. Findings that no format minds are left out.</summary>
    public static IReadOnlyList<string> Describe(IReadOnlyList<NameFinding> findings, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(findings);
        return [.. findings
            .Select(finding => (Finding: finding, Formats: PairExporters.Names.Where(format => PairExporters.ByName(format).Refuses.HasFlag(finding.Hazard)).ToArray()))
            .Where(item => item.Formats.Length > 0)
            .Select(item => $"{Count(item.Finding, names)}: {string.Join(", ", item.Formats)} cannot carry them")];
    }

    /// <summary>What there is to do about it, for the end of a message.</summary>
    public const string Remedy = "rename them, or let mirror names IMAGES --stage-links DIR make a folder of links with safe names";

    /// <summary>Refuses names that an exporter cannot carry.</summary>
    /// <exception cref="InvalidDataException">Names of pairs have a hazard that it refuses; the message has counts and examples.</exception>
    internal static void Require(IPairExporter exporter, PairExport export)
    {
        var used = export.Used.ToHashSet();
        var refused = Find(export.Names)
            .Where(finding => exporter.Refuses.HasFlag(finding.Hazard))
            .Select(finding => finding with { Images = [.. finding.Images.Where(used.Contains)] })
            .Where(finding => finding.Images.Count > 0)
            .ToArray();
        if (refused.Length > 0)
        {
            throw new InvalidDataException($"{string.Join("; ", refused.Select(finding => Count(finding, export.Names)))}: {exporter.Format} cannot carry them: {Remedy}");
        }
    }

    /// <summary>"3 of 7 names: 'a', 'b', 'c'", with "..." where there are more.</summary>
    internal static string ListOf(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(Examples).Select(name => $"'{name.Replace("\t", "\\t", StringComparison.Ordinal)}'")) + (names.Count > Examples ? ", ..." : "");

    private static string Count(NameFinding finding, IReadOnlyList<string> names) =>
        $"{finding.Images.Count} {(finding.Images.Count == 1 ? "name" : "names")} {Array.Find(Kinds, kind => kind.Hazard == finding.Hazard).What} ({ListOf([.. finding.Images.Select(image => names[image])])})";

    private static string BaseName(string name) => name[(name.LastIndexOf('/') + 1)..];

    private static Dictionary<string, int> Counts(IEnumerable<string> names)
    {
        var counts = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in names)
        {
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        return counts;
    }
}
