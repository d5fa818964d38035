// What in an image's name some program cannot read.

namespace Mirror.Pairs.Export;

/// <summary>What can be wrong with a name.</summary>
[Flags]
public enum NameHazards
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A space: lists of pairs have one between the names.</summary>
    Space = 1,

    /// <summary>A tab, or another white space than the space.</summary>
    Tab = 2,

    /// <summary>Begins with '#': the line becomes a comment.</summary>
    LeadingHash = 4,

    /// <summary>The file's name is no UTF-8 (or, on Windows, no UTF-16).</summary>
    NotUnicode = 8,

    /// <summary>A backslash, which programs take for a folder.</summary>
    Backslash = 16,

    /// <summary>A comma, which separates columns of CSV.</summary>
    Comma = 32,

    /// <summary>One of &amp;, &lt; and &gt;, which XML writes otherwise.</summary>
    Markup = 64,

    /// <summary>Differs from another only by upper and lower case.</summary>
    CaseClash = 128,

    /// <summary>The same name in another folder, or one that differs from it only by case.</summary>
    BaseNameClash = 256,

    /// <summary>Begins or ends with a space, which readers of CSV cut off.</summary>
    OuterSpace = 512,
}
