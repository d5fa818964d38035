// The index through the public API, against a search written out in double precision.
using NUnit.Framework;

namespace Mirror.Tests.Core;

[TestFixture]
public sealed class DescriptorIndexTests : NativeFixture
{
    private const int Images = 40;
    private const int Regions = 3;
    private const int Dimension = 17;

    [TestCase(Similarity.PrMac, Metric.Dot)]
    [TestCase(Similarity.PrMac, Metric.Euclidean)]
    [TestCase(Similarity.Aml, Metric.Dot)]
    [TestCase(Similarity.Aml, Metric.Euclidean)]
    public void Search_FindsTheBest(Similarity similarity, Metric metric)
    {
        float[] rows = UnitRows(Images * Regions, Dimension, 1);
        float[] queries = UnitRows(5 * Regions, Dimension, 2);
        using Device device = Device.Open("cpu", 2);
        using var index = new DescriptorIndex(device, Regions, Dimension);
        index.Add(rows.AsSpan(0, 10 * Regions * Dimension));
        index.Add(rows.AsSpan(10 * Regions * Dimension));
        SearchResult result = index.Search(queries, new SearchOptions { Top = 7, Similarity = similarity, Metric = metric });
        Assert.That((index.Count, result.Queries, result.K), Is.EqualTo(((long)Images, 5, 7)));
        for (int q = 0; q < 5; q++)
        {
            double[] scores = [.. Enumerable.Range(0, Images).Select(d => Score(queries, q, rows, d, similarity, metric))];
            int[] order = [.. Enumerable.Range(0, Images).OrderBy(d => metric == Metric.Dot ? -scores[d] : scores[d])];
            Assert.That(result.Ids[(q * 7)..((q + 1) * 7)], Is.EqualTo(order[..7]));
            for (int k = 0; k < 7; k++)
                Assert.That(result.Scores[q * 7 + k], Is.EqualTo(scores[order[k]]).Within(1e-5));
        }
    }

    [Test]
    public void Create_HalfPrecisionOnTheCpu_IsRefusedNamingIt()
    {
        using Device device = Device.Open("cpu", 1);
        Assert.That(() => new DescriptorIndex(device, Regions, Dimension, Precision.Fp16), Throws.ArgumentException.With.Message.Contains("precision is 2"));
    }

    [Test]
    public void Search_EqualScores_ComeByLowerIndex()
    {
        float[] row = UnitRows(Regions, Dimension, 3);
        using Device device = Device.Open("cpu", 2);
        using var index = new DescriptorIndex(device, Regions, Dimension);
        for (int i = 0; i < 20; i++)
            index.Add(row);
        Assert.That(index.Search(row, new SearchOptions { Top = 20 }).Ids, Is.EqualTo(Enumerable.Range(0, 20)));
    }

    [Test]
    public void Search_InEmptyIndex_SaysSo()
    {
        using Device device = Device.Open("cpu", 1);
        using var index = new DescriptorIndex(device, Regions, Dimension);
        index.Add([]);
        Assert.That(
            () => index.Search(UnitRows(2 * Regions, Dimension, 4), new SearchOptions()),
            Throws.ArgumentException.With.Message.Contains("index is empty"));
    }

    [Test]
    public void Buffers_GiveTheSameAsSpans()
    {
        float[] rows = UnitRows(Images * Regions, Dimension, 5);
        using var buffer = new FloatBuffer(rows.Length);
        using var expandedBuffer = new FloatBuffer(rows.Length);
        rows.CopyTo(buffer.Slice(0, rows.Length));
        using Device device = Device.Open("cpu", 1);
        using var index = new DescriptorIndex(device, Regions, Dimension);
        index.Add(buffer);
        SearchResult fromSpan = index.Search(rows, new SearchOptions { Top = 9 });
        SearchResult fromBuffer = index.Search(buffer, new SearchOptions { Top = 9 });
        var expanded = new float[rows.Length];
        index.Expand(rows, fromSpan, new ExpandOptions { Neighbours = 3 }, expanded);
        index.Expand(buffer, fromBuffer, new ExpandOptions { Neighbours = 3 }, expandedBuffer);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(fromBuffer.Ids, Is.EqualTo(fromSpan.Ids));
            Assert.That(fromBuffer.Scores, Is.EqualTo(fromSpan.Scores));
            Assert.That(expandedBuffer.Slice(0, rows.Length).ToArray(), Is.EqualTo(expanded));
        }
    }

    [Test]
    public void Expand_IsTheDocumentedFormula_AlsoInPlace()
    {
        float[] rows = UnitRows(Images * Regions, Dimension, 6);
        float[] queries = UnitRows(2 * Regions, Dimension, 7);
        using Device device = Device.Open("cpu", 1);
        using var index = new DescriptorIndex(device, Regions, Dimension);
        index.Add(rows);
        SearchResult result = index.Search(queries, new SearchOptions { Top = 4 });
        var expanded = new float[queries.Length];
        index.Expand(queries, result, new ExpandOptions { Neighbours = 2 }, expanded);
        float[] inPlace = [.. queries];
        index.Expand(inPlace, result, new ExpandOptions { Neighbours = 2 }, inPlace);
        Assert.That(inPlace, Is.EqualTo(expanded));
        for (int row = 0; row < 2 * Regions; row++)
        {
            var sums = new double[Dimension];
            for (int c = 0; c < Dimension; c++)
            {
                sums[c] = queries[row * Dimension + c];
                for (int j = 0; j < 2; j++)
                {
                    int hit = row / Regions * 4 + j;
                    sums[c] += result.Scores[hit] / (double)Regions * rows[(result.Ids[hit] * Regions + row % Regions) * Dimension + c];
                }
            }

            double norm = Math.Sqrt(sums.Sum(x => x * x));
            for (int c = 0; c < Dimension; c++)
                Assert.That(expanded[row * Dimension + c], Is.EqualTo(sums[c] / norm).Within(1e-6));
        }
    }

    [Test]
    public void Search_ReportsProgress_AndStopsWhenCancelled()
    {
        float[] rows = UnitRows(Images * Regions, Dimension, 8);
        using Device device = Device.Open("cpu", 1);
        using var index = new DescriptorIndex(device, Regions, Dimension);
        index.Add(rows);
        List<(long Done, long Total)> reports = [];
        index.Search(rows, new SearchOptions(), (done, total) => reports.Add((done, total)));
        using var source = new CancellationTokenSource();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(reports[^1], Is.EqualTo(((long)Images, (long)Images)));
            Assert.That(
                () => index.Search(rows, new SearchOptions(), (_, _) => source.Cancel(), source.Token),
                Throws.TypeOf<OperationCanceledException>().With.Property("CancellationToken").EqualTo(source.Token));
        }
    }

    [Test]
    public void Search_AfterDeviceDisposed_StillWorks()
    {
        float[] rows = UnitRows(Images * Regions, Dimension, 9);
        Device device = Device.Open("cpu", 1);
        using var index = new DescriptorIndex(device, Regions, Dimension);
        device.Dispose();
        index.Add(rows);
        SearchResult result = index.Search(rows.AsSpan(0, Regions * Dimension), new SearchOptions { Top = 1 });
        Assert.That(result.Ids.Single(), Is.Zero);
    }

    [Test]
    public void ImpossibleValues_AreRefusedWithThem()
    {
        float[] rows = UnitRows(Images * Regions, Dimension, 10);
        float[] broken = [.. rows];
        broken[(5 * Regions + 2) * Dimension] = float.PositiveInfinity;
        using Device device = Device.Open("cpu", 1);
        using var index = new DescriptorIndex(device, Regions, Dimension);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => index.Add(broken), Throws.ArgumentException.With.Message.Contains("5").And.Message.Contains("2"));
            Assert.That(index.Count, Is.Zero, "a refused Add changed the index");
            index.Add(rows);
            Assert.That(() => index.Add(rows.AsSpan(1)), Throws.ArgumentException.With.Message.Contains("[3, 17]"));
            Assert.That(() => index.Search(rows, new SearchOptions { Top = 0 }), Throws.ArgumentException.With.Message.Contains("0"));
            Assert.That(() => index.Search(rows, new SearchOptions { Top = -7 }), Throws.ArgumentException.With.Message.Contains("-7"));
            Assert.That(() => index.Search(rows, new SearchOptions { Metric = (Metric)9 }), Throws.ArgumentException.With.Message.Contains("9"));
            Assert.That(() => index.Search(broken, new SearchOptions()), Throws.ArgumentException);
            SearchResult result = index.Search(rows, new SearchOptions { Top = 2 });
            SearchResult foreign = result with { Ids = [.. result.Ids.Select(_ => 4000)] };
            Assert.That(() => index.Expand(rows, foreign, new ExpandOptions { Neighbours = 2 }, new float[rows.Length]), Throws.ArgumentException.With.Message.Contains("4000"));
            Assert.That(() => index.Expand(rows, result with { K = 3 }, new ExpandOptions { Neighbours = 2 }, new float[rows.Length]), Throws.ArgumentException);
            Assert.That(() => index.Expand(rows, result, new ExpandOptions { Neighbours = 2 }, new float[3]), Throws.ArgumentException);
            Assert.That(() => new DescriptorIndex(device, 0, 4), Throws.ArgumentException.With.Message.Contains("0"));
            Assert.That(() => new DescriptorIndex(device, 4, -2), Throws.ArgumentException.With.Message.Contains("-2"));
        }
    }

    private static double Score(float[] queries, int q, float[] rows, int d, Similarity similarity, Metric metric)
    {
        double total = similarity == Similarity.Aml ? double.NegativeInfinity : 0;
        for (int r = 0; r < Regions; r++)
        {
            double best = metric == Metric.Dot ? double.NegativeInfinity : double.PositiveInfinity;
            for (int t = 0; t < Regions; t++)
            {
                double value = 0;
                for (int c = 0; c < Dimension; c++)
                {
                    double a = queries[(q * Regions + r) * Dimension + c];
                    double b = rows[(d * Regions + t) * Dimension + c];
                    value += metric == Metric.Dot ? a * b : (a - b) * (a - b);
                }

                best = metric == Metric.Dot ? Math.Max(best, value) : Math.Min(best, value);
            }

            total = similarity == Similarity.Aml ? Math.Max(total, best) : total + best;
        }

        return total;
    }
}
