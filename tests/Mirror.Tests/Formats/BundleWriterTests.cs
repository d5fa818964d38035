// Export to TensorFlow: genuine checkpoints come back byte for byte, and tables of several blocks follow the table format's rules.

using System.Text;
using Mirror.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Formats;

internal sealed class BundleWriterTests
{
    [TestCase("golden/models/model.ckpt-400000")]
    [TestCase("golden/models/small.ckpt")]
    [TestCase("models/half_googlenet.ckpt-300000")]
    [TestCase("golden/genuine/carnd_lenet/model.ckpt")]
    [TestCase("golden/genuine/tensorflow_serving/saved_model_counter/variables")]
    [TestCase("golden/genuine/tensorflow_serving/saved_model_half_plus_two_mkl/variables")]
    public void Write_ImportedCheckpoint_IsByteIdentical(string source)
    {
        string prefix = Paths.SharedOrSkip(source);
        using TempFolder folder = new();
        ModelImporter.ImportAll(prefix, null, folder.File("all.safetensors"), null);
        BundleReport report = BundleWriter.Write(folder.File("all.safetensors"), folder.File("again"));
        foreach (string file in (string[])[".index", ".data-00000-of-00001"])
        {
            Assert.That(File.ReadAllBytes(folder.File("again") + file).AsSpan().SequenceEqual(File.ReadAllBytes(prefix + file)), file);
        }
        Assert.That(report.Files, Has.Count.EqualTo(2));
    }

    [Test]
    public void ImportAll_StringTensor_SaysThatItCannotBeKept()
    {
        string prefix = Paths.SharedOrSkip("golden/genuine/tensorflow_serving/tf_text_regression/variables");
        using TempFolder folder = new();
        Assert.That(() => ModelImporter.ImportAll(prefix, null, folder.File("all"), null), Throws.TypeOf<InvalidDataException>().With.Message.Contains("_CHECKPOINTABLE_OBJECT_GRAPH").And.Message.Contains("string"));
        Assert.That(Directory.GetFiles(folder.Root), Is.Empty);
    }

    [Test]
    public void ImportAll_EveryType_ComesBack()
    {
        using TempFolder folder = new();
        BundleBuilder builder = new();
        int[] types = [1, 2, 3, 4, 5, 6, 8, 9, 10, 14, 17, 19, 22, 23];
        foreach (int type in types)
        {
            int width = ElementTypes.FromTensorFlow(type).Type.Size();
            builder.Add($"t{type:D2}", type, [1, 2], [.. Enumerable.Range(0, 2 * width).Select(i => (byte)(i & 1))]);
        }
        builder.Add("empty", 1, [0, 300], []).Add("z\u00e4", 1, [], [0, 0, 0, 0]).Write(folder.File("m"));
        ModelImporter.ImportAll(folder.File("m"), null, folder.File("all"), null);
        BundleWriter.Write(folder.File("all"), folder.File("n"));
        using TensorFlowCheckpoint before = TensorFlowCheckpoint.Open(folder.File("m")), after = TensorFlowCheckpoint.Open(folder.File("n"));
        Assert.That(after.VerifyAll(), Is.Empty);
        Assert.That(after.Tensors.Select(tensor => $"{tensor.Name} {tensor.TypeName} {tensor.ShapeText} {Convert.ToHexString(after.ReadBytes(tensor.Name))}"),
            Is.EqualTo(before.Tensors.Select(tensor => $"{tensor.Name} {tensor.TypeName} {tensor.ShapeText} {Convert.ToHexString(before.ReadBytes(tensor.Name))}")));
    }

    [Test]
    public void Write_OntoItsSourceOrIntoAFolder_IsRefused()
    {
        using TempFolder folder = new();
        SafeTensorsWriter.Write(folder.File("m.index"), new Dictionary<string, string>(), []);
        Assert.That(() => BundleWriter.Write(folder.File("m.index"), folder.File("m")), Throws.ArgumentException);
        Assert.That(() => BundleWriter.Write(folder.File("m.index"), folder.Root + "/"), Throws.ArgumentException);
        Assert.That(() => BundleWriter.Write(folder.File("absent"), folder.File("m")), Throws.TypeOf<FileNotFoundException>());
        Assert.That(Directory.GetFiles(folder.Root), Has.Length.EqualTo(1));
    }

    // The data file comes first and its new contents are complete by then.
    [Test]
    public void Write_IndexThatCannotBeWritten_LeavesTheOldData()
    {
        using TempFolder folder = new();
        SafeTensorsWriter.Write(folder.File("source"), new Dictionary<string, string>(), [SafeTensorsItem.FromFloats("a", [1], [1])]);
        Directory.CreateDirectory(folder.File("m.index"));
        File.WriteAllText(folder.File("m.data-00000-of-00001"), "old");
        Assert.That(() => BundleWriter.Write(folder.File("source"), folder.File("m")), Throws.TypeOf<IOException>().With.Message.Contains("m.index"));
        Assert.That(File.ReadAllText(folder.File("m.data-00000-of-00001")), Is.EqualTo("old"));
        Assert.That(Directory.GetFileSystemEntries(folder.Root), Has.Length.EqualTo(3));
    }

    [Test]
    public void Write_OverAnOlderPair_ReplacesBoth()
    {
        using TempFolder folder = new();
        SafeTensorsWriter.Write(folder.File("one"), new Dictionary<string, string>(), [SafeTensorsItem.FromFloats("a", [1], [1])]);
        SafeTensorsWriter.Write(folder.File("two"), new Dictionary<string, string>(), [SafeTensorsItem.FromFloats("b", [2], [2, 3])]);
        BundleWriter.Write(folder.File("one"), folder.File("m"));
        BundleWriter.Write(folder.File("two"), folder.File("m"));
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(folder.File("m"));
        Assert.That(checkpoint.VerifyAll(), Is.Empty);
        Assert.That(checkpoint.Tensors.Select(tensor => tensor.Name), Is.EqualTo(["b"]));
        Assert.That(Directory.GetFiles(folder.Root), Has.Length.EqualTo(4));
    }

    [TestCase("", "tensor \"\"")]
    [TestCase("a\\u0000b", "tensor \"a\\0b\"")]
    public void Write_NameThatACheckpointCannotHold_IsRefused(string name, string message)
    {
        using TempFolder folder = new();
        byte[] header = Encoding.UTF8.GetBytes($"{{\"{name}\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}}}");
        File.WriteAllBytes(folder.File("source"), [.. BitConverter.GetBytes((long)header.Length), .. header, 0, 0, 0, 0]);
        Assert.That(() => BundleWriter.Write(folder.File("source"), folder.File("m")), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
        Assert.That(Directory.GetFiles(folder.Root), Has.Length.EqualTo(1));
    }

    // Values of 200,000 bytes fill a block with two; keys of the index block are the shortest that separate (LevelDB's rules).
    [Test]
    public void Finish_SeveralBlocks_SeparatesThemAsTheFormatSays()
    {
        using TempFolder folder = new();
        SsTableBuilder builder = new();
        (string Key, string? Separator)[] keys = [("abc", null), ("abcd", "abd"), ("abz", null), ("b", "b"), ("c", null), ("\u00ff\u00ffq", "\u00ff\u00ffr")];
        foreach ((string key, _) in keys)
        {
            builder.Add(Encoding.Latin1.GetBytes(key), new byte[200_000]);
        }
        byte[] table = builder.Finish();
        File.WriteAllBytes(folder.File("t"), table);
        Assert.That(SsTable.Read(folder.File("t")).Select(entry => Encoding.Latin1.GetString(entry.Key)), Is.EqualTo(keys.Select(key => key.Key)));

        // The index block stands between the meta block and the footer; its entries are whole keys.
        List<string> separators = [];
        ReadOnlySpan<byte> footer = table.AsSpan(table.Length - 48);
        Assert.That(Varint.TryRead(ref footer, out ulong metaOffset) && Varint.TryRead(ref footer, out ulong metaLength) && metaOffset + metaLength > 0);
        Assert.That(Varint.TryRead(ref footer, out ulong offset) && Varint.TryRead(ref footer, out _));
        ReadOnlySpan<byte> block = table.AsSpan((int)offset);
        for (int i = 0; i < 3; i++)
        {
            Assert.That(block[0], Is.Zero, "nothing is shared in an index block");
            separators.Add(Encoding.Latin1.GetString(block.Slice(3, block[1])));
            block = block[(3 + block[1] + block[2])..];
        }
        Assert.That(separators, Is.EqualTo(keys.Select(key => key.Separator).OfType<string>()));
    }
}
