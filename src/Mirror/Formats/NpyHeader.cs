// The header of a .npy file: a Python dictionary literal with exactly the keys descr, fortran_order and shape.
//
// A small tokenizer takes just what numpy writes, old and new (Python 2 wrote long integers as 35L); it evaluates nothing.

using System.Globalization;

namespace Mirror.Formats;

/// <summary>What a .npy header says.</summary>
/// <param name="Type">Type of the elements; <see cref="ElementType.Other"/> for Python objects.</param>
/// <param name="BigEndian">True where the file stores the most significant byte first.</param>
/// <param name="FortranOrder">True where the file stores the first index fastest.</param>
/// <param name="Shape">Dimensions, slowest first in C order; empty for a scalar. Each is at least 0.</param>
internal sealed record NpyHeader(ElementType Type, bool BigEndian, bool FortranOrder, IReadOnlyList<long> Shape)
{
    /// <summary>Parses the header's text; <paramref name="name"/> is for messages.</summary>
    /// <param name="text">The header.</param>
    /// <param name="name">The file.</param>
    /// <param name="objects">Take Python objects and nothing else; else numbers and nothing else.</param>
    /// <exception cref="InvalidDataException">The text is anything else.</exception>
    public static NpyHeader Parse(string text, string name, bool objects = false)
    {
        Tokenizer tokens = new(text, name);
        string? descr = null;
        bool? fortran = null;
        List<long>? shape = null;
        tokens.Expect('{');
        while (!tokens.TryTake('}'))
        {
            string key = tokens.Quoted();
            tokens.Expect(':');
            switch (key)
            {
                case "descr" when descr is null:
                    descr = tokens.Quoted();
                    break;
                case "fortran_order" when fortran is null:
                    fortran = tokens.Boolean();
                    break;
                case "shape" when shape is null:
                    shape = tokens.Tuple();
                    break;
                default:
                    throw tokens.Bad($"key '{key}' is unknown or occurs twice");
            }
            if (!tokens.TryTake(','))
            {
                tokens.Expect('}');
                break;
            }
        }
        tokens.End();
        if (descr is null || fortran is null || shape is null)
        {
            throw tokens.Bad("needs descr, fortran_order and shape");
        }
        if (objects)
        {
            return IsObject(descr) ? new(ElementType.Other, false, fortran.Value, shape) : throw tokens.Bad($"the array holds numbers of type '{descr}', expected a dictionary saved with np.save");
        }
        return new(ElementTypeOf(descr) ?? throw tokens.Bad(Unreadable(descr)), descr[0] == '>', fortran.Value, shape);
    }

    /// <summary>The type of a description such as "&lt;f4"; null where it is none of the numeric types that are read.</summary>
    public static ElementType? ElementTypeOf(string descr)
    {
        if (descr.Length < 2 || descr[0] is not ('<' or '>' or '|' or '='))
        {
            return null;
        }
        ElementType? type = descr[1..] switch
        {
            "f2" => ElementType.Float16,
            "f4" => ElementType.Float32,
            "f8" => ElementType.Float64,
            "i1" => ElementType.Int8,
            "i2" => ElementType.Int16,
            "i4" => ElementType.Int32,
            "i8" => ElementType.Int64,
            "u1" => ElementType.UInt8,
            "u2" => ElementType.UInt16,
            "u4" => ElementType.UInt32,
            "u8" => ElementType.UInt64,
            "b1" => ElementType.Bool,
            "c8" => ElementType.Complex64,
            "c16" => ElementType.Complex128,
            _ => null,
        };
        // '|' means that byte order does not apply, which is so for single bytes only.
        return descr[0] == '|' && type is { } known && known.Size() != 1 ? null : type;
    }

    private static bool IsObject(string descr) => descr is "|O" or "O";

    private static string Unreadable(string descr) => IsObject(descr)
        ? "the array holds Python objects (a pickle), expected numbers"
        : $"type '{descr}' is not one of the numeric types that are read";

    private sealed class Tokenizer(string text, string name)
    {
        private int _at;

        public bool TryTake(char symbol)
        {
            SkipSpace();
            bool there = _at < text.Length && text[_at] == symbol;
            _at += there ? 1 : 0;
            return there;
        }

        public void Expect(char symbol)
        {
            if (!TryTake(symbol))
            {
                throw Bad($"'{symbol}' expected at character {_at}");
            }
        }

        public string Quoted()
        {
            SkipSpace();
            char quote = _at < text.Length ? text[_at] : '\0';
            int end = quote is '\'' or '"' ? text.IndexOf(quote, _at + 1) : -1;
            if (end < 0)
            {
                throw Bad($"a quoted text expected at character {_at}");
            }
            string value = text[(_at + 1)..end];
            _at = end + 1;
            return value;
        }

        public bool Boolean()
        {
            SkipSpace();
            foreach (string word in (ReadOnlySpan<string>)["True", "False"])
            {
                if (text.AsSpan(_at).StartsWith(word, StringComparison.Ordinal))
                {
                    _at += word.Length;
                    return word == "True";
                }
            }
            throw Bad($"True or False expected at character {_at}");
        }

        public List<long> Tuple()
        {
            List<long> values = [];
            Expect('(');
            bool comma = true;
            while (!TryTake(')'))
            {
                int start = _at;
                while (_at < text.Length && char.IsAsciiDigit(text[_at]))
                {
                    _at++;
                }
                if (!comma || values.Count == ShapeMath.MaxRank || !long.TryParse(text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out long value))
                {
                    throw Bad($"shape: a whole number expected at character {start}, at most {ShapeMath.MaxRank} of them");
                }
                _at += _at < text.Length && text[_at] == 'L' ? 1 : 0;
                values.Add(value);
                comma = TryTake(',');
            }
            return values.Count == 1 && !comma ? throw Bad("shape is a number in parentheses, expected a tuple such as (3,)") : values;
        }

        public void End()
        {
            SkipSpace();
            if (_at < text.Length)
            {
                throw Bad($"something follows the dictionary at character {_at}");
            }
        }

        public InvalidDataException Bad(string what) => new($"{name}: .npy header: {what}");

        private void SkipSpace()
        {
            while (_at < text.Length && text[_at] is ' ' or '\n' or '\t' or '\r')
            {
                _at++;
            }
        }
    }
}
