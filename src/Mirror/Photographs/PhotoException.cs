// The one exception of this folder: a photograph that cannot be used, with its path and the reason.
// A caller that skips bad files catches this and nothing else; what is not about the file passes through.

namespace Mirror.Photographs;

/// <summary>A photograph could not be read or decoded. The message names the file and the reason.</summary>
public sealed class PhotoException : IOException
{
    /// <summary>Creates the exception; its message is <c>path: reason</c>.</summary>
    /// <param name="path">The file as the caller named it.</param>
    /// <param name="reason">What is wrong with it, one line, lower case, no full stop.</param>
    /// <param name="innerException">The cause, or null.</param>
    public PhotoException(string path, string reason, Exception? innerException = null)
        : base($"{path}: {reason}", innerException)
    {
        Path = path;
        Reason = reason;
    }

    /// <summary>The file as the caller named it.</summary>
    public string Path { get; }

    /// <summary>What is wrong with the file, one line.</summary>
    public string Reason { get; }
}
