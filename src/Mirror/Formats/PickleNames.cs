// Small questions about pickled values, and the names that messages use.

using System.Text;

namespace Mirror.Formats;

/// <summary>Names and views of pickled values.</summary>
internal static class PickleNames
{
    /// <summary>The text of a Python 2 or 3 string; null for anything else.</summary>
    public static string? Text(object? value) => value is PickleText text ? text.Value : value as string;

    /// <summary>The bytes of a Python 2 string or Python 3 bytes; null for anything else.</summary>
    public static ReadOnlyMemory<byte>? Bytes(object? value) => value switch
    {
        PickleText text => text.Bytes,
        PickleBytes bytes => bytes.Bytes,
        _ => (ReadOnlyMemory<byte>?)null,
    };

    /// <summary>What kind of thing a value is, for messages.</summary>
    public static string Kind(object? value) => value switch
    {
        null => "None",
        bool => "a truth value",
        long or double => "a number",
        string or PickleText => "a text",
        PickleBytes or byte[] => "bytes",
        List<object?> => "a list",
        object?[] => "a tuple",
        Dictionary<object, object?> => "a dictionary",
        PickleArray or NpyArray => "a numpy array",
        PickleDtype => "a numpy type",
        _ => $"the function {value}",
    };

    /// <summary>A name from a file, printable and short.</summary>
    public static string Shown(string name)
    {
        StringBuilder shown = new();
        foreach (char letter in name.Take(80))
        {
            shown.Append(letter is > ' ' and < '\u007F' ? letter : '?');
        }
        return shown.ToString();
    }

    /// <summary>An operation that is not read, as Python's pickletools calls it.</summary>
    public static string Operation(byte code) => code switch
    {
        (byte)'0' => "POP",
        (byte)'1' => "POP_MARK",
        (byte)'2' => "DUP",
        (byte)'F' => "FLOAT",
        (byte)'I' => "INT",
        (byte)'L' => "LONG",
        (byte)'P' => "PERSID",
        (byte)'Q' => "BINPERSID",
        (byte)'S' => "STRING",
        (byte)'V' => "UNICODE",
        (byte)'d' => "DICT",
        (byte)'g' => "GET",
        (byte)'i' => "INST",
        (byte)'l' => "LIST",
        (byte)'o' => "OBJ",
        (byte)'p' => "PUT",
        0x80 => "PROTO",
        0x81 => "NEWOBJ",
        0x82 => "EXT1",
        0x83 => "EXT2",
        0x84 => "EXT4",
        0x8B => "LONG4",
        0x8D => "BINUNICODE8",
        0x8E => "BINBYTES8",
        0x8F => "EMPTY_SET",
        0x90 => "ADDITEMS",
        0x91 => "FROZENSET",
        0x92 => "NEWOBJ_EX",
        0x96 => "BYTEARRAY8",
        0x97 => "NEXT_BUFFER",
        0x98 => "READONLY_BUFFER",
        _ => $"0x{code:x2}",
    };
}

/// <summary>Equality of dictionary keys (texts and whole numbers) with hashes that a file cannot make collide.</summary>
internal static class PickleKeys
{
    public static IEqualityComparer<object> Comparer { get; } = EqualityComparer<object>.Create(
        Equals,
        key => key is long number ? HashCode.Combine((int)number, (int)(number >> 32)) : key.GetHashCode());
}
