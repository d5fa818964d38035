// The query pictures of Oxford5k and Paris6k. QUERY_query.txt names a photograph of the collection and a box in it. The protocol
// queries with the box; the original MIRorR, by a flag left off, with the whole photograph compressed a second time.

using System.Globalization;
using System.Text;
using Mirror.Explain;
using Mirror.Formats;
using Mirror.Photographs;
using SkiaSharp;

namespace Mirror.Evaluation;

/// <summary>What of a query's photograph is searched for.</summary>
public enum OxfordQueryPicture
{
    /// <summary>As MIRorR: the whole photograph, encoded again as JPEG of quality 75 with 4:2:0 subsampling.</summary>
    Original,

    /// <summary>The whole photograph as it is.</summary>
    Whole,

    /// <summary>The box, as the protocol has it.</summary>
    Cropped,
}

/// <summary>A query: a box of a photograph.</summary>
/// <param name="Name">Name of the query, e.g. <c>all_souls_1</c>.</param>
/// <param name="Image">Name of the photograph without extension.</param>
/// <param name="Box">The box in pixels; it may have fractions.</param>
public sealed record OxfordQuery(string Name, string Image, PixelRectangle Box);

/// <summary>Reads the queries and prepares their pictures.</summary>
public static class OxfordQueries
{
    private const string Suffix = "_query.txt";
    private const string Prefix = "oxc1_";
    private const int MaxBytes = 1 << 16;
    private const int Quality = 75;

    /// <summary>All queries of a ground-truth folder, in byte order of their names.</summary>
    /// <param name="folder">Folder with <c>QUERY_query.txt</c> files, each <c>NAME x1 y1 x2 y2</c>; a leading "oxc1_" of NAME is dropped.</param>
    /// <exception cref="DirectoryNotFoundException">No such folder.</exception>
    /// <exception cref="InvalidDataException">No query file, or one is malformed.</exception>
    public static IReadOnlyList<OxfordQuery> Read(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"--ground-truth {folder}: no such folder");
        }

        var queries = Directory.EnumerateFiles(folder, "*" + Suffix)
            .Select(path => ReadFile(path, Path.GetFileName(path)[..^Suffix.Length]))
            .OrderBy(query => Encoding.UTF8.GetBytes(query.Name), Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)))
            .ToArray();
        return queries.Length > 0 ? queries : throw new InvalidDataException($"--ground-truth {folder} holds no QUERY{Suffix} file");
    }

    /// <summary>The queries as photographs to extract, named after the queries; pictures that have to be made are written to a folder.</summary>
    /// <param name="queries">The queries.</param>
    /// <param name="collection">The photographs they name.</param>
    /// <param name="picture">What of each photograph is used.</param>
    /// <param name="folder">Where pictures are written; a picture that is there already, byte for byte, is left alone.</param>
    /// <exception cref="InvalidDataException">A photograph is not in the collection or there twice, or a box lies outside of it.</exception>
    /// <exception cref="PhotoException">A photograph cannot be decoded.</exception>
    public static IReadOnlyList<Photo> Prepare(IReadOnlyList<OxfordQuery> queries, IReadOnlyList<Photo> collection, OxfordQueryPicture picture, string folder)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(collection);
        var photos = collection.ToLookup(photo => NameList.Stem(photo.Name), StringComparer.Ordinal);
        return [.. queries.Select((query, index) =>
        {
            var source = photos[query.Image].ToArray() switch
            {
                [var only] => only,
                [] => throw new InvalidDataException($"the query {query.Name} is of '{query.Image}', which is not among the {collection.Count} photographs of --images"),
                [var first, var second, ..] => throw new InvalidDataException($"the query {query.Name} is of '{query.Image}', but {first.Name} and {second.Name} both have that name: leave one of them out of --images"),
            };
            return picture switch
            {
                OxfordQueryPicture.Whole => new Photo(index, query.Name + Path.GetExtension(source.Path), source.Path),
                OxfordQueryPicture.Original => Made(index, query.Name + ".jpg", folder, Encode(source.Path, null, query)),
                _ => Made(index, query.Name + ".png", folder, Encode(source.Path, query.Box, query)),
            };
        })];
    }

    private static OxfordQuery ReadFile(string path, string name)
    {
        var bytes = new FileInfo(path).Length;
        var words = bytes <= MaxBytes ? File.ReadAllText(path).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) : [];
        var box = words.Skip(1).Select(word => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : double.NaN).ToArray();
        return box.Length == 4 && box.All(double.IsFinite)
            ? new OxfordQuery(name, NameList.Stem(words[0].StartsWith(Prefix, StringComparison.Ordinal) ? words[0][Prefix.Length..] : words[0]), new(box[0], box[1], box[2], box[3]))
            : throw new InvalidDataException($"{path} ({bytes} bytes) is no query, expected 'NAME x1 y1 x2 y2'");
    }

    // A picture that stays as it was keeps its time of change, and with it the descriptors already made of it.
    private static Photo Made(int index, string name, string folder, SKData data)
    {
        using (data)
        {
            var path = Path.Combine(folder, name);
            if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(data.AsSpan()))
            {
                AtomicFile.Write(path, data.SaveTo);
            }

            return new Photo(index, name, path);
        }
    }

    // JPEG of the whole for no box, else PNG of the box. A box takes every pixel it touches: its left and top are rounded down,
    // right and bottom up, then cut to the photograph.
    private static SKData Encode(string path, PixelRectangle? box, OxfordQuery query)
    {
        using var photo = PhotoDecoder.Decode(path, ExifMode.Ignore);
        using var pixels = Pictures.Opaque(photo.Image);
        if (box is not { } area)
        {
            using var pixmap = pixels.PeekPixels();
            return pixmap.Encode(new SKJpegEncoderOptions(Quality, SKJpegEncoderDownsample.Downsample420, SKJpegEncoderAlphaOption.Ignore))
                ?? throw new PhotoException(path, "cannot be encoded as JPEG");
        }

        var left = (int)Math.Clamp(Math.Floor(area.Left), 0, pixels.Width);
        var top = (int)Math.Clamp(Math.Floor(area.Top), 0, pixels.Height);
        var right = (int)Math.Clamp(Math.Ceiling(area.Right), 0, pixels.Width);
        var bottom = (int)Math.Clamp(Math.Ceiling(area.Bottom), 0, pixels.Height);
        if (right <= left || bottom <= top)
        {
            throw new InvalidDataException($"the box of the query {query.Name} ({area.Left}, {area.Top}) to ({area.Right}, {area.Bottom}) has no pixel of {path}, which is {pixels.Width} x {pixels.Height}");
        }

        using var cut = pixels.Subset(new SKRectI(left, top, right, bottom));
        return cut.Encode(SKEncodedImageFormat.Png, 100);
    }
}
