// What every exporter is: a name, what it asks of the images' names and ids, and the files it writes. Rules are those of the programs' own readers,
// no two of which agree; a list that is safe everywhere is UTF-8 without byte-order mark, '\n', one space, no header, no self pair, each pair once.

namespace Mirror.Pairs.Export;

/// <summary>The file that a program's ids are read from.</summary>
public enum IdSource
{
    /// <summary>None: the program knows images by their names.</summary>
    None,

    /// <summary>openMVG's <c>sfm_data.json</c>: view indices.</summary>
    OpenMvg,

    /// <summary>AliceVision's <c>cameraInit.sfm</c>: view ids.</summary>
    AliceVision,
}

/// <summary>A file to write: name, and what goes into it.</summary>
/// <param name="Name">Name beside the first file; the first is named by the user.</param>
/// <param name="Write">Writes the content.</param>
public readonly record struct ExportFile(string Name, Action<Stream> Write);

/// <summary>Writes the chosen pairs for one program.</summary>
internal interface IPairExporter
{
    /// <summary>Name on the command line.</summary>
    string Format { get; }

    /// <summary>Name of the first file unless another is asked for.</summary>
    string FileName { get; }

    /// <summary>What in a name this program cannot read.</summary>
    NameHazards Refuses { get; }

    /// <summary>Where its ids come from.</summary>
    IdSource Ids { get; }

    /// <summary>The files, the list of pairs first.</summary>
    IReadOnlyList<ExportFile> Files(PairExport export);
}
