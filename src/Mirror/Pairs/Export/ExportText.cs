// Lines as other programs read them: UTF-8 without byte-order mark, '\n'.

using System.Text;

namespace Mirror.Pairs.Export;

internal static class ExportText
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Each line ended by a line feed.</summary>
    public static void WriteLines(Stream stream, IEnumerable<string> lines)
    {
        using var writer = new StreamWriter(stream, Utf8, leaveOpen: true) { NewLine = "\n" };
        foreach (var line in lines)
        {
            writer.WriteLine(line);
        }
    }

    /// <summary>The text as it is.</summary>
    public static void WriteText(Stream stream, string text) => stream.Write(Utf8.GetBytes(text));
}
