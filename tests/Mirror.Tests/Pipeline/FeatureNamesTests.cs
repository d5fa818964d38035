using NUnit.Framework;
using Mirror.Photographs;
using Mirror.Pipeline;

namespace Mirror.Tests.Pipeline;

/// <summary>Where descriptors go.</summary>
public sealed class FeatureNamesTests
{
    [Test]
    public void For_EqualNamesInTwoFolders_KeepsTheFolders() =>
        Assert.That(Names("a/1.jpg", "b/1.jpg"), Is.EqualTo(["a/1.npy", "b/1.npy"]));

    [Test]
    public void For_OneStemTwice_KeepsTheExtension() =>
        Assert.That(Names("1.jpg", "1.png", "2.jpg"), Is.EqualTo(["1.jpg.npy", "1.png.npy", "2.npy"]));

    [Test]
    public void For_StemsThatDifferInCaseOnly_KeepsTheExtension() =>
        Assert.That(Names("a.jpg", "A.png"), Is.EqualTo(["a.jpg.npy", "A.png.npy"]));

    [Test]
    public void For_NamesThatWouldMeetAgain_StayDifferent()
    {
        var names = Names("a.jpg", "a.jpg.jpg", "a.png", "A.JPG");
        Assert.That(names.Distinct(StringComparer.OrdinalIgnoreCase).Count(), Is.EqualTo(4), string.Join(", ", names));
    }

    [Test]
    public void For_DotsElsewhere_RemovesTheExtensionOnly() =>
        Assert.That(Names("v1.2/x.y.jpg", "v1.2/noextension"), Is.EqualTo(["v1.2/x.y.npy", "v1.2/noextension.npy"]));

    private static string[] Names(params string[] photos) =>
        FeatureNames.For([.. photos.Select((name, index) => new Photo(index, name, name))]);
}
