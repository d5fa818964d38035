// Every way in which users point at a checkpoint.

using Mirror.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Formats;

internal sealed class CheckpointPathsTests
{
    [Test]
    public void Resolve_AnyFileOrFolderOfACheckpoint_GivesItsPrefix()
    {
        using TempFolder folder = new();
        string prefix = folder.File("model.ckpt-7");
        new BundleBuilder().Write(prefix);
        File.WriteAllText(prefix + ".meta", "");
        File.WriteAllText(folder.File("checkpoint"), "model_checkpoint_path: \"model.ckpt-7\"\nall_model_checkpoint_paths: \"model.ckpt-3\"\n");
        Assert.Multiple(() =>
        {
            Assert.That(CheckpointPaths.Resolve(prefix, null), Is.EqualTo(prefix));
            Assert.That(CheckpointPaths.Resolve(folder.File("model.ckpt"), 7), Is.EqualTo(prefix));
            Assert.That(CheckpointPaths.Resolve(prefix, 7), Is.EqualTo(prefix));
            Assert.That(CheckpointPaths.Resolve(prefix + ".index", null), Is.EqualTo(prefix));
            Assert.That(CheckpointPaths.Resolve(prefix + ".meta", null), Is.EqualTo(prefix));
            Assert.That(CheckpointPaths.Resolve(prefix + ".data-00000-of-00001", null), Is.EqualTo(prefix));
            Assert.That(CheckpointPaths.Resolve(folder.Root, null), Is.EqualTo(prefix));
            Assert.That(CheckpointPaths.Resolve(folder.Root, 7), Is.EqualTo(prefix));
        });
    }

    [Test]
    public void Resolve_WrongStep_ListsWhatIsThere()
    {
        using TempFolder folder = new();
        new BundleBuilder().Write(folder.File("model.ckpt-7"));
        Assert.That(
            () => CheckpointPaths.Resolve(folder.File("model.ckpt"), 8),
            Throws.TypeOf<FileNotFoundException>().With.Message.Contains("model.ckpt-8.index").And.Message.Contains("checkpoints in").And.Message.Contains("model.ckpt-7"));
    }

    [Test]
    public void Resolve_FolderWithSeveral_AsksForOne()
    {
        using TempFolder folder = new();
        new BundleBuilder().Write(folder.File("a"));
        new BundleBuilder().Write(folder.File("b"));
        Assert.That(() => CheckpointPaths.Resolve(folder.Root, null), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("name one: a.index, b.index"));
    }

    [Test]
    public void Resolve_AnotherFile_SaysWhatIsMissing()
    {
        using TempFolder folder = new();
        File.WriteAllText(folder.File("model.pb"), "something else, longer than a footer would be: 48 bytes and more");
        Assert.That(() => CheckpointPaths.Resolve(folder.File("model.pb"), null), Throws.TypeOf<InvalidDataException>().With.Message.Contains("no TensorFlow V2 checkpoint"));
    }

    [TestCase("model_checkpoint_path: \"a\\\"b\"", "a\"b")]
    [TestCase("model_checkpoint_path: \"/abs/\\303\\244\"", "/abs/ä")]
    [TestCase("model_checkpoint_path: 'a\\x41'", "aA")]
    public void ReadStateFile_Escapes_AreDecoded(string line, string expected)
    {
        using TempFolder folder = new();
        File.WriteAllText(folder.File("checkpoint"), line);
        Assert.That(CheckpointPaths.ReadStateFile(folder.File("checkpoint")), Is.EqualTo(Path.Combine(folder.Root, expected)));
    }

    [TestCase("")]
    [TestCase("model_checkpoint_path: model")]
    [TestCase("model_checkpoint_path: \"a\\q\"")]
    [TestCase("model_checkpoint_path: \"a\\000\"")]
    public void ReadStateFile_Malformed_IsRefused(string text)
    {
        using TempFolder folder = new();
        File.WriteAllText(folder.File("checkpoint"), text);
        Assert.That(() => CheckpointPaths.ReadStateFile(folder.File("checkpoint")), Throws.TypeOf<InvalidDataException>().With.Message.Contains("checkpoint"));
    }
}
