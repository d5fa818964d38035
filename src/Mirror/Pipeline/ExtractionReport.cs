// What goes into and comes out of an extraction besides the descriptors.

using Mirror.Photographs;

namespace Mirror.Pipeline;

/// <summary>A photograph that could not be read, and why.</summary>
/// <param name="Name">Relative name of the photograph.</param>
/// <param name="Reason">The decoder's reason, one line.</param>
public sealed record SkippedPhoto(string Name, string Reason);

/// <summary>What an extraction did.</summary>
/// <param name="Photos">Photographs with descriptors, in collection order.</param>
/// <param name="Features">Their descriptor files, relative to the output folder.</param>
/// <param name="Skipped">Photographs without.</param>
/// <param name="Resumed">How many of <paramref name="Photos"/> were already there.</param>
/// <param name="Info">Shape of the descriptors.</param>
public sealed record ExtractionReport(
    IReadOnlyList<Photo> Photos,
    IReadOnlyList<string> Features,
    IReadOnlyList<SkippedPhoto> Skipped,
    int Resumed,
    ExtractorInfo Info);

/// <summary>How an extraction is run; none of it changes the descriptors.</summary>
public sealed record ExtractionRun
{
    /// <summary>Images the network runs at once, at least 1.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Stop at the first photograph that cannot be read, instead of skipping it.</summary>
    public bool Strict { get; init; }

    /// <summary>Descriptors that the folder already holds from other settings are replaced instead of refused.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Called with the number of photographs and the shape of their descriptors before any is read and anything is written; may refuse by an exception.</summary>
    public Action<int, ExtractorInfo>? Begin { get; init; }

    /// <summary>Called with (photographs done, all photographs).</summary>
    public Action<long, long>? Progress { get; init; }

    /// <summary>Called with every line worth telling, e.g. a photograph that is skipped.</summary>
    public Action<string>? Notice { get; init; }
}
