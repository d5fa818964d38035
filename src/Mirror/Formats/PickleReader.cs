// A restricted unpickler: turns the pickles that numpy dictionaries and published ground truths are stored in into plain values.
//
// Pickle is a program for a stack machine that can name and call any function. This machine knows the operations that build
// numbers, texts, lists, tuples, dictionaries and numpy arrays, and the five functions that numpy's own arrays need, which are not
// called but imitated; all else is refused by name. Nothing is allocated by a number from the file alone: values are limited in
// count, arrays stay slices of the input, and the tree is checked for depth, cycles and sharing before anyone sees it (PickleTree).

using System.Buffers.Binary;
using System.Text;

namespace Mirror.Formats;

/// <summary>Reader of pickles, protocols 2 to 4, as Python 2 and 3 write them.</summary>
internal static class PickleReader
{
    /// <summary>Reads a whole file that is one pickle (.pkl).</summary>
    /// <returns>As <see cref="Read"/>.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">As <see cref="Read"/>.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public static object? ReadFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Read(WholeFile.Read(path), path);
    }

    /// <summary>Reads one pickle that begins at <paramref name="start"/> and takes the rest of <paramref name="data"/>.</summary>
    /// <param name="data">The file; arrays in the result refer to it, so it must not change.</param>
    /// <param name="name">The file's name for messages.</param>
    /// <param name="start">Where the pickle begins; messages count bytes from the file's own beginning.</param>
    /// <returns>
    /// A tree of null, bool, long, double, string (Python 2 texts are decoded as UTF-8 where they are, else as Latin-1), byte[],
    /// List&lt;object?&gt;, object?[] (tuple), Dictionary&lt;object, object?&gt; (keys are strings and longs) and <see cref="NpyArray"/>. An object array of no
    /// dimension is its one element, of one dimension a list. What the pickle shares is one object here too; the tree has no cycles,
    /// at most 64 levels, and is small enough to be walked as a tree.
    /// </returns>
    /// <exception cref="InvalidDataException">The pickle is damaged, too deep or too large, or does anything but build such values; the message names file, byte and operation.</exception>
    public static object? Read(ReadOnlyMemory<byte> data, string name, int start = 0) => new PickleMachine(data, name, start).Run();
}

/// <summary>The stack machine.</summary>
internal sealed class PickleMachine(ReadOnlyMemory<byte> data, string name, int start)
{
    // More than any network (ten values an array) or ground truth has; bounds memory at some hundred bytes each.
    private const int MaxValues = 1 << 20;
    private const int MaxName = 256;

    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private readonly PickleBudget _budget = new(data.Length);
    private int _at = start;
    private int _operation = start;
    private int _values;

    public object? Run()
    {
        RequireProtocol();
        while (Step())
        {
        }
        if (_stack.Count != 1 || _marks.Count > 0)
        {
            throw Bad($"it ends with {_stack.Count} values and {_marks.Count} open marks on the stack, expected one value");
        }
        return _at == data.Length
            ? new PickleTree(Bad, _budget).Finish(_stack[0])
            : throw Bad($"{data.Length - _at} bytes follow its end");
    }

    private void RequireProtocol()
    {
        int protocol = Byte() == 0x80 ? Byte() : 0;
        if (protocol is < 2 or > 4)
        {
            throw Bad($"protocol {protocol}, known are 2 to 4: write it again with pickle.dump(..., protocol=2)");
        }
    }

    // One operation; false after the last.
    private bool Step()
    {
        _operation = _at;
        byte code = Byte();
        switch (code)
        {
            case (byte)'.':
                return false;
            case 0x95:
                Number(8);
                break;
            case (byte)'(':
                Count();
                _marks.Add(_stack.Count);
                break;
            case (byte)'q' or (byte)'r' or 0x94:
                Memoize(code == (byte)'q' ? Byte() : code == (byte)'r' ? (uint)Number(4) : (uint)_memo.Count);
                break;
            case (byte)'a':
                Append([Pop()]);
                break;
            case (byte)'e':
                Append(PopToMark());
                break;
            case (byte)'s':
                object? value = Pop();
                SetItems([Pop(), value]);
                break;
            case (byte)'u':
                SetItems(PopToMark());
                break;
            case (byte)'b':
                Build(Pop());
                break;
            default:
                Push(Value(code));
                break;
        }
        return true;
    }

    // The operations that push something.
    private object? Value(byte code) => code switch
    {
        (byte)'N' => null,
        0x88 => true,
        0x89 => false,
        (byte)'K' => (long)Byte(),
        (byte)'M' => (long)Number(2),
        (byte)'J' => (long)(int)Number(4),
        0x8A => Long(Byte()),
        (byte)'G' => BinaryPrimitives.ReadDoubleBigEndian(Take(8).Span),
        (byte)'U' => new PickleText(Take(Byte()), Bad),
        (byte)'T' => new PickleText(Take(Number(4)), Bad),
        (byte)'C' => new PickleBytes(Take(Byte())),
        (byte)'B' => new PickleBytes(Take(Number(4))),
        (byte)'X' => Unicode(Take(Number(4))),
        0x8C => Unicode(Take(Byte())),
        (byte)')' => Array.Empty<object?>(),
        (byte)'t' => PopToMark(),
        0x85 => PopMany(1),
        0x86 => PopMany(2),
        0x87 => PopMany(3),
        (byte)']' => new List<object?>(),
        (byte)'}' => new Dictionary<object, object?>(PickleKeys.Comparer),
        (byte)'h' => Recall(Byte()),
        (byte)'j' => Recall((uint)Number(4)),
        (byte)'c' => Global(Line(), Line()),
        0x93 => StackGlobal(),
        (byte)'R' => Reduce(),
        _ => throw Refused($"operation {PickleNames.Operation(code)}"),
    };

    private void Count()
    {
        if (++_values > MaxValues)
        {
            throw Bad($"more than {MaxValues} values");
        }
    }

    private void Push(object? value)
    {
        Count();
        _stack.Add(value);
    }

    private object? Pop()
    {
        if (_stack.Count <= (_marks.Count > 0 ? _marks[^1] : 0))
        {
            throw Bad("it takes more values from the stack than there are");
        }
        object? top = _stack[^1];
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private object? Top()
    {
        object? top = Pop();
        _stack.Add(top);
        return top;
    }

    private object?[] PopMany(int count)
    {
        object?[] items = new object?[count];
        for (int i = count - 1; i >= 0; i--)
        {
            items[i] = Pop();
        }
        return items;
    }

    private object?[] PopToMark()
    {
        if (_marks.Count == 0)
        {
            throw Bad("it closes a mark that was never set");
        }
        int mark = _marks[^1];
        object?[] items = [.. _stack.GetRange(mark, _stack.Count - mark)];
        _stack.RemoveRange(mark, items.Length);
        _marks.RemoveAt(_marks.Count - 1);
        return items;
    }

    private void Memoize(uint index)
    {
        Count();
        _memo[index] = Top();
    }

    private object? Recall(uint index) => _memo.TryGetValue(index, out object? value) ? value : throw Bad($"memo {index} was never set");

    private void Append(object?[] items)
    {
        if (Top() is not List<object?> list)
        {
            throw Bad("it appends to something that is no list");
        }
        list.AddRange(items);
    }

    private void SetItems(object?[] items)
    {
        if (Top() is not Dictionary<object, object?> dictionary || items.Length % 2 != 0)
        {
            throw Bad("it sets items of something that is no dictionary, or a key without value");
        }
        for (int i = 0; i < items.Length; i += 2)
        {
            object key = items[i] switch
            {
                PickleText text => text.Value,
                string or long => items[i]!,
                _ => throw Bad($"a dictionary has {PickleNames.Kind(items[i])} as a key; texts and whole numbers are read"),
            };
            if (!dictionary.TryAdd(key, items[i + 1]))
            {
                throw Bad($"a dictionary has the key {key} twice");
            }
        }
    }

    private PickleGlobal StackGlobal()
    {
        object?[] names = PopMany(2);
        return names is [string module, string function] ? Global(module, function) : throw Bad("a function's name is no text");
    }

    // NumPy 2 renamed numpy.core to numpy._core.
    private PickleGlobal Global(string module, string function) => (module, function) switch
    {
        ("numpy.core.multiarray" or "numpy._core.multiarray", "_reconstruct") => PickleGlobal.Reconstruct,
        ("numpy.core.multiarray" or "numpy._core.multiarray", "scalar") => PickleGlobal.Scalar,
        ("numpy", "ndarray") => PickleGlobal.NdArray,
        ("numpy", "dtype") => PickleGlobal.Dtype,
        ("_codecs", "encode") => PickleGlobal.Encode,
        _ => throw Refused($"{PickleNames.Shown(module)} {PickleNames.Shown(function)}"),
    };

    private object Reduce()
    {
        object?[] pair = PopMany(2);
        return pair switch
        {
            [PickleGlobal.Reconstruct, object?[] { Length: 3 } and [PickleGlobal.NdArray, _, _]] => new PickleArray(),
            [PickleGlobal.Dtype, object?[] { Length: 3 } and [var descr, _, _]] when PickleNames.Text(descr) is { } text => new PickleDtype(text),
            [PickleGlobal.Scalar, object?[] { Length: 2 } and [PickleDtype dtype, var bytes]] when PickleNames.Bytes(bytes) is { } element => dtype.Scalar(element, Bad),
            [PickleGlobal.Encode, object?[] { Length: 2 } and [string text, "latin1" or "latin-1"]] => new PickleBytes(Latin1(text)),
            [PickleGlobal function, _] => throw Bad($"unusual arguments for {function}"),
            _ => throw Refused("a call of something that is no function"),
        };
    }

    private void Build(object? state)
    {
        switch (Top(), state)
        {
            case (PickleDtype dtype, object?[] fields):
                dtype.Build(fields, Bad);
                break;
            case (PickleArray array, object?[] fields):
                array.Build(fields, Bad);
                break;
            default:
                throw Refused($"the state of {PickleNames.Kind(Top())}");
        }
    }

    private byte[] Latin1(string text)
    {
        _budget.Charge(text.Length, Bad);
        foreach (char letter in text)
        {
            if (letter > '\u00FF')
            {
                throw Bad("a text to be encoded as Latin-1 has other letters");
            }
        }
        return Encoding.Latin1.GetBytes(text);
    }

    private string Unicode(ReadOnlyMemory<byte> bytes) => PickleText.Decode(bytes.Span, orLatin1: false, Bad);

    private long Long(int length)
    {
        ReadOnlySpan<byte> bytes = Take(length).Span;
        if (length > sizeof(long))
        {
            throw Bad($"a whole number of {length} bytes; at most {sizeof(long)} are read");
        }
        long value = length > 0 && (bytes[^1] & 0x80) != 0 ? -1 : 0;
        for (int i = length - 1; i >= 0; i--)
        {
            value = (value << 8) | bytes[i];
        }
        return value;
    }

    private string Line()
    {
        ReadOnlySpan<byte> rest = data.Span[_at..];
        int end = rest[..Math.Min(rest.Length, MaxName + 1)].IndexOf((byte)'\n');
        if (end < 0)
        {
            throw Bad($"a function's name has no end within {MaxName} bytes");
        }
        _at += end + 1;
        return Encoding.Latin1.GetString(rest[..end]);
    }

    private byte Byte() => Take(1).Span[0];

    private ulong Number(int width)
    {
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        number.Clear();
        Take((ulong)width).Span.CopyTo(number);
        return BinaryPrimitives.ReadUInt64LittleEndian(number);
    }

    private ReadOnlyMemory<byte> Take(int length) => Take((ulong)length);

    private ReadOnlyMemory<byte> Take(ulong length)
    {
        if (length > (ulong)(data.Length - _at))
        {
            throw Bad($"{length} bytes wanted at byte {_at}, {data.Length - _at} are left: the file is truncated");
        }
        _at += (int)length;
        return data.Slice(_at - (int)length, (int)length);
    }

    private InvalidDataException Bad(string what) => new($"{name}: pickle, byte {_operation}: {what}");

    private InvalidDataException Refused(string what) =>
        Bad($"{what} is refused: pickles can run code; Mirror reads only arrays, numbers, texts, lists and dictionaries");
}
