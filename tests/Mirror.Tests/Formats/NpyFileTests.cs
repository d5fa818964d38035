// .npy: numpy's exact bytes when writing; every version, type and order when reading; refusals.

using System.Text;
using Mirror.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Formats;

internal sealed class NpyFileTests
{
    [TestCase(new long[] { 512, 35 }, "{'descr': '<f4', 'fortran_order': False, 'shape': (512, 35), }")]
    [TestCase(new long[] { 4 }, "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }")]
    [TestCase(new long[] { }, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }")]
    [TestCase(new long[] { 0, 3 }, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }")]
    public void Write_Shape_HasNumpysHeader(long[] shape, string header)
    {
        using TempFolder folder = new();
        float[] data = [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (product, dim) => product * dim)).Select(i => i + 0.5f)];
        NpyFile.Write(folder.File("a.npy"), data, shape);
        byte[] bytes = File.ReadAllBytes(folder.File("a.npy"));
        Assert.That(bytes[..10], Is.EqualTo(new byte[] { 0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, 118, 0 }));
        Assert.That(Encoding.ASCII.GetString(bytes, 10, 118), Is.EqualTo(header.PadRight(117) + "\n"));
        Assert.That(NpyFile.ReadFloat32(folder.File("a.npy"), out IReadOnlyList<long> read), Is.EqualTo(data));
        Assert.That(read, Is.EqualTo(shape));
        Assert.That(NpyFile.ReadShape(folder.File("a.npy")), Is.EqualTo(shape));
    }

    [Test]
    public void Write_ArraysOfNumpy_AreReproducedByteForByte()
    {
        using TempFolder folder = new();
        using System.IO.Compression.ZipArchive archive = System.IO.Compression.ZipFile.OpenRead(Paths.Data("models/small.npz"));
        foreach (System.IO.Compression.ZipArchiveEntry entry in archive.Entries)
        {
            using MemoryStream original = new();
            using Stream stream = entry.Open();
            stream.CopyTo(original);
            original.Position = 0;
            NpyArray array = NpyFile.Read(original, original.Length, entry.FullName);
            NpyFile.Write(folder.File("a.npy"), array.ToFloat32(), [.. array.Shape]);
            Assert.That(File.ReadAllBytes(folder.File("a.npy")), Is.EqualTo(original.ToArray()), entry.FullName);
        }
    }

    [TestCase("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)}", new byte[] { 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0x40 })]
    [TestCase("{'descr': '>f4', 'fortran_order': False, 'shape': (1L, 2L), }", new byte[] { 0x3F, 0x80, 0, 0, 0x40, 0, 0, 0 })]
    [TestCase("{\"shape\":(1,2),\"fortran_order\":False,\"descr\":\"<f2\"}  ", new byte[] { 0, 0x3C, 0, 0x40 })]
    [TestCase("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2), }", new byte[] { 1, 2 })]
    [TestCase("{'descr': '<i8', 'fortran_order': False, 'shape': (1, 2), }", new byte[] { 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0 })]
    [TestCase("{'descr': '|b1', 'fortran_order': False, 'shape': (1, 1), }", new byte[] { 1 })]
    public void Read_TypesAndVersions_GiveTheNumbers(string header, byte[] data)
    {
        for (byte version = 1; version <= 3; version++)
        {
            float[] values = Read(header, data, version).ToFloat32();
            Assert.That(values, Is.EqualTo(new float[] { 1, 2 }[..values.Length]));
        }
    }

    [Test]
    public void Read_FortranOrder_IsTransposedToC()
    {
        // a[i, j, k] = 100 i + 10 j + k of shape (2, 3, 2), first index fastest.
        byte[] data = [0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121];
        NpyArray array = Read("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }", data);
        Assert.That(array.Bytes.ToArray(), Is.EqualTo(new byte[] { 0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121 }));
    }

    [TestCase("{'descr': '|O', 'fortran_order': False, 'shape': (), }", "pickle")]
    [TestCase("{'descr': '<U5', 'fortran_order': False, 'shape': (), }", "'<U5'")]
    [TestCase("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (), }", "quoted text expected")]
    [TestCase("{'descr': '|f4', 'fortran_order': False, 'shape': (1,), }", "'|f4'")]
    [TestCase("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", "True or False")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (1), }", "tuple")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "whole number")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "whole number")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (2 2), }", "whole number")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "does not match")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "does not match the 4 bytes")]
    [TestCase("{'descr': '<f4', 'fortran_order': False}", "needs descr")]
    [TestCase("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "occurs twice")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", "follows the dictionary")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (1,", "whole number")]
    [TestCase("", "'{' expected")]
    public void Read_InvalidHeader_NamesFileAndReason(string header, string message) =>
        Assert.That(() => Read(header, new byte[4]), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message).And.Message.Contains("a.npy"));

    [TestCase("", "magic")]
    [TestCase("6E6F206E7570792066696C65", "magic")]
    [TestCase("934E554D505909000000", "version 9.0")]
    [TestCase("934E554D50590100FFFF", "declares a header of 65535 bytes")]
    [TestCase("934E554D50590200FFFF", "cut off")]
    [TestCase("934E554D50590200FFFFFFFF", "4294967295")]
    public void Read_InvalidStart_NamesFileAndReason(string hex, string message)
    {
        using TempFolder folder = new();
        File.WriteAllBytes(folder.File("a.npy"), Convert.FromHexString(hex));
        Assert.That(() => NpyFile.Read(folder.File("a.npy")), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message).And.Message.Contains("a.npy"));
    }

    [Test]
    public void Write_WrongCount_SaysBoth() =>
        Assert.That(() => NpyFile.Write("unused.npy", new float[5], [2, 3]), Throws.ArgumentException.With.Message.Contains("5 elements do not fill shape [2, 3]"));

    [Test]
    public void Read_EveryGoldenArchive_IsReadable()
    {
        string golden = Paths.SharedOrSkip("golden");
        string[] archives = Directory.GetFiles(golden, "*.npz", SearchOption.AllDirectories);
        Assert.That(archives, Is.Not.Empty);
        foreach (string archive in archives)
        {
            TestContext.Out.WriteLine($"{Path.GetRelativePath(golden, archive)}: {Npz.Open(archive).Count} arrays");
        }
    }

    private static NpyArray Read(string header, byte[] data, byte version = 1)
    {
        byte[] text = Encoding.Latin1.GetBytes(header + "\n");
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes(text.Length);
        using MemoryStream stream = new([0x93, .. "NUMPY"u8, version, 0, .. length, .. text, .. data]);
        return NpyFile.Read(stream, stream.Length, "a.npy");
    }
}
