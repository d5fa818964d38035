// The restricted unpickler: what Python writes is read, what could run code or never end is refused by name.

using System.Text;
using System.Text.RegularExpressions;
using Mirror.Formats;
using NUnit.Framework;

namespace Mirror.Tests.Formats;

internal sealed class PickleReaderTests
{
    // pickle.dumps of one value by Python 3.11.
    internal const string Protocol2 = "gAJ9cQAoWAMAAABnbmRxAV1xAih9cQMoWAMAAABiYnhxBF1xBShHP/gAAAAAAABHwAAAAAAAAABHflHrLWYAWDVlWAQAAABlYXN5cQZdcQcoSwFL/00AAUoAAAEASv////+KBgAAAAAAAYoGAAAAAAD/ZVgBAAAAdHEIKIiJTil0cQlYAQAAAGJxCmNfY29kZWNzCmVuY29kZQpxC1gJAAAAAMO/AMO/AMO/cQxYBgAAAGxhdGluMXENhnEOUnEPdWgDZVgGAAAAaW1saXN0cRBdcREoWAEAAABhcRJYAwAAAGLDpHETWAYAAADigqzigqxxFGVYAQAAAG5xFUsBSwJLA0sEhXEWhnEXh3EYdS4=";
    internal const string Protocol3 = "gAN9cQAoWAMAAABnbmRxAV1xAih9cQMoWAMAAABiYnhxBF1xBShHP/gAAAAAAABHwAAAAAAAAABHflHrLWYAWDVlWAQAAABlYXN5cQZdcQcoSwFL/00AAUoAAAEASv////+KBgAAAAAAAYoGAAAAAAD/ZVgBAAAAdHEIKIiJTil0cQlYAQAAAGJxCkMGAP8A/wD/cQt1aANlWAYAAABpbWxpc3RxDF1xDShYAQAAAGFxDlgDAAAAYsOkcQ9YBgAAAOKCrOKCrHEQZVgBAAAAbnERSwFLAksDSwSFcRKGcROHcRR1Lg==";
    internal const string Protocol4 = "gASVsAAAAAAAAAB9lCiMA2duZJRdlCh9lCiMA2JieJRdlChHP/gAAAAAAABHwAAAAAAAAABHflHrLWYAWDVljARlYXN5lF2UKEsBS/9NAAFKAAABAEr/////igYAAAAAAAGKBgAAAAAA/2WMAXSUKIiJTil0lIwBYpRDBgD/AP8A/5R1aANljAZpbWxpc3SUXZQojAFhlIwDYsOklIwG4oKs4oKslGWMAW6USwFLAksDSwSFlIaUh5R1Lg==";

    [TestCase(Protocol2)]
    [TestCase(Protocol3)]
    [TestCase(Protocol4)]
    public void Read_PlainValues_GivesThem(string base64)
    {
        var root = (Dictionary<object, object?>)PickleReader.Read(Convert.FromBase64String(base64), "p")!;
        var gnd = (List<object?>)root["gnd"]!;
        var first = (Dictionary<object, object?>)gnd[0]!;
        Assert.That(gnd, Has.Count.EqualTo(2));
        Assert.That(gnd[1], Is.SameAs(first));
        Assert.That(first["bbx"], Is.EqualTo(new object[] { 1.5, -2.0, 3e300 }));
        Assert.That(first["easy"], Is.EqualTo(new object[] { 1L, 255L, 256L, 65536L, -1L, 1L << 40, -(1L << 40) }));
        Assert.That(first["t"], Is.EqualTo(new object?[] { true, false, null, Array.Empty<object>() }));
        Assert.That(first["b"], Is.EqualTo(new byte[] { 0, 255, 0, 255, 0, 255 }));
        Assert.That(root["imlist"], Is.EqualTo(new[] { "a", "b\u00e4", "\u20ac\u20ac" }));
        Assert.That(root["n"], Is.EqualTo(new object[] { 1L, 2L, new object[] { 3L, new object[] { 4L } } }));
    }

    [Test]
    public void Read_Python2Text_IsUtf8ElseLatin1() =>
        Assert.That(PickleReader.Read(Pickle("](U\u0002\u00c3\u00a4U\u0001\u00e4T\u0001\0\0\0ae."), "p"), Is.EqualTo(new[] { "\u00e4", "\u00e4", "a" }));

    [TestCase("f4", "<", "%00%00%80%3f", 1.0)]
    [TestCase("f8", ">", "%40%08%00%00%00%00%00%00", 3.0)]
    [TestCase("i4", "<", "%ff%ff%ff%ff", -1L)]
    [TestCase("u8", ">", "%7f%ff%ff%ff%ff%ff%ff%ff", long.MaxValue)]
    [TestCase("b1", "|", "%01", true)]
    public void Read_NumpyScalar_GivesTheNumber(string type, string order, string bytes, object expected) =>
        Assert.That(PickleReader.Read(Pickle($"cnumpy.core.multiarray\nscalar\n{Dtype(type, order)}C{(char)Plain(bytes).Length}{bytes}\u0086R."), "p"), Is.EqualTo(expected));

    [TestCase("<", "K%00", 1f, 2f, 3f, 4f, 5f, 6f)]
    [TestCase("<", "%88", 1f, 3f, 5f, 2f, 4f, 6f)]
    [TestCase(">", "%89", 4.6006e-41f, 9e-44f, 2.30486e-41f, 4.6006e-41f, 5.74787e-41f, 6.8916e-41f)]
    public void Read_NumpyArray_IsInCOrderAndLittleEndian(string order, string fortran, params float[] expected)
    {
        string data = Encoding.Latin1.GetString(ElementData.FromFloat32([1, 2, 3, 4, 5, 6]));
        var array = (NpyArray)PickleReader.Read(Pickle(NdArray("f4", order, "K\u0002K\u0003\u0086", fortran, $"C\u0018{data}") + "."), "p")!;
        Assert.That(array.Shape, Is.EqualTo(new[] { 2L, 3L }));
        Assert.That(array.ToFloat32(), Is.EqualTo(expected).Within(1).Percent);
    }

    [TestCase("cos%0asystem%0a.", "os system is refused: pickles can run code")]
    [TestCase("c__builtin__%0aeval%0a.", "__builtin__ eval")]
    [TestCase("cnumpy.core.multiarray%0afromstring%0a.", "numpy.core.multiarray fromstring")]
    [TestCase("X%02%00%00%00osX%04%00%00%00exec%93.", "os exec")]
    [TestCase("cos%1b[2J%0asystem%0a.", "os?[2J system")]
    [TestCase("}.", "")]
    [TestCase("i", "INST")]
    [TestCase("%81", "NEWOBJ")]
    [TestCase("%8b", "LONG4")]
    [TestCase("%97", "NEXT_BUFFER")]
    [TestCase("%fe", "0xfe")]
    [TestCase("]]R", "no function")]
    [TestCase("}}b", "the state of a dictionary")]
    [TestCase("c_codecs%0aencode%0aX%01%00%00%00aX%05%00%00%00rot13%86R.", "unusual arguments for Encode")]
    [TestCase("cnumpy%0adtype%0a.", "the function Dtype, which is no data")]
    [TestCase("]q%00h%00a.", "contains itself")]
    [TestCase("}q%00K%01h%00s.", "contains itself")]
    [TestCase("h%05.", "memo 5")]
    [TestCase("]", "truncated")]
    [TestCase("]].", "2 values")]
    [TestCase("].]", "1 bytes follow")]
    [TestCase("a", "more values")]
    [TestCase("e", "never set")]
    [TestCase("}(K%01", "truncated")]
    [TestCase("}]K%01s.", "a list as a key")]
    [TestCase("}(K%01NK%01Nu.", "key 1 twice")]
    [TestCase("X%ff%ff%ff%7f", "2147483647 bytes wanted")]
    [TestCase("%8a%09123456789.", "9 bytes")]
    [TestCase("X%01%00%00%00%e4.", "not UTF-8")]
    public void Read_AnythingElse_IsRefusedByName(string program, string message)
    {
        if (message.Length == 0)
        {
            Assert.That(PickleReader.Read(Pickle(program), "p"), Is.Empty);
            return;
        }
        Assert.That(() => PickleReader.Read(Pickle(program), "some.pkl"), Throws.TypeOf<InvalidDataException>().With.Message.StartsWith("some.pkl: pickle, byte ").And.Message.Contains(message));
    }

    [TestCase("f4", "<", "K%02%85", "C%04aaaa", "[2] of <f4 has 4 bytes, expected 8")]
    [TestCase("S4", "|", "K%01%85", "C%04aaaa", "|S4 is not one")]
    [TestCase("f4", "|", "K%01%85", "C%04aaaa", "|f4 is not one")]
    [TestCase("f4", "<", "J%ff%ff%ff%ff%85", "C%04aaaa", "no possible shape")]
    [TestCase("f4", "<", "J%ff%ff%ff%7fJ%ff%ff%ff%7fJ%ff%ff%ff%7f%87", "C%04aaaa", "no possible shape")]
    [TestCase("f4", "<", "K%01%85", "]", "is a list, expected bytes")]
    [TestCase("O8", "|", "K%02%85", "]", "with 0 elements")]
    public void Read_ImpossibleArray_SaysWhatIsWrong(string type, string order, string shape, string data, string message) =>
        Assert.That(() => PickleReader.Read(Pickle(NdArray(type, order, shape, "\u0089", data) + "."), "p"), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));

    [Test]
    public void Read_Protocol0_SaysWhatToDo() =>
        Assert.That(() => PickleReader.Read("(lp0\n."u8.ToArray(), "p"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("protocol=2"));

    // Thirty lists, each holding the one before it twice: 2^30 leaves for whoever walks it.
    [Test]
    public void Read_SharedListsThatWouldExplode_AreRefused()
    {
        StringBuilder program = new("(]");
        for (int i = 0; i < 30; i++)
        {
            program.Append($"q{(char)i}](h{(char)i}h{(char)i}e");
        }
        Assert.That(() => PickleReader.Read(Pickle(program + "t."), "p"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("shared so often"));
    }

    [Test]
    public void Read_DeepNesting_IsRefused()
    {
        Assert.That(PickleReader.Read(Pickle("N" + new string('\u0085', 64) + "."), "p"), Is.InstanceOf<object?[]>());
        Assert.That(() => PickleReader.Read(Pickle("N" + new string('\u0085', 65) + "."), "p"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("64 levels"));
        Assert.That(() => PickleReader.Read(Pickle("N" + new string('\u0085', 900_000) + "."), "p"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("64 levels"));
        // The second half is reached through the memo at a depth that only both together exceed.
        string half = "N" + new string('\u0085', 40) + "q\0](h\0" + string.Concat(Enumerable.Repeat("](", 40)) + "h\0" + new string('e', 40) + "e.";
        Assert.That(() => PickleReader.Read(Pickle(half), "p"), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void Read_MillionsOfValues_AreRefused() =>
        Assert.That(() => PickleReader.Read(Pickle(new string('N', 2_000_000)), "p"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("more than 1048576 values"));

    // One text of 60,000 bytes as the data of a hundred arrays, which all have to be turned around.
    [Test]
    public void Read_SameBytesInManyArrays_AreRefused()
    {
        string array = NdArray("f4", ">", "M\u0098\u003a\u0085", "\u0089", "h\0");
        string program = $"B\u0060\u00ea\0\0{new string('a', 60_000)}q\0](" + string.Concat(Enumerable.Repeat(array, 100)) + "e\u0086.";
        Assert.That(() => PickleReader.Read(Pickle(program), "p"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("again and again"));
    }

    // "%0a" stands for the byte 0A: names of tests must be printable.
    private static byte[] Pickle(string program) => [0x80, 2, .. Encoding.Latin1.GetBytes(Plain(program))];

    private static string Plain(string text) => Regex.Replace(text, "%([0-9a-f]{2})", match => ((char)Convert.ToByte(match.Groups[1].Value, 16)).ToString());

    private static string Dtype(string type, string order) =>
        $"cnumpy\ndtype\nU{(char)type.Length}{type}K\0K\u0001\u0087R(K\u0003U\u0001{order}NNNJ\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u00ffK\0tb";

    private static string NdArray(string type, string order, string shape, string fortran, string data) =>
        $"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\u0085U\u0001b\u0087R(K\u0001{shape}{Dtype(type, order)}{fortran}{data}tb";
}
