// Reads mirror.h: functions, structs, callback types and constants, with C type names normalised (no const, no spaces before
// the asterisks). It understands the subset of C the header is written in and throws on any declaration outside of it.
using System.Globalization;
using System.Text.RegularExpressions;

namespace Mirror.Interop.Tests;

/// <summary>A parameter or field; Length is the array length of a field, 0 for a scalar.</summary>
internal sealed record CVariable(string Type, string Name, int Length);

/// <summary>A function or callback type.</summary>
internal sealed record CFunction(string Name, string Return, IReadOnlyList<CVariable> Parameters);

/// <summary>A struct with its fields.</summary>
internal sealed record CStruct(string Name, IReadOnlyList<CVariable> Fields);

internal sealed partial class HeaderParser
{
    private HeaderParser(string text)
    {
        string code = Comment().Replace(text, " ").Replace("\\\n", " ", StringComparison.Ordinal);
        foreach (Match match in Define().Matches(code))
            Constants.Add(match.Groups[1].Value, Number(match.Groups[2].Value));
        code = ExternC().Replace(Preprocessor().Replace(code, ""), "");
        foreach (string declaration in Declarations(code))
            Add(declaration);
    }

    internal Dictionary<string, long> Constants { get; } = [];

    internal List<string> Opaque { get; } = [];

    internal List<CFunction> Callbacks { get; } = [];

    internal List<CStruct> Structs { get; } = [];

    internal List<CFunction> Functions { get; } = [];

    internal static HeaderParser Parse(string text) => new(text);

    /// <summary>Splits at semicolons outside braces.</summary>
    private static IEnumerable<string> Declarations(string code)
    {
        int depth = 0;
        int start = 0;
        for (int i = 0; i < code.Length; i++)
        {
            depth += code[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (code[i] != ';' || depth != 0)
                continue;
            yield return Space().Replace(code[start..i], " ").Trim();
            start = i + 1;
        }

        if (code[start..].Trim().Length > 0)
            throw new FormatException($"mirror.h ends with an unfinished declaration: {code[start..].Trim()}");
    }

    private void Add(string declaration)
    {
        if (StructType().Match(declaration) is { Success: true } structType)
            Structs.Add(new CStruct(structType.Groups[1].Value, Fields(structType.Groups[2].Value)));
        else if (OpaqueType().Match(declaration) is { Success: true } opaque)
            Opaque.Add(opaque.Groups[1].Value);
        else if (CallbackType().Match(declaration) is { Success: true } callback)
            Callbacks.Add(new CFunction(callback.Groups[2].Value, Type(callback.Groups[1].Value), Parameters(callback.Groups[3].Value)));
        else if (Function().Match(declaration) is { Success: true } function)
            Functions.Add(new CFunction(function.Groups[2].Value, Type(function.Groups[1].Value), Parameters(function.Groups[3].Value)));
        else if (declaration != "typedef int32_t mirror_status")
            throw new FormatException($"mirror.h has a declaration outside the known subset of C: {declaration}");
    }

    private List<CVariable> Fields(string body)
    {
        List<CVariable> fields = [];
        foreach (string line in body.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] declarators = line.Split(',', StringSplitOptions.TrimEntries);
            CVariable first = Variable(declarators[0]);
            fields.Add(first);
            fields.AddRange(declarators.Skip(1).Select(name => first with { Name = name }));
        }

        return fields;
    }

    private List<CVariable> Parameters(string list) =>
        list.Trim() is "void" or "" ? [] : [.. list.Split(',').Select(Variable)];

    private CVariable Variable(string text)
    {
        Match match = VariableText().Match(text.Trim());
        if (!match.Success)
            throw new FormatException($"mirror.h has a variable outside the known subset of C: {text}");
        string length = match.Groups[3].Value;
        return new CVariable(
            Type(match.Groups[1].Value),
            match.Groups[2].Value,
            length.Length == 0 ? 0 : Constants.TryGetValue(length, out long constant) ? (int)constant : (int)Number(length));
    }

    private static string Type(string text) =>
        Space().Replace(Const().Replace(text, ""), "");

    private static long Number(string text) =>
        long.Parse(text.Trim('(', ')').TrimEnd('u'), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"/\*.*?\*/|//[^\n]*", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^#define (MIRROR_\w+) +(\(?-?\d+u?\)?) *$", RegexOptions.Multiline)]
    private static partial Regex Define();

    [GeneratedRegex(@"^#.*$", RegexOptions.Multiline)]
    private static partial Regex Preprocessor();

    // The opening brace of extern "C" and its closing one, each alone on a line between #ifdef __cplusplus and #endif.
    [GeneratedRegex(@"^extern ""C"" \{\s*$|^\}\s*$", RegexOptions.Multiline)]
    private static partial Regex ExternC();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex(@"\bconst\b")]
    private static partial Regex Const();

    [GeneratedRegex(@"^typedef struct (mirror_\w+) \{(.*)\} \1$")]
    private static partial Regex StructType();

    [GeneratedRegex(@"^typedef struct (mirror_\w+) \1$")]
    private static partial Regex OpaqueType();

    [GeneratedRegex(@"^typedef ([\w\s*]+) ?\(\*(mirror_\w+)\) ?\((.*)\)$")]
    private static partial Regex CallbackType();

    [GeneratedRegex(@"^MIRROR_API ([\w\s*]+?) ?\b(mirror_\w+) ?\((.*)\)$")]
    private static partial Regex Function();

    [GeneratedRegex(@"^([\w\s*]+?)\b(\w+)(?:\[(\w+)\])?$")]
    private static partial Regex VariableText();
}
