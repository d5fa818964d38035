// Positions of photographs from a table: name, latitude, longitude and perhaps altitude, tab-separated.

using System.Globalization;

namespace Mirror.Pairs.Export;

/// <summary>Reads tables of positions.</summary>
public static class Positions
{
    /// <summary>Reads "name TAB latitude TAB longitude [TAB altitude]" lines, degrees and metres; empty lines and those that begin with # are passed over.</summary>
    /// <param name="path">The table.</param>
    /// <param name="names">Names of the images.</param>
    /// <returns>Positions by index of the image, and how many lines name no image.</returns>
    /// <exception cref="InvalidDataException">A line is none of these, out of range, or names an image twice; the message names it.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static (IReadOnlyDictionary<int, GeoPosition> Found, int Strange) Read(string path, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var index = names.Select((name, i) => (name, i)).ToDictionary(item => item.name, item => item.i, StringComparer.Ordinal);
        var found = new Dictionary<int, GeoPosition>();
        var (number, strange) = (0, 0);
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.Length == 0 || line.StartsWith('#'))
            {
                continue;
            }

            var fields = line.Split('\t');
            var position = Parse(fields) ?? throw new InvalidDataException(
                $"{path}, line {number}: \"{line}\" is no position: expected a name, latitude -90 to 90, longitude -180 to 180 and perhaps an altitude in metres, with tabs between");
            if (!index.TryGetValue(fields[0], out var image))
            {
                strange++;
            }
            else if (!found.TryAdd(image, position))
            {
                throw new InvalidDataException($"{path}, line {number}: {fields[0]} has a position already");
            }
        }

        return (found, strange);
    }

    private static GeoPosition? Parse(string[] fields) =>
        fields.Length is 3 or 4
        && Number(fields[1]) is { } latitude and >= -90 and <= 90
        && Number(fields[2]) is { } longitude and >= -180 and <= 180
        && (fields.Length == 3 || Number(fields[3]) is not null)
            ? new GeoPosition(latitude, longitude, fields.Length == 4 ? Number(fields[3]) : null)
            : null;

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;
}
