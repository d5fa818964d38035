// What to do with the orientation a camera wrote beside the pixels.

namespace Mirror.Photographs;

/// <summary>How the EXIF orientation of a photograph is treated.</summary>
public enum ExifMode
{
    /// <summary>Turn and mirror the pixels so that the photograph stands as it was seen. The default.</summary>
    Apply,

    /// <summary>Leave the pixels as they are stored, as the original MIRorR did.</summary>
    Ignore,
}
