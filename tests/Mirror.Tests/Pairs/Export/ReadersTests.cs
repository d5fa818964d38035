// The restated readers against what is known of the programs: the oddities that a writer must keep clear of.

using System.Text;
using NUnit.Framework;

namespace Mirror.Tests.Pairs.Export;

/// <summary>Readers of other programs.</summary>
public sealed class ReadersTests
{
    private static readonly string[] Known = ["a.jpg", "b.jpg", "c d.jpg"];

    [TestCase("a.jpg b.jpg\n", 1, 0)]
    [TestCase("# a.jpg b.jpg\n\na.jpg b.jpg\r\n", 1, 0, TestName = "Colmap_CommentBlankLineCarriageReturn_AreFine")]
    [TestCase("a.jpg b.jpg 0.93\n", 1, 0, TestName = "Colmap_ThirdColumn_IsIgnored")]
    [TestCase("a.jpg b.jpg\nb.jpg a.jpg\na.jpg a.jpg\n", 1, 0, TestName = "Colmap_ReversedAndSelfPairs_AreDropped")]
    [TestCase("a.jpg\tb.jpg\n", 0, 1, TestName = "Colmap_Tab_Fails")]
    [TestCase("a.jpg  b.jpg\n", 0, 1, TestName = "Colmap_TwoSpaces_Fail")]
    [TestCase("a.jpg c d.jpg\n", 0, 1, TestName = "Colmap_NameWithSpace_CannotBeExpressed")]
    [TestCase("\uFEFFa.jpg b.jpg\n", 0, 1, TestName = "Colmap_ByteOrderMark_FirstNameIsNotFound")]
    public void Colmap_Text_IsReadAsKnown(string text, int pairs, int failures)
    {
        var errors = new List<string>();
        Assert.That(Readers.Colmap(Encoding.UTF8.GetBytes(text), Known, errors), Has.Count.EqualTo(pairs));
        Assert.That(errors, Has.Count.EqualTo(failures));
    }

    [TestCase("a b\nc d", 2)]
    [TestCase("a b\n", 1)]
    [TestCase("a\t b\r\n", 1)]
    [TestCase("a b\n\nc d", -1)]
    [TestCase("a b 0.93", -1)]
    [TestCase("# comment of several words", -1)]
    public void Hloc_Text_IsReadAsKnown(string text, int pairs)
    {
        if (pairs < 0)
        {
            Assert.That(() => Readers.Hloc(Encoding.UTF8.GetBytes(text)), Throws.InstanceOf<FormatException>());
        }
        else
        {
            Assert.That(Readers.Hloc(Encoding.UTF8.GetBytes(text)), Has.Count.EqualTo(pairs));
        }
    }

    [TestCase("1 2 3\n", "1-2 1-3")]
    [TestCase("# 5 7\n", "0-5 0-7")]
    [TestCase("# comment\n", null)]
    [TestCase("1 2\n\n3 4\n", null)]
    [TestCase("1 2 0.93\n", "1-2 0-1")]
    [TestCase("0 2 0.93\n", null)]
    [TestCase("3 3\n", null)]
    [TestCase("\uFEFF5 7\n", "0-7")]
    [TestCase("2 1\n1 2\n", "1-2")]
    [TestCase("1 2\r\n", "1-2")]
    public void IdLists_Text_IsReadAsKnown(string text, string? expected)
    {
        var file = Encoding.UTF8.GetBytes(text);
        Assert.That(Shown(Readers.OpenMvg(file, 10)), Is.EqualTo(expected));
        Assert.That(Shown(Readers.AliceVision(file)), Is.EqualTo(expected));
    }

    [Test]
    public void IdLists_TabAndRange_DivideThePrograms()
    {
        var file = "1\t2\n"u8.ToArray();
        Assert.That((Shown(Readers.OpenMvg(file, 10)), Shown(Readers.AliceVision(file))), Is.EqualTo(((string?)null, (string?)"1-2")));
        Assert.That((Shown(Readers.OpenMvg("1 20\n"u8.ToArray(), 10)), Shown(Readers.AliceVision("1 20\n"u8.ToArray()))), Is.EqualTo(((string?)null, (string?)"1-20")));
    }

    private static string? Shown(HashSet<(ulong, ulong)>? pairs) => pairs is null ? null : string.Join(' ', pairs.Select(pair => $"{pair.Item1}-{pair.Item2}"));
}
