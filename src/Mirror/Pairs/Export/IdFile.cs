// The ids by which openMVG and AliceVision know photographs, from their own files. Never computed: openMVG's are places in a filtered listing,
// AliceVision's hashes of metadata.

using System.Globalization;
using System.Text.Json;

namespace Mirror.Pairs.Export;

/// <summary>What an id file says of a collection.</summary>
/// <param name="Ids">The id of each image; null where the file has none.</param>
/// <param name="Views">Photographs in the file.</param>
/// <param name="Strange">Photographs in the file that are not in the collection.</param>
public sealed record IdCoverage(IReadOnlyList<uint?> Ids, int Views, int Strange);

/// <summary>Reads <c>sfm_data.json</c> and <c>cameraInit.sfm</c>.</summary>
public static class IdFile
{
    private const long MaxBytes = 1L << 30;

    /// <summary>Finds the ids of images. A photograph of the file is the image whose name is the longest end of its path.</summary>
    /// <param name="path">The file.</param>
    /// <param name="source">Which of the two it is.</param>
    /// <param name="names">Names of the images, '/' between folders.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is another kind of file, of an unknown version, or two of its photographs could be one image.</exception>
    public static IdCoverage Read(string path, IdSource source, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var views = Views(path, source);
        var index = new Dictionary<string, int>(names.Count, StringComparer.Ordinal);
        for (var i = 0; i < names.Count; i++)
        {
            index[names[i]] = i;
        }

        var ids = new uint?[names.Count];
        var (strange, doubled) = (0, new List<string>());
        foreach (var (photo, id) in views)
        {
            if (ImageOf(photo, index) is not { } image)
            {
                strange++;
            }
            else if (ids[image] is null)
            {
                ids[image] = id;
            }
            else
            {
                doubled.Add(names[image]);
            }
        }

        return doubled.Count == 0
            ? new IdCoverage(ids, views.Count, strange)
            : throw new InvalidDataException($"{path}: {doubled.Count} of its photographs could be images that another of them is already ({NameCheck.ListOf(doubled)}): run mirror on the folder that holds them all");
    }

    private static int? ImageOf(string path, Dictionary<string, int> index)
    {
        var normal = path.Replace('\\', '/');
        for (var start = 0; ;)
        {
            if (index.TryGetValue(normal[start..], out var image))
            {
                return image;
            }

            var slash = normal.IndexOf('/', start);
            if (slash < 0)
            {
                return null;
            }

            start = slash + 1;
        }
    }

    private static List<(string Path, uint Id)> Views(string path, IdSource source)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            throw new FileNotFoundException($"--ids {path}: no such file", path);
        }

        if (file.Length > MaxBytes)
        {
            throw new InvalidDataException($"{path}: {file.Length} bytes, at most {MaxBytes} are read");
        }

        try
        {
            using var stream = file.OpenRead();
            using var json = JsonDocument.Parse(stream);
            return source == IdSource.OpenMvg ? OpenMvg(path, json.RootElement) : AliceVision(path, json.RootElement);
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{path} is no JSON: {failure.Message}", failure);
        }
    }

    private static List<(string Path, uint Id)> OpenMvg(string path, JsonElement root)
    {
        var version = Text(root, "sfm_data_version") ?? throw Bad(path, "openMVG", "sfm_data_version");
        if (version is not ("0.2" or "0.3"))
        {
            throw new InvalidDataException($"{path} has sfm_data_version {version}, known are 0.2 and 0.3");
        }

        var folder = Text(root, "root_path") ?? "";
        var views = new List<(string, uint)>();
        foreach (var view in Array(path, root, "openMVG"))
        {
            var data = Member(Member(Member(view, "value"), "ptr_wrapper"), "data");
            var name = Text(data, "filename") ?? throw Bad(path, "openMVG", "filename of a view");
            var id = Id(Member(data, "id_view")) ?? throw Bad(path, "openMVG", $"id_view of {name}");
            views.Add((string.Join('/', folder, Text(data, "local_path") ?? "", name).Replace("//", "/", StringComparison.Ordinal), id));
        }

        // Its reader of pairs refuses indices from the number of views on.
        var beyond = views.Where(view => view.Item2 >= views.Count).Select(view => view.Item1).ToArray();
        return beyond.Length == 0 ? views : throw new InvalidDataException($"{path}: {beyond.Length} of {views.Count} views have an id_view that openMVG's list of pairs cannot hold, {views.Count} or more ({NameCheck.ListOf(beyond)}): make the file anew");
    }

    private static List<(string Path, uint Id)> AliceVision(string path, JsonElement root)
    {
        var version = Member(root, "version") is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(Id)] : System.Array.Empty<uint?>();
        if (version.Length == 0)
        {
            throw Bad(path, "AliceVision", "version");
        }

        if (version is not [1, <= 2, ..])
        {
            throw new InvalidDataException($"{path} has version {string.Join('.', version)}, known are 1.0 to 1.2");
        }

        var views = new List<(string, uint)>();
        foreach (var view in Array(path, root, "AliceVision"))
        {
            var name = Text(view, "path") ?? throw Bad(path, "AliceVision", "path of a view");
            views.Add((name, Id(Member(view, "viewId")) ?? throw Bad(path, "AliceVision", $"viewId of {name}")));
        }

        return views;
    }

    private static JsonElement.ArrayEnumerator Array(string path, JsonElement root, string program) =>
        Member(root, "views") is { ValueKind: JsonValueKind.Array } views ? views.EnumerateArray() : throw Bad(path, program, "views");

    private static JsonElement? Member(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } present && present.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement? element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    // AliceVision writes numbers as strings.
    private static uint? Id(JsonElement? element) => Id(element ?? default);

    private static uint? Id(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number when element.TryGetUInt32(out var id) => id,
        JsonValueKind.String when uint.TryParse(element.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out var id) => id,
        _ => null,
    };

    private static InvalidDataException Bad(string path, string program, string missing) => new($"{path} is no {program} file of views: it has no {missing}");
}
