// Checksums and key encodings against the vectors of their specifications.

using Mirror.Formats;
using NUnit.Framework;

namespace Mirror.Tests.Formats;

internal sealed class Crc32CTests
{
    private static readonly object[] Vectors =
    [
        new object[] { new byte[32], 0x8A9136AAu },
        new object[] { Enumerable.Repeat((byte)0xFF, 32).ToArray(), 0x62A8AB43u },
        new object[] { Enumerable.Range(0, 32).Select(i => (byte)i).ToArray(), 0x46DD794Eu },
        new object[] { "123456789"u8.ToArray(), 0xE3069283u },
    ];

    [TestCaseSource(nameof(Vectors))]
    public void Compute_PublishedVector_Agrees(byte[] data, uint expected) => Assert.That(Crc32C.Compute(data), Is.EqualTo(expected));

    [Test]
    public void Append_InPieces_EqualsTheWhole()
    {
        byte[] data = new byte[1000];
        new Random(1).NextBytes(data);
        uint state = Crc32C.Append(Crc32C.Append(Crc32C.Append(Crc32C.Start, data.AsSpan(0, 3)), data.AsSpan(3, 501)), data.AsSpan(504));
        Assert.That(Crc32C.Finish(state), Is.EqualTo(Crc32C.Compute(data)));
    }

    [TestCase(0L, "80")]
    [TestCase(-1L, "7F")]
    [TestCase(63L, "BF")]
    [TestCase(0x40L, "C040")]
    [TestCase(0x424242L, "F0424242")]
    [TestCase(-0x800L, "3800")]
    [TestCase(long.MaxValue, "FFC07FFFFFFFFFFFFFFF")]
    [TestCase(long.MinValue, "003F8000000000000000")]
    public void WriteSigned_Value_HasTheOrderedEncoding(long value, string expected)
    {
        List<byte> key = [];
        OrderedCode.WriteSigned(key, value);
        Assert.That(Convert.ToHexString([.. key]), Is.EqualTo(expected));
    }

    [Test]
    public void WriteString_WithZeroAndFF_Escapes()
    {
        List<byte> key = [];
        OrderedCode.WriteString(key, [0x61, 0x00, 0xFF]);
        Assert.That(Convert.ToHexString([.. key]), Is.EqualTo("6100FFFF000001"));
    }

    [TestCase(0ul, "00")]
    [TestCase(1ul, "0101")]
    [TestCase(0x1234ul, "021234")]
    public void WriteUnsigned_Value_IsLengthAndBigEndianBytes(ulong value, string expected)
    {
        List<byte> key = [];
        OrderedCode.WriteUnsigned(key, value);
        Assert.That(Convert.ToHexString([.. key]), Is.EqualTo(expected));
    }
}
