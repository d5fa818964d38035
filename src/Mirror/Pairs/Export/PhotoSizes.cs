// Sizes of photographs from their headers, as stored: hloc ignores the EXIF orientation.

using ImageMagick;
using Mirror.Photographs;

namespace Mirror.Pairs.Export;

/// <summary>Reads sizes.</summary>
public static class PhotoSizes
{
    private const int HeadBytes = 64;

    /// <summary>Width and height of each photograph, pixels.</summary>
    /// <param name="root">The photographs' folder.</param>
    /// <param name="names">Names relative to it.</param>
    /// <exception cref="InvalidDataException">Photographs are missing or cannot be read: how many, and three.</exception>
    public static IReadOnlyList<(int Width, int Height)> Read(string root, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var sizes = names.Select(name => Read(Path.Combine(root, name))).ToArray();
        var unread = names.Where((_, i) => sizes[i] is null).ToArray();
        return unread.Length == 0
            ? [.. sizes.Select(size => size!.Value)]
            : throw new InvalidDataException($"{root}: {unread.Length} of {names.Count} photographs are missing or unreadable ({NameCheck.ListOf(unread)}): is it the folder that was matched?");
    }

    private static (int Width, int Height)? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var stream = File.OpenRead(path);
            Span<byte> head = stackalloc byte[HeadBytes];
            var kind = ImageSignature.Detect(head[..stream.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false)]);
            stream.Position = 0;
            return kind == ImageKind.Unknown ? null : MagickDecoder.SizeOf(stream, kind);
        }
        catch (MagickException)
        {
            return null;
        }
    }
}
