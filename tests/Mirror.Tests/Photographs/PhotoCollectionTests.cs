// Folders and lists: order, names, and everything that can be wrong with them.

using Mirror.Photographs;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Photographs;

/// <summary>Folders and lists of photographs.</summary>
public sealed class PhotoCollectionTests
{
    private TempFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = Paths.NewTempFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void FromDirectory_SortsByBytesOfTheRelativePath()
    {
        Touch("b/1.jpg", "b.JPG", "a z.png", "Z.tif", "é.jpg", "\uFFEE.jpg", "😀.jpg", "notes.txt", ".hidden.jpg", ".git/x.jpg");

        PhotoCollection photos = PhotoCollection.FromDirectory(_folder.Root);

        Assert.Multiple(() =>
        {
            Assert.That(photos.Photos.Select(photo => photo.Name), Is.EqualTo(new[] { "Z.tif", "a z.png", "b.JPG", "b/1.jpg", "é.jpg", "\uFFEE.jpg", "😀.jpg" }));
            Assert.That(photos.Photos.Select(photo => photo.Index), Is.EqualTo(Enumerable.Range(0, 7)));
            Assert.That(photos.Photos.All(photo => File.Exists(photo.Path)), Is.True);
            Assert.That((photos.IgnoredFiles, photos.NamesWithSpaces), Is.EqualTo((1, 1)));
        });
    }

    [Test]
    public void FromDirectory_WithoutPhotographs_NamesFolderAndExtensions()
    {
        Touch("notes.txt");
        var failure = Assert.Throws<InvalidDataException>(() => PhotoCollection.FromDirectory(_folder.Root))!;
        Assert.That(failure.Message, Does.StartWith(_folder.Root).And.Contains("1 other files").And.Contains(".jpg .jpeg"));
    }

    [Test]
    public void FromDirectory_Absent_NamesIt()
    {
        var failure = Assert.Throws<DirectoryNotFoundException>(() => PhotoCollection.FromDirectory(_folder.File("none")))!;
        Assert.That(failure.Message, Is.EqualTo($"{_folder.File("none")}: no such folder"));
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void FromDirectory_LinkToItself_IsNotFollowed()
    {
        Touch("sub/a.jpg");
        Directory.CreateSymbolicLink(_folder.File("sub/loop"), _folder.Root);
        Assert.That(PhotoCollection.FromDirectory(_folder.Root).Photos.Select(photo => photo.Name), Is.EqualTo(new[] { "sub/a.jpg" }));
    }

    [Test]
    public void FromList_KeepsOrderAndLines()
    {
        Touch("b.jpg", "a b.jpg", "#1.jpg", "sub/c.jpg");
        string list = List("\uFEFFsub/c.jpg\r\n\r\n#1.jpg\n\na b.jpg\n./sub/../b.jpg");

        PhotoCollection photos = PhotoCollection.FromList(list);

        Assert.That(photos.Photos.Select(photo => photo.Name), Is.EqualTo(new[] { "sub/c.jpg", "#1.jpg", "a b.jpg", "b.jpg" }));
        Assert.That(photos.NamesWithSpaces, Is.EqualTo(1));
    }

    [Test]
    public void FromList_WithRoot_StartsThere()
    {
        Touch("root/a.jpg", "root/b.jpg", "outside.jpg");
        string list = List($"a.jpg\n{_folder.File("root/b.jpg")}\n../outside.jpg\n");

        PhotoCollection photos = PhotoCollection.FromList(list, _folder.File("root"));

        Assert.That(photos.Photos.Take(2).Select(photo => photo.Name), Is.EqualTo(new[] { "a.jpg", "b.jpg" }));
        Assert.That(photos.Photos[2].Name, Does.EndWith("outside.jpg").And.Not.Contains("..").And.Not.StartWith("/"));
    }

    [Test]
    public void FromList_MissingFiles_NamesLinesAndCounts()
    {
        Touch("a.jpg", "folder/x.jpg");
        string list = List("a.jpg\nm1.jpg\nm2.jpg\nm3.jpg\nm4.jpg\nfolder\nm6.jpg\nm7.jpg\n");
        var failure = Assert.Throws<InvalidDataException>(() => PhotoCollection.FromList(list))!;
        Assert.That(failure.Message, Does.StartWith($"{list}: 7 of 8 files do not exist")
            .And.Contains("line 2: m1.jpg; line 3: m2.jpg").And.Contains("line 6: folder (a folder)").And.EndsWith("; and 2 more"));
    }

    [Test]
    public void FromList_FileListedTwice_NamesBothLines()
    {
        Touch("a.jpg", "b.jpg");
        var failure = Assert.Throws<InvalidDataException>(() => PhotoCollection.FromList(List("a.jpg\nb.jpg\n./a.jpg\n")))!;
        Assert.That(failure.Message, Does.Contain("lines 1 and 3: ./a.jpg"));
    }

    [TestCase("")]
    [TestCase("\n\r\n\n")]
    public void FromList_WithoutNames_IsRefused(string text) =>
        Assert.That(() => PhotoCollection.FromList(List(text)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("names no photograph"));

    [Test]
    public void FromList_OfBytes_IsNoTextFile()
    {
        string list = List("abc\n\0\u0001");
        Assert.That(() => PhotoCollection.FromList(list), Throws.TypeOf<InvalidDataException>().With.Message.Contains("line 2 holds a zero byte"));
    }

    [Test]
    public void FromList_Absent_NamesIt() =>
        Assert.That(() => PhotoCollection.FromList(_folder.File("no.txt")), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("no.txt: no such list file"));

    private void Touch(params string[] names)
    {
        foreach (string name in names)
        {
            string path = _folder.File(name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, [1]);
        }
    }

    private string List(string text)
    {
        string path = _folder.File("list.txt");
        File.WriteAllText(path, text);
        return path;
    }
}
