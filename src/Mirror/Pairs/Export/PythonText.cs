// Names and pairs as text in a Python script: one a line, far quicker to load than as many literals.

using System.Globalization;

namespace Mirror.Pairs.Export;

internal static class PythonText
{
    /// <summary>"NAMES" and "PAIRS" of a script: names, and pairs of places among them.</summary>
    /// <param name="export">The pairs.</param>
    /// <param name="name">The name of an image in that program; without backslash and line break.</param>
    public static string Tables(PairExport export, Func<int, string> name)
    {
        var used = export.Used;
        var place = used.Select((image, i) => (image, i)).ToDictionary(item => item.image, item => item.i);
        return $"NAMES = {Lines(used.Select(image => name(image).Replace("\"", "\\\"", StringComparison.Ordinal)))}.split(\"\\n\")\n"
            + $"PAIRS = {Lines(export.Pairs.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{place[pair.First]} {place[pair.Second]}")))}.split(\"\\n\")\n";
    }

    private static string Lines(IEnumerable<string> lines) => $"\"\"\"\\\n{string.Join('\n', lines)}\\\n\"\"\"";
}
