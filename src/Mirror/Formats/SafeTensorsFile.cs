// Reads a safetensors file: 8 bytes header length, a JSON header, then the tensors' bytes, which cover the rest without gap or overlap.
//
// The native core maps the same files for inference; this reader serves listing, checking and export. It is as strict: every tensor's size
// must equal its shape, ranges must tile the data exactly, names are unique. No tensor is read before it is asked for.

using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Mirror.Formats;

/// <summary>A safetensors file, opened for reading. Instances may be read from several threads at once.</summary>
public sealed class SafeTensorsFile : IDisposable
{
    /// <summary>Longest header accepted, in bytes: the format's own limit.</summary>
    internal const long MaxHeaderLength = 100_000_000;

    private const int LengthField = 8;

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly long _dataStart;
    private readonly Dictionary<string, (TensorEntry Entry, long Offset)> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafeTensorsFile(string path)
    {
        _path = path;
        _file = File.OpenHandle(path);
        try
        {
            long length = RandomAccess.GetLength(_file);
            Span<byte> field = stackalloc byte[LengthField];
            if (length < LengthField)
            {
                throw Bad($"is {length} bytes long, too short for a safetensors file");
            }
            ReadRange(0, field);
            ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(field);
            if (headerLength > MaxHeaderLength || headerLength > (ulong)(length - LengthField))
            {
                throw Bad($"declares a header of {headerLength} bytes; the file has {length - LengthField} after the length field, the limit is {MaxHeaderLength}: it is truncated or no safetensors file");
            }
            byte[] header = new byte[headerLength];
            ReadRange(LengthField, header);
            _dataStart = LengthField + (long)headerLength;
            ParseHeader(header);
            CheckTiling(length - _dataStart);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
        Tensors = [.. _byName.Values.Select(pair => pair.Entry).OrderBy(entry => entry.Name, StringComparer.Ordinal)];
    }

    /// <summary>All tensors, sorted by name (ordinal).</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>The file's free-form metadata; Mirror writes "format", "network" and "origin".</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Opens a file and checks its header completely.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no valid safetensors file; the message names it and what is wrong.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public static SafeTensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new(path);
    }

    /// <summary>The tensor of this name; null where there is none.</summary>
    public TensorEntry? Find(string name) => _byName.TryGetValue(name, out (TensorEntry Entry, long Offset) found) ? found.Entry : null;

    /// <summary>Reads one tensor's elements, row-major and little-endian.</summary>
    /// <exception cref="KeyNotFoundException">There is no tensor of this name.</exception>
    /// <exception cref="InvalidDataException">The tensor is too large for one array.</exception>
    /// <exception cref="IOException">The operating system refused to read.</exception>
    public byte[] ReadBytes(string name)
    {
        if (!_byName.TryGetValue(name, out (TensorEntry Entry, long Offset) found))
        {
            throw new KeyNotFoundException($"{_path}: no tensor \"{name}\"");
        }
        if (found.Entry.ByteLength > Array.MaxLength)
        {
            throw Bad($"tensor \"{name}\" has {found.Entry.ByteLength} bytes; at most {Array.MaxLength} can be read");
        }
        byte[] data = new byte[found.Entry.ByteLength];
        ReadRange(_dataStart + found.Offset, data);
        return data;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private void ParseHeader(byte[] header)
    {
        if (header.Length == 0 || header[0] != '{')
        {
            throw Bad("its header does not begin with '{': it is no safetensors file");
        }
        try
        {
            Utf8JsonReader json = new(header, new JsonReaderOptions { MaxDepth = 8 });
            Expect(ref json, JsonTokenType.StartObject);
            bool hasMetadata = false;
            while (Next(ref json) == JsonTokenType.PropertyName)
            {
                string name = Text(ref json);
                if (name == "__metadata__")
                {
                    ParseMetadata(ref json, hasMetadata);
                    hasMetadata = true;
                }
                else
                {
                    ParseTensor(ref json, name);
                }
            }
            if (json.Read())
            {
                throw Bad("something follows the header's JSON object");
            }
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{_path}: the header is no valid JSON: {e.Message}", e);
        }
    }

    private void ParseMetadata(ref Utf8JsonReader json, bool again)
    {
        if (again)
        {
            throw Bad("__metadata__ occurs twice");
        }
        Expect(ref json, JsonTokenType.StartObject);
        while (Next(ref json) == JsonTokenType.PropertyName)
        {
            string key = Text(ref json);
            Expect(ref json, JsonTokenType.String);
            if (!_metadata.TryAdd(key, Text(ref json)))
            {
                throw Bad($"__metadata__ has \"{key}\" twice");
            }
        }
    }

    private void ParseTensor(ref Utf8JsonReader json, string name)
    {
        string? typeName = null;
        List<long>? shape = null;
        List<long>? range = null;
        Expect(ref json, JsonTokenType.StartObject);
        while (Next(ref json) == JsonTokenType.PropertyName)
        {
            string field = Text(ref json);
            bool repeated = field switch
            {
                "dtype" => typeName is not null,
                "shape" => shape is not null,
                "data_offsets" => range is not null,
                _ => throw Bad($"tensor \"{name}\": unknown field \"{field}\""),
            };
            if (repeated)
            {
                throw Bad($"tensor \"{name}\": \"{field}\" occurs twice");
            }
            if (field == "dtype")
            {
                Expect(ref json, JsonTokenType.String);
                typeName = Text(ref json);
            }
            else if (field == "shape")
            {
                shape = Numbers(ref json, name, field, ShapeMath.MaxRank);
            }
            else
            {
                range = Numbers(ref json, name, field, 2);
            }
        }
        if (typeName is null || shape is null || range is not [long begin, long end])
        {
            throw Bad($"tensor \"{name}\": needs dtype, shape and two data_offsets");
        }
        ElementType type = ElementTypes.ParseSafeTensors(typeName) ?? throw Bad($"tensor \"{name}\": unknown dtype \"{typeName}\"");
        if (!ShapeMath.TryCount(shape, out long count) || count > long.MaxValue / type.Size() || begin > end || end - begin != count * type.Size())
        {
            throw Bad($"tensor \"{name}\" {ShapeMath.Text(shape)} {typeName}: data_offsets [{begin}, {end}] do not match its size");
        }
        if (!_byName.TryAdd(name, (new TensorEntry(name, type, typeName, shape, count, end - begin), begin)))
        {
            throw Bad($"tensor \"{name}\" occurs twice");
        }
    }

    private List<long> Numbers(ref Utf8JsonReader json, string name, string field, int most)
    {
        List<long> numbers = [];
        Expect(ref json, JsonTokenType.StartArray);
        while (Next(ref json) != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out long value) || value < 0 || numbers.Count == most)
            {
                throw Bad($"tensor \"{name}\": {field} is not a list of at most {most} whole numbers >= 0");
            }
            numbers.Add(value);
        }
        return numbers;
    }

    private void CheckTiling(long dataLength)
    {
        long end = 0;
        foreach ((TensorEntry entry, long offset) in _byName.Values.OrderBy(pair => pair.Offset).ThenBy(pair => pair.Entry.ByteLength))
        {
            if (offset != end)
            {
                throw Bad($"tensor \"{entry.Name}\" begins at {offset}, expected {end}: the data has a gap or an overlap");
            }
            end += entry.ByteLength;
        }
        if (end != dataLength)
        {
            throw Bad($"the tensors take {end} bytes, the file has {dataLength}: it is truncated or has bytes too many");
        }
    }

    private static JsonTokenType Next(ref Utf8JsonReader json) => json.Read() ? json.TokenType : throw new JsonException("it ends early");

    private void Expect(ref Utf8JsonReader json, JsonTokenType type)
    {
        if (Next(ref json) != type)
        {
            throw Bad($"the header has {json.TokenType} at byte {json.TokenStartIndex}, expected {type}");
        }
    }

    // GetString throws InvalidOperationException where an escape or the bytes are no valid text.
    private string Text(ref Utf8JsonReader json)
    {
        try
        {
            return json.GetString() ?? "";
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidDataException($"{_path}: the header has invalid text at byte {json.TokenStartIndex}", e);
        }
    }

    private void ReadRange(long offset, Span<byte> into)
    {
        for (int done = 0; done < into.Length;)
        {
            int read = RandomAccess.Read(_file, into[done..], offset + done);
            done += read > 0 ? read : throw new EndOfStreamException($"{_path}: the file became shorter while it was read");
        }
    }

    private InvalidDataException Bad(string what) => new($"{_path}: {what}");
}
