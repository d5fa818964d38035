// Which photograph each descriptor file was made of: name, descriptor file, length and time of last change, one line a
// photograph, appended as descriptors are written. A descriptor counts as finished only while its line fits the photograph,
// so a replaced picture or somebody else's .npy is never taken for the right one.

using System.Globalization;
using Mirror.Formats;
using Mirror.Photographs;

namespace Mirror.Pipeline;

internal sealed class SourceManifest : IDisposable
{
    private const string FileName = "sources.tsv";

    // By descriptor file: a photograph that takes another's place, under another name, takes its line too.
    private readonly Dictionary<string, string> lines;
    private readonly StreamWriter writer;

    private SourceManifest(string path, Dictionary<string, string> lines)
    {
        this.lines = lines;
        AtomicFile.WriteLines(path, lines.Values);
        var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.Read);
        stream.Seek(0, SeekOrigin.End);
        writer = new StreamWriter(stream) { AutoFlush = true, NewLine = "\n" };
    }

    /// <summary>Opens the manifest of a folder; an unfinished last line, left by a kill, is dropped.</summary>
    public static SourceManifest Open(string folder)
    {
        var path = Path.Combine(folder, FileName);
        var lines = new Dictionary<string, string>(StringComparer.Ordinal);
        if (File.Exists(path))
        {
            foreach (var line in File.ReadLines(path).Where(line => line.Count(c => c == '\t') == 3))
            {
                lines[line.Split('\t')[1]] = line;
            }
        }

        return new SourceManifest(path, lines);
    }

    /// <summary>Whether the descriptor file was made of this photograph as it is now.</summary>
    public bool Fits(Photo photo, string feature) => lines.GetValueOrDefault(feature) == Line(photo, feature);

    /// <summary>Records a finished descriptor file.</summary>
    public void Add(Photo photo, string feature)
    {
        lines[feature] = Line(photo, feature);
        writer.WriteLine(lines[feature]);
    }

    /// <summary>Deletes every descriptor file of the manifest and forgets them; other files of the folder stay.</summary>
    public void Clear(string folder)
    {
        foreach (var line in lines.Values)
        {
            File.Delete(Path.Combine(folder, line.Split('\t')[1]));
        }

        lines.Clear();
        writer.BaseStream.SetLength(0);
    }

    public void Dispose() => writer.Dispose();

    private static string Line(Photo photo, string feature)
    {
        // An absent photograph has length -1: it is tried, and skipped with the decoder's reason.
        var file = new FileInfo(photo.Path);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{photo.Name}\t{feature}\t{(file.Exists ? file.Length : -1)}\t{file.LastWriteTimeUtc.Ticks}");
    }
}
