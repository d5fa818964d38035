// Ground truth of ROxford and RParis: a dictionary with the names of images (imlist) and queries (qimlist), and for each query
// the indices of its easy, hard and junk images (gnd). Read from JSON or from the published pickle, both into one tree.

using System.Text.Json;
using Mirror.Formats;

namespace Mirror.Evaluation;

/// <summary>What should be found for one query; indices into <see cref="RevisitedGroundTruth.Images"/>.</summary>
/// <param name="Name">Name of the query image, without extension.</param>
/// <param name="Easy">Images that show it clearly.</param>
/// <param name="Hard">Images that show it with difficulty.</param>
/// <param name="Junk">Images that are not judged.</param>
public sealed record RevisitedQuery(string Name, IReadOnlyList<int> Easy, IReadOnlyList<int> Hard, IReadOnlyList<int> Junk);

/// <summary>Ground truth of a revisited dataset.</summary>
public sealed class RevisitedGroundTruth
{
    private const long MaxBytes = 256L << 20;
    private const int MaxDepth = 8;

    private RevisitedGroundTruth(string path, string[] images, RevisitedQuery[] queries)
    {
        Path = path;
        Images = images;
        Queries = queries;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Names of the images, without extension.</summary>
    public IReadOnlyList<string> Images { get; }

    /// <summary>The queries, in the file's order.</summary>
    public IReadOnlyList<RevisitedQuery> Queries { get; }

    /// <summary>
    /// Reads <c>{"imlist": [name, ...], "qimlist": [name, ...], "gnd": [{"easy": [index, ...], "hard": [...], "junk": [...], "bbx": [x1, y1, x2, y2]}, ...]}</c>
    /// from JSON, or the same from a pickle such as gnd_roxford5k.pkl. "bbx" may be absent: it is not needed here.
    /// </summary>
    /// <exception cref="FileNotFoundException">No such file.</exception>
    /// <exception cref="InvalidDataException">The file is neither, or a part is missing, of another kind, or out of range: the message names it.</exception>
    public static RevisitedGroundTruth Read(string path)
    {
        var bytes = new FileInfo(path) is { Exists: true } file ? file.Length : throw new FileNotFoundException($"{path}: no such file", path);
        if (bytes is 0 or > MaxBytes)
        {
            throw new InvalidDataException($"{path}: {bytes} bytes are no ground truth (the limit is {MaxBytes})");
        }

        var parser = new Parser(path);
        return parser.Parse(StartsAsJson(path) ? Json(path) : PickleReader.ReadFile(path));
    }

    // No pickle begins with white space, a byte order mark or a brace.
    private static bool StartsAsJson(string path)
    {
        using var stream = File.OpenRead(path);
        return stream.ReadByte() is '{' or ' ' or '\t' or '\r' or '\n' or 0xEF;
    }

    private static object? Json(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), new JsonDocumentOptions { MaxDepth = MaxDepth });
            return Tree(document.RootElement);
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{path} is no JSON: {failure.Message}", failure);
        }
    }

    private static object? Tree(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => Fields(element),
        JsonValueKind.Array => element.EnumerateArray().Select(Tree).ToList(),
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number => element.TryGetInt64(out var number) ? number : element.GetDouble(),
        _ => null,
    };

    private static Dictionary<object, object?> Fields(JsonElement element)
    {
        var fields = new Dictionary<object, object?>();
        foreach (var field in element.EnumerateObject())
        {
            fields[field.Name] = Tree(field.Value);
        }

        return fields;
    }

    private sealed class Parser(string path)
    {
        public RevisitedGroundTruth Parse(object? tree)
        {
            var images = Names(tree, "imlist");
            var queries = Names(tree, "qimlist");
            var truth = List(Field(tree, "gnd", "the file"), "gnd");
            if (images.Length == 0 || queries.Length == 0 || truth.Count != queries.Length)
            {
                throw Bad($"imlist has {images.Length}, qimlist {queries.Length} and gnd {truth.Count} entries, expected some images and one gnd for each query");
            }

            return new RevisitedGroundTruth(path, images, [.. queries.Select((name, query) => new RevisitedQuery(
                name,
                Indices(truth[query], "easy", query, images.Length),
                Indices(truth[query], "hard", query, images.Length),
                Indices(truth[query], "junk", query, images.Length)))]);
        }

        private string[] Names(object? tree, string field)
        {
            var names = List(Field(tree, field, "the file"), field)
                .Select((item, index) => item as string ?? throw Bad($"{field}[{index}] is no text"))
                .Select(NameList.Stem)
                .ToArray();
            var twice = names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1);
            return twice is null ? names : throw Bad($"{field} has '{twice.Key}' twice");
        }

        private int[] Indices(object? entry, string field, int query, int images)
        {
            var where = $"gnd[{query}].{field}";
            var value = Field(entry, field, $"gnd[{query}]");
            var numbers = value is NpyArray array ? array.ToFloat64() : List(value, where).Select(item => item switch
            {
                long number => number,
                double number => number,
                NpyArray { Count: 1 } scalar => scalar.ToFloat64()[0],
                _ => throw Bad($"{where} holds something that is no number"),
            });
            return [.. numbers.Select(number => number >= 0 && number < images && number == Math.Floor(number)
                ? (int)number
                : throw Bad($"{where} holds {number}, expected indices below {images}"))];
        }

        private object? Field(object? tree, string name, string where) =>
            tree is Dictionary<object, object?> fields && fields.TryGetValue(name, out var value) ? value : throw Bad($"{where} has no '{name}'");

        private IReadOnlyList<object?> List(object? value, string where) => value switch
        {
            List<object?> list => list,
            object?[] tuple => tuple,
            _ => throw Bad($"{where} is no list"),
        };

        private InvalidDataException Bad(string what) => new($"{path}: no ground truth of a revisited dataset: {what}");
    }
}
