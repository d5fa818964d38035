// A cursor over one protocol-buffer message that hands out nested messages and byte fields as slices.
//
// Frozen graphs and V1 checkpoints hold hundreds of megabytes in nested messages; Google.Protobuf's coded stream would copy them
// once a level.

using Google.Protobuf;

namespace Mirror.Formats;

/// <summary>Reads the fields of one message in order.</summary>
internal struct ProtoReader(ReadOnlyMemory<byte> message)
{
    private int _at;
    private WireFormat.WireType _wire;

    /// <summary>Number of the field that <see cref="Next"/> found.</summary>
    public int Field { get; private set; }

    /// <summary>True where the field is length-delimited: a message, bytes, a text or packed numbers.</summary>
    public readonly bool IsBytes => _wire == WireFormat.WireType.LengthDelimited;

    /// <summary>Moves to the next field; false at the end. Each field found must be taken or skipped.</summary>
    /// <exception cref="InvalidDataException">The message is malformed.</exception>
    public bool Next()
    {
        if (_at == message.Length)
        {
            return false;
        }
        ulong tag = Number();
        Field = (int)Math.Min(tag >> 3, int.MaxValue);
        _wire = (WireFormat.WireType)(tag & 7);
        return Field is > 0 and < 1 << 29 ? true : throw new InvalidDataException($"field number {Field} is not possible");
    }

    public ulong Varint() => _wire == WireFormat.WireType.Varint ? Number() : throw Mismatch("a number");

    public ReadOnlyMemory<byte> Bytes()
    {
        if (!IsBytes)
        {
            throw Mismatch("bytes");
        }
        return Take(Number());
    }

    public string Text() => Encoding(Bytes().Span);

    /// <summary>Numbers of 1, 4 or 8 bytes (0: varints), packed or one alone, appended as they are stored.</summary>
    public ReadOnlyMemory<byte> Packed(int width) => _wire switch
    {
        WireFormat.WireType.LengthDelimited => Take(Number()),
        WireFormat.WireType.Fixed32 when width == 4 => Take(4),
        WireFormat.WireType.Fixed64 when width == 8 => Take(8),
        WireFormat.WireType.Varint when width == 0 => OneVarint(),
        _ => throw Mismatch("numbers"),
    };

    public void Skip()
    {
        switch (_wire)
        {
            case WireFormat.WireType.Varint:
                Number();
                break;
            case WireFormat.WireType.Fixed64:
                Take(8);
                break;
            case WireFormat.WireType.LengthDelimited:
                Take(Number());
                break;
            case WireFormat.WireType.Fixed32:
                Take(4);
                break;
            default:
                throw new InvalidDataException($"field {Field} has wire type {(int)_wire}, which is not read");
        }
    }

    private ReadOnlyMemory<byte> OneVarint()
    {
        int start = _at;
        Number();
        return message[start.._at];
    }

    private ulong Number()
    {
        ReadOnlySpan<byte> rest = message.Span[_at..];
        if (!Mirror.Formats.Varint.TryRead(ref rest, out ulong value))
        {
            throw new InvalidDataException($"a number is cut off at byte {_at} of a message of {message.Length}");
        }
        _at = message.Length - rest.Length;
        return value;
    }

    private ReadOnlyMemory<byte> Take(ulong length)
    {
        if (length > (ulong)(message.Length - _at))
        {
            throw new InvalidDataException($"field {Field} has {length} bytes, {message.Length - _at} are left of its message: the file is truncated or something else");
        }
        _at += (int)length;
        return message.Slice(_at - (int)length, (int)length);
    }

    private readonly InvalidDataException Mismatch(string wanted) => new($"field {Field} has wire type {(int)_wire}, expected {wanted}");

    private static string Encoding(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes)
        ? System.Text.Encoding.UTF8.GetString(bytes)
        : throw new InvalidDataException($"the text {Convert.ToHexStringLower(bytes[..Math.Min(bytes.Length, 32)])} is not UTF-8");
}
