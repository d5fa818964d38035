// One photograph of a collection, before anything of it is read.

namespace Mirror.Photographs;

/// <summary>A photograph of a collection: where it is and what it is called in results.</summary>
/// <param name="Index">Its number in the collection, from 0: the index that pair files use.</param>
/// <param name="Name">
/// Its path below the collection's folder, '/' separated, without "." and ".."; of a file outside that folder the full path
/// without the leading root. Unique in the collection, and safe to append to an output folder.
/// </param>
/// <param name="Path">The file to open, absolute.</param>
public sealed record Photo(int Index, string Name, string Path);
