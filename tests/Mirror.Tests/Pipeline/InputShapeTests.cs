using Mirror.Pipeline;
using NUnit.Framework;

namespace Mirror.Tests.Pipeline;

public sealed class InputShapeTests
{
    [TestCase(448, 4000, 3000, 384, 512)]
    [TestCase(448, 3000, 4000, 512, 384)]
    [TestCase(448, 1000, 1000, 448, 448)]
    [TestCase(448, 6000, 4000, 352, 544)]
    [TestCase(896, 4000, 3000, 768, 1024)]
    [TestCase(448, 10000, 1000, 128, 1408)]
    public void Whole_Proportions_KeepTheAreaInMultiplesOfTheStride(int size, int width, int height, int rows, int columns) =>
        Assert.That(InputShape.Whole(size, 1, width, height), Is.EqualTo(new InputShape(rows, columns)));

    [Test]
    public void Whole_ExtremePanorama_IsSqueezedAndKeepsTheNetworksMinimum()
    {
        Assert.That(InputShape.Whole(448, 193, 65535, 1), Is.EqualTo(new InputShape(224, 1792)));
        Assert.That(InputShape.Whole(448, 193, 1, 65535), Is.EqualTo(new InputShape(1792, 224)));
    }
}
