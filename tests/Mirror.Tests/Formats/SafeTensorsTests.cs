// safetensors: written bytes, and what the reader refuses.

using System.Buffers.Binary;
using System.Text;
using Mirror.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Formats;

internal sealed class SafeTensorsTests
{
    private static readonly Dictionary<string, string> Metadata = new() { ["network"] = "n", ["format"] = "mirror" };

    [Test]
    public void Write_TwoTensors_HasExactlyTheseBytes()
    {
        using TempFolder folder = new();
        string path = folder.File("new/m.safetensors");
        SafeTensorsWriter.Write(path, Metadata, [SafeTensor("b", [1], 2f), new("a", ElementType.UInt8, [2, 1], () => new byte[] { 7, 8 })]);
        byte[] bytes = File.ReadAllBytes(path);
        const string Header = """{"__metadata__":{"format":"mirror","network":"n"},"a":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""";
        int padded = (Header.Length + 7) / 8 * 8;
        Assert.That(BinaryPrimitives.ReadInt64LittleEndian(bytes), Is.EqualTo(padded));
        Assert.That(Encoding.UTF8.GetString(bytes, 8, padded), Is.EqualTo(Header.PadRight(padded)));
        Assert.That(bytes[(8 + padded)..], Is.EqualTo(new byte[] { 7, 8, 0, 0, 0, 64 }));
        Assert.That(Directory.GetFiles(Path.GetDirectoryName(path)!), Has.Length.EqualTo(1), "no temporary file remains");
    }

    [Test]
    public void Open_WrittenFile_ReadsBack()
    {
        using TempFolder folder = new();
        SafeTensorsWriter.Write(folder.File("m"), Metadata, [SafeTensor("x/ü\"", [2, 1], 1f, 2f), SafeTensor("scalar", [], 3f), SafeTensor("empty", [0, 5])]);
        using SafeTensorsFile file = SafeTensorsFile.Open(folder.File("m"));
        Assert.That(file.Metadata, Is.EquivalentTo(Metadata));
        Assert.That(string.Join(" ", file.Tensors.Select(tensor => tensor.Name)), Is.EqualTo("empty scalar x/ü\""));
        Assert.That(file.ReadBytes("x/ü\""), Is.EqualTo(new byte[] { 0, 0, 128, 63, 0, 0, 0, 64 }));
        Assert.That(file.ReadBytes("empty"), Is.Empty);
        Assert.That(() => file.ReadBytes("y"), Throws.TypeOf<KeyNotFoundException>());
    }

    [Test]
    public void Write_FailingHalfway_KeepsTheOldFileAndNothingElse()
    {
        using TempFolder folder = new();
        string path = folder.File("m");
        File.WriteAllText(path, "old");
        SafeTensorsItem bad = new("z", ElementType.Float32, [1], () => throw new InvalidDataException("source is damaged"));
        Assert.That(() => SafeTensorsWriter.Write(path, Metadata, [SafeTensor("a", [1], 1f), bad]), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => SafeTensorsWriter.Write(path, Metadata, [new("a", ElementType.Float32, [1], () => new byte[3])]), Throws.ArgumentException.With.Message.Contains("3 bytes given, expected 4"));
        Assert.That(() => SafeTensorsWriter.Write(path, Metadata, [SafeTensor("a", [1], 1f), SafeTensor("a", [1], 1f)]), Throws.ArgumentException);
        Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
        Assert.That(Directory.GetFiles(folder.Root), Has.Length.EqualTo(1));
    }

    [Test]
    public void Write_IntoAFileAsFolder_NamesThePath()
    {
        using TempFolder folder = new();
        File.WriteAllText(folder.File("taken"), "");
        Assert.That(() => SafeTensorsWriter.Write(folder.File("taken/m"), Metadata, []), Throws.TypeOf<IOException>().With.Message.Contains("cannot write").And.Message.Contains("taken/m"));
    }

    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "bytes too many")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 3, "truncated")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "do not match its size")]
    [TestCase("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "do not match its size")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "gap or an overlap")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "gap or an overlap")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "occurs twice")]
    [TestCase("""{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}""", 4, "F31")]
    [TestCase("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "whole numbers")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "whole numbers")]
    [TestCase("""{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "needs dtype")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}""", 4, "unknown field")]
    [TestCase("""{"__metadata__":{"a":1}}""", 0, "expected String")]
    [TestCase("""{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "invalid text")]
    [TestCase("""{"a":""", 0, "valid JSON")]
    [TestCase("""[]""", 0, "begin with")]
    [TestCase("""{}x""", 0, "JSON")]
    [TestCase("", 0, "begin with")]
    public void Open_InvalidFile_NamesItAndTheReason(string header, int dataLength, string message)
    {
        using TempFolder folder = new();
        byte[] text = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(folder.File("m"), [.. BitConverter.GetBytes((long)text.Length), .. text, .. new byte[dataLength]]);
        Assert.That(() => SafeTensorsFile.Open(folder.File("m")), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message).And.Message.Contains(folder.File("m")));
    }

    [Test]
    public void Open_HeaderLongerThanTheFile_AllocatesNothing()
    {
        using TempFolder folder = new();
        File.WriteAllBytes(folder.File("m"), [0, 0, 0, 0, 0, 0, 0, 0x80, 0x7B]);
        Assert.That(() => SafeTensorsFile.Open(folder.File("m")), Throws.TypeOf<InvalidDataException>().With.Message.Contains("9223372036854775808"));
    }

    private static SafeTensorsItem SafeTensor(string name, long[] shape, params float[] values) => SafeTensorsItem.FromFloats(name, shape, values);
}
