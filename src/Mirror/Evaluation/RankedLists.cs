// The 'i j ...' lines that rankings and ground truth come in, grouped by their first index in file order. An index beyond the
// list that names it would silently count as wrong; it is refused with its line instead.

using System.Globalization;

namespace Mirror.Evaluation;

internal static class RankedLists
{
    private const int ShownCharacters = 60;

    /// <summary>The second columns of a file by its first column, in file order; further columns are ignored.</summary>
    /// <param name="path">A <c>match_pairs</c> file, or pairs of images.</param>
    /// <param name="queries">Names that the first column indexes; null: any index.</param>
    /// <param name="images">Names that the second column indexes; null: any index.</param>
    /// <exception cref="InvalidDataException">A line that does not start with two indices, or an index without a name.</exception>
    public static SortedDictionary<int, List<int>> Read(string path, NameList? queries = null, NameList? images = null)
    {
        var lists = new SortedDictionary<int, List<int>>();
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.AsSpan().Trim().IsEmpty)
            {
                continue;
            }

            var columns = line.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length < 2 || !TryIndex(columns[0], out var query) || !TryIndex(columns[1], out var image))
            {
                throw new InvalidDataException($"{path}, line {number}: '{(line.Length <= ShownCharacters ? line : line[..ShownCharacters] + "...")}' does not start with two image indices");
            }

            Require(path, number, "query", query, queries);
            Require(path, number, "image", image, images);
            if (!lists.TryGetValue(query, out var list))
            {
                lists.Add(query, list = []);
            }

            list.Add(image);
        }

        return lists;
    }

    private static bool TryIndex(string text, out int index) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out index);

    private static void Require(string path, int line, string what, int index, NameList? names)
    {
        if (names is not null && index >= names.Count)
        {
            throw new InvalidDataException($"{path}, line {line}: {what} {index} is not in {names.Path}, which has {names.Count} names: give the list that the ranking was made with");
        }
    }
}
