using Mirror.Photographs;
using Mirror.Tests.Core;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Photographs;

/// <summary>What decoding at a reduced scale does to descriptors of real photographs: printed for several margins, bounded for the default.</summary>
public sealed class DecodeEffectTests : NativeFixture
{
    private static readonly string[] Large = ["sceaux_100_7103.jpg", "fox_0001_portrait.jpg", "saharov_img_3030_orientation8.jpg"];

    // Decoded with no margin at all, the least cosines are 0.960 and 0.994.
    [TestCase(224, 0.965)]
    [TestCase(448, 0.995)]
    public void Decode_Fast_DescriptorsStayNearTheExactOnes(int size, double leastCosine)
    {
        var paths = Large.Select(name => Paths.SharedOrSkip($"data/originals/{name}")).ToArray();
        using var device = Device.Open("cpu");
        using var model = Model.Load(Paths.InRoot("models/default.safetensors"));
        using var extractor = new Extractor(device, model, new ExtractorOptions { Width = size, Height = size, Steps = [1, 3] });
        var exact = paths.Select(path => Describe(extractor, path, new DecodeOptions())).ToArray();
        var strangers = exact.SelectMany((a, i) => exact.Skip(i + 1).SelectMany(b => Cosines(a, b, extractor.Info.Dimension))).Average();
        var standard = new DecodeOptions().Oversampling;
        foreach (var margin in new SortedSet<double> { 1, standard, 2 })
        {
            var options = new DecodeOptions { Mode = DecodeMode.Fast, Oversampling = margin, ResizeFactor = (width, height) => size / (double)Math.Min(width, height) };
            var cosines = paths.SelectMany((path, i) => Cosines(exact[i], Describe(extractor, path, options), extractor.Info.Dimension)).ToArray();
            TestContext.Out.WriteLine($"{size}, margin {margin}: regional cosine to exact, least {cosines.Min():F4}, mean {cosines.Average():F4}; other photographs {strangers:F4}");
            if (margin == standard)
            {
                Assert.That(1 - cosines.Average(), Is.LessThan((1 - strangers) / 4), "far nearer than another photograph");
                Assert.That(cosines.Min(), Is.GreaterThan(leastCosine), "no region goes astray");
            }
        }
    }

    private static float[] Describe(Extractor extractor, string path, DecodeOptions options)
    {
        using var photo = PhotoDecoder.Decode(path, options);
        TestContext.Out.WriteLine($"{Path.GetFileName(path)}: {photo.StoredWidth} x {photo.StoredHeight} decoded to {photo.Image.Width} x {photo.Image.Height}");
        var rows = new float[extractor.Info.Regions * extractor.Info.Dimension];
        extractor.Run([photo.Image], rows);
        return rows;
    }

    private static IEnumerable<double> Cosines(float[] a, float[] b, int dimension) => Enumerable.Range(0, a.Length / dimension).Select(region =>
    {
        double dot = 0, aa = 0, bb = 0;
        for (var i = region * dimension; i < (region + 1) * dimension; i++)
        {
            (dot, aa, bb) = (dot + ((double)a[i] * b[i]), aa + ((double)a[i] * a[i]), bb + ((double)b[i] * b[i]));
        }

        return dot / Math.Sqrt(aa * bb);
    });
}
