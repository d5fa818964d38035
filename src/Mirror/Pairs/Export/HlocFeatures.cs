// hloc's file of global features: HDF5 with a group for each image name (a slash makes a nested group), in it global_descriptor [D] float32 and
// image_size [2] int64. hloc compares by plain dot products: vectors have length 1.

using Mirror.Pipeline;
using PureHDF;

namespace Mirror.Pairs.Export;

/// <summary>Writes descriptors as hloc's global features.</summary>
public static class HlocFeatures
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "global-feats-mirror.h5";

    /// <summary>One vector an image: the sum of its regions (R-MAC), scaled to length 1.</summary>
    /// <param name="set">Descriptors summed over the regions, in the order of <paramref name="names"/>.</param>
    /// <param name="names">Names of the images.</param>
    /// <param name="sizes">Width and height of each photograph as stored, pixels; null: not known, and left out.</param>
    /// <exception cref="ArgumentException">The descriptors are not one vector an image.</exception>
    public static ExportFile File(FeatureSet set, IReadOnlyList<string> names, IReadOnlyList<(int Width, int Height)>? sizes)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(names);
        if (set.Regions != 1 || set.Count != names.Count || (sizes is not null && sizes.Count != names.Count))
        {
            throw new ArgumentException($"{set.Count} descriptors of {set.Regions} regions and {sizes?.Count ?? names.Count} sizes for {names.Count} images, expected one of each an image");
        }

        return new ExportFile(FileName, stream => Tree(set, names, sizes).Write(stream));
    }

    /// <summary>The descriptor files of a collection, checked to be those of its images.</summary>
    /// <param name="folder">Folder of an extraction.</param>
    /// <param name="names">Names of the images, in order.</param>
    /// <exception cref="FileNotFoundException">There are none.</exception>
    /// <exception cref="InvalidDataException">They belong to other images: how many, and three examples.</exception>
    public static IReadOnlyList<string> Paths(string folder, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var paths = FeatureList.Read(folder);
        if (paths.Count != names.Count)
        {
            throw new InvalidDataException($"{folder} has {paths.Count} descriptors, the result {names.Count} images: they are of different runs");
        }

        // A descriptor is called after its photograph, without the extension or with it.
        var strange = names.Where((name, i) => !Fits(Path.GetRelativePath(folder, paths[i]).Replace(Path.DirectorySeparatorChar, '/'), name)).ToArray();
        return strange.Length == 0 ? paths : throw new InvalidDataException($"{folder} has no descriptors of {strange.Length} of {names.Count} images ({NameCheck.ListOf(strange)}): they are of different runs");
    }

    private static bool Fits(string feature, string name) =>
        feature.StartsWith(name + ".", StringComparison.Ordinal) || feature.StartsWith(Path.ChangeExtension(name, null) + ".", StringComparison.Ordinal);

    private static H5File Tree(FeatureSet set, IReadOnlyList<string> names, IReadOnlyList<(int Width, int Height)>? sizes)
    {
        var file = new H5File();
        for (var i = 0; i < names.Count; i++)
        {
            H5Group group = file;
            foreach (var part in names[i].Split('/'))
            {
                if (!group.TryGetValue(part, out var child))
                {
                    group[part] = child = new H5Group();
                }

                group = (H5Group)child;
            }

            group["global_descriptor"] = Unit(set.Rows.Slice((long)i * set.Dimension, set.Dimension));
            if (sizes is not null)
            {
                group["image_size"] = (long[])[sizes[i].Width, sizes[i].Height];
            }
        }

        return file;
    }

    // A vector of zeros stays so: it is like nothing.
    private static float[] Unit(ReadOnlySpan<float> row)
    {
        var sum = 0.0;
        foreach (var value in row)
        {
            sum += (double)value * value;
        }

        var length = sum > 0 ? Math.Sqrt(sum) : 1;
        var unit = new float[row.Length];
        for (var i = 0; i < unit.Length; i++)
        {
            unit[i] = (float)(row[i] / length);
        }

        return unit;
    }
}
