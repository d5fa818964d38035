// Each single operation on a case small enough to write the answer down, and its refusals. Larger cases are native tests.
using NUnit.Framework;

namespace Mirror.Tests.Core;

[TestFixture]
public sealed class OperationsTests : NativeFixture
{
    [Test]
    public void Preprocess_EqualSize_SubtractsTheMean()
    {
        using Device device = Device.Open("cpu", 1);
        using var image = new PixelImage(2, 2, PixelFormat.Rgb8);
        byte[] pixels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        pixels.CopyTo(image.Pixels);
        var output = new float[12];
        Operations.Preprocess(device, image, 2, 2, [1, 2, 3], output);
        Assert.That(output, Is.EqualTo(new float[] { 0, 0, 0, 3, 3, 3, 6, 6, 6, 9, 9, 9 }));
    }

    [Test]
    public void Preprocess_Whole_KeepsBothEnds()
    {
        using Device device = Device.Open("cpu", 1);
        using var image = new PixelImage(4, 1, PixelFormat.Gray8);
        byte[] pixels = [10, 20, 30, 40];
        pixels.CopyTo(image.Pixels);
        var output = new float[6];
        Operations.Preprocess(device, image, 1, 2, [0, 0, 0], output, FitMode.Whole);
        Assert.That(output, Is.EqualTo(new float[] { 10, 10, 10, 30, 30, 30 }));
        Operations.Preprocess(device, image, 1, 2, [0, 0, 0], output);
        Assert.That(output, Is.EqualTo(new float[] { 20, 20, 20, 30, 30, 30 }), "cropped");
    }

    [Test]
    public void Conv2d_IsTheDefinition()
    {
        using Device device = Device.Open("cpu", 1);
        var shape = new MapShape(2, 5, 6, 3);
        Window window = new Window(3, 3, 2, 2).Same(5, 6);
        MapShape result = window.Output(shape, 4);
        float[] x = Noise((int)shape.Length, 1);
        float[] weights = Noise(3 * 3 * 3 * 4, 2);
        float[] bias = Noise(4, 3);
        float[] residual = Noise((int)result.Length, 4);
        var y = new float[result.Length];
        Operations.Conv2d(device, window, x, shape, weights, 4, bias, residual, relu: true, Precision.Fp32, y);
        Assert.That((result.Height, result.Width), Is.EqualTo((3, 3)));
        for (int i = 0; i < y.Length; i++)
        {
            (int n, int oy, int ox, int o) = (i / 36, i / 12 % 3, i / 4 % 3, i % 4);
            double sum = bias[o] + (double)residual[i];
            for (int k = 0; k < 27; k++)
            {
                int iy = oy * 2 + k / 9 - window.PadTop;
                int ix = ox * 2 + k / 3 % 3 - window.PadLeft;
                if (iy is >= 0 and < 5 && ix is >= 0 and < 6)
                    sum += (double)x[((n * 5 + iy) * 6 + ix) * 3 + k % 3] * weights[k * 4 + o];
            }

            Assert.That(y[i], Is.EqualTo(Math.Max(sum, 0)).Within(1e-5));
        }
    }

    [Test]
    public void Pool2d_MaxIgnoresPadding_AvgCountsIt()
    {
        using Device device = Device.Open("cpu", 1);
        var window = new Window(2, 2, 2, 2, 1, 1, 1, 1);
        float[] x = [-1, -2, -3, -4];
        var y = new float[4];
        Operations.Pool2d(device, window, RegionPooling.Max, x, new MapShape(1, 2, 2, 1), y);
        Assert.That(y, Is.EqualTo(x));
        Operations.Pool2d(device, window, RegionPooling.Avg, x, new MapShape(1, 2, 2, 1), y);
        Assert.That(y, Is.EqualTo(x.Select(value => value / 4)));
        Assert.That(() => Operations.Pool2d(device, window, RegionPooling.L2, x, new MapShape(1, 2, 2, 1), y), Throws.ArgumentException);
    }

    [Test]
    public void Lrn_IsTheDefinition()
    {
        using Device device = Device.Open("cpu", 1);
        float[] x = Noise(2 * 7, 5);
        var y = new float[x.Length];
        Operations.Lrn(device, x, 7, 2, 0.5f, 0.75f, 1, y);
        for (int i = 0; i < x.Length; i++)
        {
            double sum = 0;
            for (int c = Math.Max(i % 7 - 2, 0); c <= Math.Min(i % 7 + 2, 6); c++)
                sum += (double)x[i / 7 * 7 + c] * x[i / 7 * 7 + c];
            Assert.That(y[i], Is.EqualTo(x[i] / Math.Pow(1 + 0.5 * sum, 0.75)).Within(1e-6));
        }
    }

    [TestCase(28, 28, 35)]
    [TestCase(7, 7, 46)]
    [TestCase(22, 22, 35)]
    public void RegionLayout_HasTheOriginalsCounts(int height, int width, int count)
    {
        IReadOnlyList<Region> regions = Operations.RegionLayout(height, width, [1, 3, 5]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(regions, Has.Count.EqualTo(count));
            Assert.That(regions[0], Is.EqualTo(new Region(1, 0, 0, height, width)));
            Assert.That(regions.Select(r => r.Y + r.Height), Is.All.LessThanOrEqualTo(height));
        }
    }

    [TestCase(28, 28)]
    [TestCase(7, 7)]
    [TestCase(21, 28)]
    [TestCase(1, 40)]
    public void RegionLayout_Whole_HasSquaresOfTheSteps(int height, int width)
    {
        IReadOnlyList<Region> regions = Operations.RegionLayout(height, width, [1, 3, 5], FitMode.Whole);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(regions, Has.Count.EqualTo(35));
            Assert.That(regions[0], Is.EqualTo(new Region(1, 0, 0, height, width)));
            Assert.That(regions[^1].Y + regions[^1].Height, Is.EqualTo(height), "the last window ends with the map");
            Assert.That(regions[^1].X + regions[^1].Width, Is.EqualTo(width), "the last window ends with the map");
        }
    }

    [Test]
    public void RegionPool_Gem_IsTheGeneralisedMean()
    {
        using Device device = Device.Open("cpu", 1);
        var shape = new MapShape(1, 1, 4, 1);
        float[] map = [1, 2, 4, -9];
        var output = new float[4];
        Operations.RegionPool(device, map, shape, [1], RegionPooling.Gem, output.AsSpan(0, 1));
        Operations.RegionPool(device, map, shape, [1], RegionPooling.Gem, output.AsSpan(1, 1), gemPower: 2);
        Assert.That(output[0], Is.EqualTo(Math.Cbrt(73 / 4.0)).Within(1e-6));
        Assert.That(output[1], Is.EqualTo(Math.Sqrt(21 / 4.0)).Within(1e-6));
        Operations.RegionPool(device, map, shape, [2], RegionPooling.Gem, output, FitMode.Whole, 1);
        Assert.That(output, Is.EqualTo(new[] { 1.5f, 2, 1.5f, 2 }).Within(1e-5), "two windows of two cells along each axis, the row's own twice");
    }

    [Test]
    public void RegionPool_PoolsEachRegion()
    {
        using Device device = Device.Open("cpu", 1);
        float[] map = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        var output = new float[5];
        Operations.RegionPool(device, map, new MapShape(1, 3, 3, 1), [1, 2], RegionPooling.Max, output);
        Assert.That(output, Is.EqualTo(new float[] { 9, 5, 6, 8, 9 }));
        Operations.RegionPool(device, map, new MapShape(1, 3, 3, 1), [1, 2], RegionPooling.Avg, output);
        Assert.That(output, Is.EqualTo(new float[] { 5, 3, 4, 6, 7 }).Within(1e-6));
        Operations.RegionPool(device, map, new MapShape(1, 3, 3, 1), [1], RegionPooling.L2, output.AsSpan(0, 1));
        Assert.That(output[0], Is.EqualTo(Math.Sqrt(285.0 / 9)).Within(1e-6));
    }

    [Test]
    public void L2Normalize_KeepsZeroRows_AlsoInPlaceAndInBuffers()
    {
        using Device device = Device.Open("cpu", 1);
        float[] x = [3, 4, 0, 0, 0, -2];
        float[] expected = [0.6f, 0.8f, 0, 0, 0, -1];
        using var buffer = new FloatBuffer(6);
        x.CopyTo(buffer.Slice(0, 6));
        Operations.L2Normalize(device, buffer, 2, buffer);
        Operations.L2Normalize(device, x, 2, x);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(x, Is.EqualTo(expected).Within(1e-7));
            Assert.That(buffer.Slice(0, 6).ToArray(), Is.EqualTo(x));
        }
    }

    [Test]
    public void SimilarityScores_TakeTheBestRegion()
    {
        using Device device = Device.Open("cpu", 1);
        float[] query = [1, 0, 0, 1];
        float[] rows = [1, 0, 1, 0, 0, 2, 3, 0];
        var scores = new float[2];
        Operations.SimilarityScores(device, query, rows, 2, 2, Similarity.PrMac, Metric.Dot, scores);
        Assert.That(scores, Is.EqualTo(new float[] { 1, 5 }));
        Operations.SimilarityScores(device, query, rows, 2, 2, Similarity.Aml, Metric.Dot, scores);
        Assert.That(scores, Is.EqualTo(new float[] { 1, 3 }));
        Operations.SimilarityScores(device, query, rows, 2, 2, Similarity.PrMac, Metric.Euclidean, scores);
        Assert.That(scores, Is.EqualTo(new float[] { 2, 5 }));
    }

    [Test]
    public void TopK_OrdersTiesByLowerIndex()
    {
        using Device device = Device.Open("cpu", 1);
        float[] scores = [1, 3, 3, 2, 0, 0, 5, 0];
        var ids = new int[4];
        var values = new float[4];
        int[] largest = [1, 2, 2, 0];
        int[] smallest = [0, 3, 0, 1];
        Operations.TopK(device, scores, 4, 2, smallest: false, ids, values);
        Assert.That(ids, Is.EqualTo(largest));
        Operations.TopK(device, scores, 4, 2, smallest: true, ids, values);
        Assert.That(ids, Is.EqualTo(smallest));
        Assert.That(values, Is.EqualTo(new float[] { 1, 2, 0, 0 }));
    }

    [Test]
    public void Gemm_IsTheDefinition()
    {
        using Device device = Device.Open("cpu", 1);
        float[] a = Noise(5 * 7, 6);
        float[] b = Noise(3 * 7, 7);
        var c = new float[15];
        Operations.Gemm(device, a, b, 5, 3, 7, Precision.Fp32, c);
        for (int i = 0; i < 15; i++)
            Assert.That(c[i], Is.EqualTo(Enumerable.Range(0, 7).Sum(k => (double)a[i / 3 * 7 + k] * b[i % 3 * 7 + k])).Within(1e-5));
    }

    [Test]
    public void WrongLengths_AreRefusedWithTheShape()
    {
        using Device device = Device.Open("cpu", 1);
        using var image = new PixelImage(2, 2, PixelFormat.Gray8);
        var shape = new MapShape(1, 4, 4, 2);
        var window = new Window(3, 3);
        using (Assert.EnterMultipleScope())
        {
            Refused(() => Operations.Preprocess(device, image, 2, 2, [0, 0, 0], new float[11]), "[2, 2, 3]");
            Refused(() => Operations.Preprocess(device, image, 2, 2, [0], new float[12]), "mean");
            Refused(() => Operations.Conv2d(device, window, new float[31], shape, new float[36], 2, [], [], false, Precision.Fp32, new float[8]), "[1, 4, 4, 2]");
            Refused(() => Operations.Conv2d(device, window, new float[32], shape, new float[35], 2, [], [], false, Precision.Fp32, new float[8]), "[3, 3, 2, 2]");
            Refused(() => Operations.Conv2d(device, window, new float[32], shape, new float[36], 2, [1], [], false, Precision.Fp32, new float[8]), "bias");
            Refused(() => Operations.Conv2d(device, window, new float[32], shape, new float[36], 2, [], [1], false, Precision.Fp32, new float[8]), "residual");
            Refused(() => Operations.Conv2d(device, window, new float[32], shape, new float[36], 2, [], [], false, Precision.Fp32, new float[9]), "[1, 2, 2, 2]");
            Refused(() => Operations.Pool2d(device, new Window(9, 9), RegionPooling.Max, new float[32], shape, []), "no room");
            Refused(() => Operations.Lrn(device, new float[5], 2, 1, 1, 1, 1, new float[5]), "multiple of 2");
            Refused(() => Operations.RegionPool(device, new float[32], shape, [1], RegionPooling.Max, new float[3]), "[1, 1, 2]");
            Refused(() => Operations.RegionPool(device, new float[32], shape, [1], RegionPooling.Gem, new float[2], gemPower: 33), "gem_p is 33");
            Refused(() => Operations.RegionPool(device, new float[32], shape, [3], RegionPooling.Max, new float[10], FitMode.Whole), "[1, 9, 2]");
            Refused(() => Operations.RegionLayout(3, 3, [1], (FitMode)7), "fit is 7");
            Refused(() => Operations.L2Normalize(device, new float[4], 2, new float[6]), "[2, 2]");
            Refused(() => Operations.SimilarityScores(device, new float[4], new float[4], 1, 2, Similarity.PrMac, Metric.Dot, new float[3]), "[2, 2]");
            Refused(() => Operations.TopK(device, new float[4], 2, 1, false, new int[3], new float[2]), "[2, 1]");
            Refused(() => Operations.TopK(device, new float[4], 2, 3, false, new int[6], new float[6]), "3");
            Refused(() => Operations.Gemm(device, new float[4], new float[4], 2, 2, 2, Precision.Fp32, new float[3]), "[2, 2]");
            Refused(() => Operations.RegionLayout(3, 3, []), "0");
            Refused(() => new Window(3, 3).Same(0, 4), "0");
            Refused(() => _ = new MapShape(int.MaxValue, int.MaxValue, int.MaxValue, 1).Length, "too large");
        }
    }

    private static void Refused(TestDelegate call, string text) => Assert.That(call, Throws.ArgumentException.With.Message.Contains(text));
}
