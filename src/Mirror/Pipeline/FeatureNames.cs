// Where a photograph's descriptors go: the photograph's relative path with .npy for its extension, as the original
// named them, but with folders kept, and with the extension kept too where two photographs share a stem.

using Mirror.Photographs;

namespace Mirror.Pipeline;

internal static class FeatureNames
{
    /// <summary>One relative .npy path ('/' separated) per photograph, all different also without regard to case.</summary>
    public static string[] For(IReadOnlyList<Photo> photos)
    {
        var stems = photos.Select(photo => Stem(photo.Name)).ToArray();
        var shared = stems.GroupBy(stem => stem, StringComparer.OrdinalIgnoreCase)
            .Where(group => group.Count() > 1)
            .Select(group => group.Key)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var names = new string[stems.Length];
        for (var i = 0; i < names.Length; i++)
        {
            var wanted = shared.Contains(stems[i]) ? photos[i].Name : stems[i];
            names[i] = wanted + ".npy";
            for (var number = 2; !taken.Add(names[i]); number++)
            {
                names[i] = $"{wanted}.{number}.npy";
            }
        }

        return names;
    }

    private static string Stem(string name)
    {
        var dot = name.LastIndexOf('.');
        return dot > name.LastIndexOf('/') + 1 ? name[..dot] : name;
    }
}
