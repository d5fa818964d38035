// All exporters, and the one way to write with them: checked first, then all files or none.

using Mirror.Formats;

namespace Mirror.Pairs.Export;

/// <summary>Writes chosen pairs for other programs.</summary>
public static class PairExporters
{
    private static readonly IPairExporter[] All =
    [
        new ColmapExporter(),
        new HlocExporter(),
        new OpenMvgExporter(),
        new AliceVisionExporter(),
        new OpenSfmExporter(),
        new MicMacExporter(),
        new MetashapeExporter(),
        new KaptureExporter(),
        new TsvExporter(),
        new JsonExporter(),
    ];

    /// <summary>Names of the formats.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(exporter => exporter.Format)];

    /// <summary>Where a format's ids come from.</summary>
    /// <exception cref="ArgumentException">There is no such format.</exception>
    public static IdSource Ids(string format) => ByName(format).Ids;

    /// <summary>Name of a format's first file.</summary>
    /// <exception cref="ArgumentException">There is no such format.</exception>
    public static string FileName(string format) => ByName(format).FileName;

    /// <summary>Writes the files of a format: all or, on any failure, none.</summary>
    /// <param name="format">One of <see cref="Names"/>.</param>
    /// <param name="path">The first file; others are written beside it.</param>
    /// <param name="export">The pairs.</param>
    /// <param name="others">Files to write with them.</param>
    /// <returns>Paths of the files.</returns>
    /// <exception cref="ArgumentException">There is no such format.</exception>
    /// <exception cref="InvalidDataException">There is no pair, or names or ids that the format cannot carry: counts and three examples.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static IReadOnlyList<string> Write(string format, string path, PairExport export, params IReadOnlyList<ExportFile> others)
    {
        ArgumentNullException.ThrowIfNull(export);
        ArgumentNullException.ThrowIfNull(others);
        var exporter = ByName(format);
        if (export.Pairs.Count == 0)
        {
            throw new InvalidDataException($"no pair was chosen: there is nothing to write for {format}");
        }

        NameCheck.Require(exporter, export);
        RequireIds(exporter, export);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var files = exporter.Files(export).Concat(others).Select((file, i) => (Path: i == 0 ? path : Path.Combine(folder, file.Name), file.Write)).ToArray();
        AtomicFile.WriteTogether(files);
        return [.. files.Select(file => file.Path)];
    }

    internal static IPairExporter ByName(string format) =>
        Array.Find(All, exporter => exporter.Format == format) ?? throw new ArgumentException($"there is no format {format}; there are {string.Join(", ", Names)}");

    private static void RequireIds(IPairExporter exporter, PairExport export)
    {
        if (exporter.Ids == IdSource.None)
        {
            return;
        }

        var ids = export.Ids ?? throw new ArgumentException($"{exporter.Format} knows images by its own ids: give {(exporter.Ids == IdSource.OpenMvg ? "sfm_data.json" : "cameraInit.sfm")} with --ids");
        var without = export.Used.Where(image => ids[image] is null).ToArray();
        if (without.Length > 0)
        {
            throw new InvalidDataException(
                $"the id file does not cover the images: {without.Length} of {export.Used.Count} have no id in it ({NameCheck.ListOf([.. without.Select(image => export.Names[image])])}): make it from the same photographs");
        }
    }
}
