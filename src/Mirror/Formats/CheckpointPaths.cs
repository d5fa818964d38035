// Finds the checkpoint a user means: PREFIX, PREFIX and a step, the .index file itself, or a folder.
//
// A bundle is several files under one prefix and has no file of the prefix's own name, which is what people get wrong; so every
// sensible way to point at it is accepted, and a failure lists what is there instead.

using System.Globalization;
using System.Text;

namespace Mirror.Formats;

/// <summary>Resolution of checkpoint paths.</summary>
internal static class CheckpointPaths
{
    private const string IndexSuffix = ".index";
    private const string StateFile = "checkpoint";
    private const long MaxStateLength = 1 << 20;

    /// <summary>The prefix such that prefix + ".index" exists.</summary>
    /// <exception cref="FileNotFoundException">There is no such checkpoint; the message names what was looked for and found.</exception>
    /// <exception cref="InvalidDataException">The path is something else: a V1 checkpoint, or a damaged state file.</exception>
    public static string Resolve(string path, long? step)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegative(step.GetValueOrDefault(), nameof(step));
        string suffix = Suffix(step);
        string prefix = Strip(path);
        if (HasIndex(prefix + suffix))
        {
            return prefix + suffix;
        }
        if (suffix.Length > 0 && prefix.EndsWith(suffix, StringComparison.Ordinal) && HasIndex(prefix))
        {
            return prefix;
        }
        if (Directory.Exists(path))
        {
            return FromFolder(path, suffix);
        }
        if (File.Exists(path) && suffix.Length == 0)
        {
            throw SsTable.HasMagic(path)
                ? new InvalidDataException($"{path}: a TensorFlow V1 checkpoint (one file), expected a V2 checkpoint")
                : new InvalidDataException($"{path}: no TensorFlow V2 checkpoint: there is no {path}{IndexSuffix}");
        }
        throw new FileNotFoundException($"{prefix}{suffix}{IndexSuffix}: no such file; {Neighbours(prefix)}", prefix + suffix + IndexSuffix);
    }

    /// <summary>True where <paramref name="path"/> means a V2 checkpoint that is there, by its prefix or one of its files.</summary>
    public static bool IsBundle(string path, long? step)
    {
        string prefix = Strip(path);
        return HasIndex(prefix + Suffix(step)) || (prefix.EndsWith(Suffix(step), StringComparison.Ordinal) && HasIndex(prefix));
    }

    /// <summary>The path of one data shard.</summary>
    public static string Shard(string prefix, int shard, int shards) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}.data-{shard:D5}-of-{shards:D5}");

    /// <summary>The model_checkpoint_path of a `checkpoint` state file, relative to the file's folder where it is relative.</summary>
    /// <exception cref="InvalidDataException">The file is too long or has no such line.</exception>
    public static string ReadStateFile(string path)
    {
        long length = new FileInfo(path).Length;
        if (length > MaxStateLength)
        {
            throw new InvalidDataException($"{path}: {length} bytes, too long for a checkpoint state file (at most {MaxStateLength})");
        }
        const string Field = "model_checkpoint_path:";
        foreach (string line in File.ReadLines(path))
        {
            string text = line.Trim();
            if (!text.StartsWith(Field, StringComparison.Ordinal))
            {
                continue;
            }
            string value = text[Field.Length..].Trim();
            if (value.Length < 3 || value[0] is not ('"' or '\'') || value[^1] != value[0])
            {
                throw new InvalidDataException($"{path}: {Field} is followed by {value}, expected a quoted path");
            }
            string target = Unescape(path, value[1..^1]);
            return target.Contains('\0', StringComparison.Ordinal)
                ? throw new InvalidDataException($"{path}: {Field} holds a NUL character")
                : Path.Combine(Path.GetDirectoryName(path) ?? "", target);
        }
        throw new InvalidDataException($"{path}: no line \"{Field}\"; it is no checkpoint state file");
    }

    /// <summary>What the saver appends to a prefix for a step: "-N"; empty for null.</summary>
    public static string Suffix(long? step) => step is long number ? "-" + number.ToString(CultureInfo.InvariantCulture) : "";

    private static bool HasIndex(string prefix) => prefix.Length > 0 && File.Exists(prefix + IndexSuffix);

    // PREFIX.index, PREFIX.meta and PREFIX.data-00000-of-00001 mean PREFIX.
    private static string Strip(string path)
    {
        int data = path.LastIndexOf(".data-", StringComparison.Ordinal);
        string prefix = path.EndsWith(IndexSuffix, StringComparison.Ordinal) ? path[..^IndexSuffix.Length]
            : path.EndsWith(".meta", StringComparison.Ordinal) ? path[..^".meta".Length]
            : data > 0 && path.IndexOf("-of-", data, StringComparison.Ordinal) > 0 ? path[..data]
            : path;
        return prefix != path && File.Exists(path) ? prefix : path;
    }

    private static string FromFolder(string folder, string suffix)
    {
        string state = Path.Combine(folder, StateFile);
        if (suffix.Length == 0 && File.Exists(state))
        {
            string prefix = ReadStateFile(state);
            return HasIndex(prefix)
                ? prefix
                : throw new FileNotFoundException($"{prefix}{IndexSuffix}: no such file, though {state} names it", prefix + IndexSuffix);
        }
        string[] indexes = Directory.GetFiles(folder, "*" + suffix + IndexSuffix);
        Array.Sort(indexes, StringComparer.Ordinal);
        return indexes.Length == 1
            ? indexes[0][..^IndexSuffix.Length]
            : throw new FileNotFoundException(
                $"{folder}: {indexes.Length} checkpoints (*{suffix}{IndexSuffix}), expected 1; " +
                (indexes.Length == 0 ? "name the checkpoint's prefix" : $"name one: {string.Join(", ", indexes.Take(5).Select(Path.GetFileName))}"),
                folder);
    }

    private static string Neighbours(string prefix)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(prefix)) ?? prefix;
        if (!Directory.Exists(folder))
        {
            return $"there is no folder {folder}";
        }
        string[] found = [.. Directory.EnumerateFiles(folder, "*" + IndexSuffix).Select(file => Path.GetFileName(file)[..^IndexSuffix.Length]).Order(StringComparer.Ordinal).Take(5)];
        return found.Length == 0 ? $"{folder} holds no checkpoint (*{IndexSuffix})" : $"checkpoints in {folder}: {string.Join(", ", found)}";
    }

    // C escapes of the text format: \n, \", \\, \', octal and hexadecimal bytes. Bytes are UTF-8.
    private static string Unescape(string path, string text)
    {
        List<byte> bytes = [];
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            int escape = rest.IndexOf('\\');
            ReadOnlySpan<char> plain = escape < 0 ? rest : rest[..escape];
            bytes.AddRange(Encoding.UTF8.GetBytes(plain.ToString()));
            rest = rest[plain.Length..];
            if (rest.IsEmpty)
            {
                break;
            }
            rest = rest[1..];
            int digits = 0;
            while (digits < 3 && digits < rest.Length && rest[digits] is >= '0' and <= '7')
            {
                digits++;
            }
            if (digits > 0)
            {
                int value = 0;
                foreach (char digit in rest[..digits])
                {
                    value = (value * 8) + (digit - '0');
                }
                bytes.Add((byte)value);
                rest = rest[digits..];
                continue;
            }
            char kind = rest.IsEmpty ? '\0' : rest[0];
            bytes.Add(kind switch
            {
                'n' => (byte)'\n',
                'r' => (byte)'\r',
                't' => (byte)'\t',
                '"' or '\'' or '\\' => (byte)kind,
                'x' when rest.Length >= 3 && byte.TryParse(rest[1..3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte hex) => hex,
                _ => throw new InvalidDataException($"{path}: unknown escape \\{kind} in model_checkpoint_path"),
            });
            rest = rest[(kind == 'x' ? 3 : 1)..];
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
