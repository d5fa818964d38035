// Replacing files that belong together: whichever rename fails, every old file is as it was, or the message says where it is.

using Mirror.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Formats;

internal sealed class AtomicFileTests
{
    private TempFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = Paths.NewTempFolder();

    [TearDown]
    public void Clean() => _folder.Dispose();

    // A folder has taken the name between the check and the rename; the name's owner has no old file then.
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public void WriteTogether_FolderTakesAName_OldFilesAreAsTheyWere(int failing)
    {
        string[] names = ["a", "b", "c"];
        string taken = names[failing];
        string[] old = [.. names.Where(name => name != taken)];
        Array.ForEach(old, name => File.WriteAllText(_folder.File(name), $"old {name}"));
        Assert.That(
            () => AtomicFile.WriteTogether([.. names.Select<string, (string, Action<Stream>)>(name => (_folder.File(name), stream =>
            {
                stream.WriteByte(1);
                Directory.CreateDirectory(_folder.File(taken + "/x"));
            }))]),
            Throws.TypeOf<IOException>().With.Message.StartsWith($"cannot write {_folder.File(taken)}"));
        AssertOld(old);
        Assert.That(Directory.GetFileSystemEntries(_folder.Root), Has.Length.EqualTo(3));
    }

    // Every name has an old file; the complete new one of a name is gone when its turn comes (on Windows it could not be deleted while it is open).
    [TestCase(0)]
    [TestCase(1)]
    [Platform(Exclude = "Win")]
    public void WriteTogether_RenameFails_OldFilesAreAsTheyWere(int failing)
    {
        string[] names = ["a", "b"];
        Array.ForEach(names, name => File.WriteAllText(_folder.File(name), $"old {name}"));
        Assert.That(
            () => AtomicFile.WriteTogether([.. names.Select<string, (string, Action<Stream>)>((name, i) => (_folder.File(name), stream =>
            {
                if (i == failing)
                {
                    File.Delete(((FileStream)stream).Name);
                }
            }))]),
            Throws.TypeOf<IOException>().With.Message.StartsWith($"cannot write {_folder.File(names[failing])}").And.Message.Not.Contain("lies in"));
        AssertOld(names);
        Assert.That(Directory.GetFiles(_folder.Root), Has.Length.EqualTo(2));
    }

    // The new file of the second name takes the place of the link that the first is reached by, and the third fails: the first cannot be put back.
    [Test]
    [Platform(Exclude = "Win")]
    public void WriteTogether_OldFileCannotBePutBack_IsNamedAndTheLastStaysAside()
    {
        File.WriteAllText(_folder.File("c"), "old c");
        var failure = Assert.Throws<IOException>(() => AtomicFile.WriteTogether(
            (_folder.File("link/a"), _ =>
            {
                Directory.Move(_folder.File("link"), _folder.File("real"));
                File.WriteAllText(_folder.File("real/a"), "old a");
                Directory.CreateSymbolicLink(_folder.File("link"), _folder.File("real"));
            }),
            (_folder.File("link"), _ => { }),
            (_folder.File("c"), stream => File.Delete(((FileStream)stream).Name))))!;

        Assert.That(failure.Message, Does.StartWith($"cannot write {_folder.File("c")}"));
        string a = Directory.GetFiles(_folder.File("real")).Single(path => path.EndsWith(".old", StringComparison.Ordinal));
        Assert.That(File.ReadAllText(a), Is.EqualTo("old a"));
        Assert.That(failure.Message, Does.Contain($"the old {_folder.File("link/a")} lies in {_folder.File("link/" + Path.GetFileName(a))} and cannot be put back ("));
        string c = Directory.GetFiles(_folder.Root).Single();
        Assert.That(File.ReadAllText(c), Is.EqualTo("old c"));
        Assert.That(failure.Message, Does.Contain($"the old {_folder.File("c")} lies in {c}, as files"));
    }

    private void AssertOld(string[] names) =>
        Assert.That(names.Select(name => File.ReadAllText(_folder.File(name))), Is.EqualTo(names.Select(name => $"old {name}")));
}
