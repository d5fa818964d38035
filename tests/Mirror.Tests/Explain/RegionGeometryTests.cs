using NUnit.Framework;
using System.Text.Json;
using Mirror.Explain;
using Mirror.Photographs;
using Mirror.Tests.Core;
using Mirror.Tests.Photographs;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Explain;

/// <summary>Where regions lie in photographs: against the golden table of resizes, and against what the preprocessing really does.</summary>
public sealed class RegionGeometryTests : NativeFixture
{
    private static readonly int[] Steps = [1, 3, 5];

    [Test]
    public void Seen_GoldenShapes_EqualsResizeAndCropOfTheOriginal()
    {
        using var cases = JsonDocument.Parse(File.ReadAllText(Paths.SharedOrSkip("golden/preprocess/cases.json")));
        var rows = cases.RootElement.GetProperty("shapes").EnumerateArray().Select(row => row.EnumerateArray().Select(cell => cell.GetInt32()).ToArray()).ToArray();
        Assert.That(rows, Has.Length.EqualTo(704));
        foreach (var row in rows)
        {
            var (size, height, width, resizedHeight, resizedWidth, top, left) = (row[0], row[1], row[2], row[3], row[4], row[5], row[6]);
            var map = (size + 31) / 32;
            var seen = new RegionGeometry(size, size, [(map, map)], Steps).Seen(width, height);
            var expected = new PixelRectangle(
                left * (double)width / resizedWidth,
                top * (double)height / resizedHeight,
                (left + size) * (double)width / resizedWidth,
                (top + size) * (double)height / resizedHeight);
            AssertSame(seen, expected, 1e-9, $"{width} x {height} at {size}");
        }
    }

    // A photograph that is white in the region and black elsewhere: after preprocessing the region's cells are white and nothing else.
    [TestCase(1280, 720, 896, 0)]
    [TestCase(1280, 720, 896, 7)]
    [TestCase(720, 1280, 896, 30)]
    [TestCase(1500, 1000, 448, 12)]
    [TestCase(300, 301, 448, 4)]
    public void InPhotograph_WhiteRegion_FillsItsCellsOfTheInput(int width, int height, int size, int region)
    {
        var geometry = new RegionGeometry(size, size, [(size / 32, size / 32)], Steps);
        using var image = White(geometry.InPhotograph(region, width, height), width, height);
        AssertWhiteInside(image, geometry.InInput(region), size, size, Math.Max(1, (double)size / Math.Min(width, height)), FitMode.Crop);
    }

    // Sides in no proportion to the input's: each has its own scale, and nothing is cut.
    [TestCase(1280, 720, 576, 320, 5)]
    [TestCase(500, 1001, 320, 640, 11)]
    public void InPhotograph_WholeFit_FillsItsCellsOfTheInput(int width, int height, int inputWidth, int inputHeight, int region)
    {
        var geometry = new RegionGeometry(inputWidth, inputHeight, [(inputHeight / 32, inputWidth / 32)], Steps, FitMode.Whole);
        Assert.That(geometry.Regions, Has.Count.EqualTo(1 + 9 + 25));
        AssertSame(geometry.Seen(width, height), new PixelRectangle(0, 0, width, height), 1e-9, "all of it");
        using var image = White(geometry.InPhotograph(region, width, height), width, height);
        AssertWhiteInside(image, geometry.InInput(region), inputWidth, inputHeight, 1, FitMode.Whole);
    }

    [Test]
    public void InPhotograph_TurnedPhotograph_RefersToTheUprightOne()
    {
        // Stored 600 x 400 with its quarter at the top left red; orientation 6 turns that to the top right of 400 x 600.
        using var folder = Paths.NewTempFolder();
        File.WriteAllBytes(folder.File("turned.jpg"), TestImages.WithOrientation(TestImages.Jpeg(600, 400), 6));
        using var photo = PhotoDecoder.Decode(folder.File("turned.jpg"));
        Assert.That((photo.Image.Width, photo.Image.Height), Is.EqualTo((400, 600)));
        var geometry = new RegionGeometry(448, 448, [(14, 14)], [7]);
        var corner = geometry.InPhotograph(6, 400, 600);
        var (x, y) = ((int)(corner.Left + corner.Right) / 2, (int)(corner.Top + corner.Bottom) / 2);
        var pixel = photo.Image.Pixels.Slice((y * photo.Image.Stride) + (x * 4), 3).ToArray();
        Assert.That(pixel[0], Is.GreaterThan(200));
        Assert.That(pixel[1], Is.LessThan(60));
        Assert.That(corner.Top, Is.EqualTo(100).Within(1), "the centre square of 400 x 600 begins 100 below the top");
    }

    [Test]
    public void InInput_OriginalsLayout_IsThatOfItsMask()
    {
        var geometry = new RegionGeometry(896, 896, [(28, 28)], Steps);
        Assert.That(geometry.Regions, Has.Count.EqualTo(35));
        Assert.That(geometry.Grid, Is.EqualTo((28, 28)));
        Assert.That(geometry.InInput(0), Is.EqualTo(new PixelRectangle(0, 0, 896, 896)));
        Assert.That(geometry.InInput(1 + 5), Is.EqualTo(new PixelRectangle(14 * 32, 7 * 32, 28 * 32, 21 * 32)));
        Assert.That(geometry.InInput(10 + 7), Is.EqualTo(new PixelRectangle(10 * 32, 5 * 32, 18 * 32, 13 * 32)));
    }

    [Test]
    public void InInput_ResNetMap_CountsTheCellsItsAveragingLost()
    {
        var geometry = new RegionGeometry(896, 896, [(22, 22)], [1, 2]);
        Assert.That(geometry.InInput(0), Is.EqualTo(new PixelRectangle(0, 0, 896, 896)));
        Assert.That(geometry.InInput(1), Is.EqualTo(new PixelRectangle(0, 0, (14 + 6) * 32, (14 + 6) * 32)));
        Assert.That(geometry.InInput(4), Is.EqualTo(new PixelRectangle(8 * 32, 8 * 32, 896, 896)));
    }

    [Test]
    public void InInput_SmallerScales_CoverTheSameInput()
    {
        var geometry = new RegionGeometry(896, 896, [(28, 28), (14, 14), (7, 7)], Steps);
        Assert.That(geometry.Regions, Has.Count.EqualTo(127), "the golden count of steps 1, 3, 5 multi-scale");
        Assert.That(geometry.InInput(35), Is.EqualTo(new PixelRectangle(0, 0, 896, 896)));
        Assert.That(geometry.InInput(35 + 46), Is.EqualTo(new PixelRectangle(0, 0, 896, 896)));
        Assert.That(geometry.InInput(35 + 46 + 2), Is.EqualTo(new PixelRectangle(2 * 128, 0, 4 * 128, 2 * 128)), "cells of 128 pixels at a quarter");
    }

    [Test]
    public void Create_MapLargerThanItsInput_IsRefused() =>
        Assert.That(() => new RegionGeometry(448, 448, [(28, 28)], Steps), Throws.ArgumentException.With.Message.Contains("448"));

    private static PixelImage White(PixelRectangle area, int width, int height)
    {
        var image = new PixelImage(width, height, PixelFormat.Gray8);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                image.Pixels[(y * width) + x] = x >= area.Left && x < area.Right && y >= area.Top && y < area.Bottom ? byte.MaxValue : byte.MinValue;
            }
        }

        return image;
    }

    private static void AssertWhiteInside(PixelImage image, PixelRectangle area, int inputWidth, int inputHeight, double slack, FitMode fit)
    {
        var input = new float[inputWidth * inputHeight * 3];
        using var device = Device.Open("cpu", 1);
        Operations.Preprocess(device, image, inputHeight, inputWidth, [0, 0, 0], input, fit);
        // Bilinear interpolation blurs the edge by one pixel of the photograph.
        for (var y = 0; y < inputHeight; y++)
        {
            for (var x = 0; x < inputWidth; x++)
            {
                var inside = x >= area.Left + slack && x < area.Right - slack - 1 && y >= area.Top + slack && y < area.Bottom - slack - 1;
                var outside = x < area.Left - slack || x >= area.Right + slack || y < area.Top - slack || y >= area.Bottom + slack;
                var value = input[((y * inputWidth) + x) * 3];
                if ((inside && value != byte.MaxValue) || (outside && value != 0))
                {
                    Assert.Fail($"input pixel ({x}, {y}) is {value}, the region is {area}");
                }
            }
        }
    }

    private static void AssertSame(PixelRectangle actual, PixelRectangle expected, double tolerance, string what)
    {
        Assert.That(actual.Left, Is.EqualTo(expected.Left).Within(tolerance), what);
        Assert.That(actual.Top, Is.EqualTo(expected.Top).Within(tolerance), what);
        Assert.That(actual.Right, Is.EqualTo(expected.Right).Within(tolerance), what);
        Assert.That(actual.Bottom, Is.EqualTo(expected.Bottom).Within(tolerance), what);
    }
}
