using Mirror.Pairs;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pairs;

/// <summary>candidates.tsv, written and read.</summary>
public sealed class PairTableFileTests
{
    private static readonly string[] Names = ["a b.jpg", "tab\there.jpg", "back\\slash\nand line.jpg", "back\\slash\\nand line.jpg"];

    private TempFolder folder = null!;

    [SetUp]
    public void Prepare() => folder = Paths.NewTempFolder();

    [TearDown]
    public void Clean() => folder.Dispose();

    [Test]
    public void Read_WhatWriteWrote_IsTheSame()
    {
        CandidatePair[] pairs =
        [
            new(0, 1) { Score = 0.1f, Weight = -0.25f, RankOfSecond = 3, Sources = PairSources.Retrieval | PairSources.Gps, Rule = PairRule.SpanningForest },
            new(1, 2) { Score = 1e-7f, Weight = 2, RankOfFirst = 0, Sources = PairSources.List, Rule = PairRule.Budget },
            new(0, 3),
        ];
        PairTableFile.Write(folder.File("candidates.tsv"), new PairTable(Names, pairs));
        Assert.That(PairTableFile.Read(folder.File("candidates.tsv"), Names).Pairs, Is.EqualTo(pairs));
        Assert.That(PairTableFile.Read(folder.File("candidates.tsv"), Names).Kept, Is.EqualTo(pairs[..1]));
    }

    [TestCase("a\tb", "no candidate pair")]
    [TestCase("a b.jpg\tnobody.jpg\t1\t1\t0\t0\tretrieval\tBest", "no candidate pair")]
    [TestCase("tab\\there.jpg\ta b.jpg\t1\t1\t0\t0\tretrieval\tBest", "no candidate pair")]
    [TestCase("a b.jpg\ttab\\there.jpg\tNaN\t1\t0\t0\tretrieval\tBest", "no candidate pair")]
    [TestCase("a b.jpg\ttab\\there.jpg\t1\t1\t-1\t0\tretrieval\tBest", "no candidate pair")]
    [TestCase("a b.jpg\ttab\\there.jpg\t1\t1\t0\t0\tretrieval\t99", "no candidate pair")]
    public void Read_BadLine_IsNamed(string line, string message)
    {
        PairTableFile.Write(folder.File("candidates.tsv"), new PairTable(Names, []));
        File.AppendAllText(folder.File("candidates.tsv"), line + "\n");
        Assert.That(
            () => PairTableFile.Read(folder.File("candidates.tsv"), Names),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("line 2").And.Message.Contains(message));
    }

    [TestCase("", "is empty")]
    [TestCase("name\n", "first line")]
    public void Read_NoTable_IsSaid(string text, string message)
    {
        File.WriteAllText(folder.File("candidates.tsv"), text);
        Assert.That(() => PairTableFile.Read(folder.File("candidates.tsv"), Names), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
    }

    [Test]
    public void New_IndicesOutOfRangeOrOrder_AreRefused()
    {
        foreach (var pair in (CandidatePair[])[new(1, 0), new(1, 1), new(-1, 1), new(0, 4)])
        {
            Assert.That(() => new PairTable(Names, [pair]), Throws.ArgumentException.With.Message.Contains($"({pair.First}, {pair.Second})"));
        }
    }
}
