// Checkpoints: those in the repository, the golden and genuine ones of the shared folder, and built ones for what these lack.

using System.Buffers.Binary;
using Mirror.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Formats;

internal sealed class TensorFlowCheckpointTests
{
    private static readonly byte[] TwoFloats = [0, 0, 128, 63, 0, 0, 0, 64];

    [Test]
    public void ReadFloat32_SmallCheckpoint_EqualsNumpy()
    {
        IReadOnlyDictionary<string, NpyArray> expected = Npz.Open(Paths.Data("models/small.npz"));
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(Paths.Data("models") + "/small.ckpt");
        Assert.That(checkpoint.Tensors, Has.Count.GreaterThanOrEqualTo(expected.Count));
        foreach ((string name, NpyArray array) in expected)
        {
            string variable = name.Replace('.', '/');
            Assert.That(checkpoint.Find(variable)!.Shape, Is.EqualTo(array.Shape), variable);
            Assert.That(checkpoint.ReadBytes(variable), Is.EqualTo(array.Bytes.ToArray()), variable);
        }
        Assert.That(checkpoint.VerifyAll(), Is.Empty);
    }

    [Test]
    public void ReadFloat32_PartitionedVariable_EqualsNumpy()
    {
        IReadOnlyDictionary<string, NpyArray> expected = Npz.Open(Paths.Data("models/small.npz"));
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(Paths.Data("models") + "/sliced.ckpt");
        Assert.That(checkpoint.Tensors.Select(tensor => tensor.Name), Has.None.StartsWith("\0"));
        foreach (TensorEntry tensor in checkpoint.Tensors)
        {
            TestContext.Out.WriteLine($"{tensor.Name} {tensor.ShapeText}");
            Assert.That(checkpoint.ReadFloat32(tensor.Name), Is.EqualTo(expected[tensor.Name.Replace('/', '.')].ToFloat32()), tensor.Name);
        }
        Assert.That(checkpoint.VerifyAll(), Is.Empty);
    }

    [TestCase("golden/models/model.ckpt-400000", 172, 1)]
    [TestCase("models/half_googlenet.ckpt-300000", 115, 1)]
    [TestCase("golden/genuine/carnd_lenet/model.ckpt", 70, 1)]
    [TestCase("golden/genuine/genomic_gaps_2shards/variables", 0, 2)]
    [TestCase("golden/genuine/tensorflow_serving/saved_model_counter/variables", 1, 1)]
    [TestCase("golden/genuine/tensorflow_serving/saved_model_half_plus_two_cpu/variables", 0, 1)]
    [TestCase("golden/genuine/tensorflow_serving/saved_model_half_plus_two_mkl/variables", 0, 1)]
    [TestCase("golden/genuine/tensorflow_serving/saved_model_half_plus_two_tf2_cpu/variables", 0, 1)]
    [TestCase("golden/genuine/tensorflow_serving/tf_text_regression/variables", 0, 1)]
    public void VerifyAll_SharedCheckpoint_EveryChecksumIsGood(string prefix, int tensors, int shards)
    {
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(Paths.SharedOrSkip(prefix));
        TestContext.Out.WriteLine($"{checkpoint.Tensors.Count} tensors, {checkpoint.Tensors.Sum(tensor => tensor.ByteLength)} bytes");
        Assert.That(checkpoint.VerifyAll(), Is.Empty);
        Assert.That(checkpoint.ShardCount, Is.EqualTo(shards));
        Assert.That(checkpoint.Tensors, Has.Count.EqualTo(tensors > 0 ? tensors : checkpoint.Tensors.Count).And.Not.Empty);
        foreach (TensorEntry tensor in checkpoint.Tensors.Where(tensor => tensor.Type != ElementType.Other))
        {
            Assert.That(checkpoint.ReadBytes(tensor.Name), Has.Length.EqualTo(tensor.ByteLength), tensor.Name);
        }
    }

    [Test]
    public void Open_V1Checkpoint_SaysSo()
    {
        string path = Paths.SharedOrSkip("golden/genuine/tensorflow_serving/bad_half_plus_two_v1/export");
        Assert.That(() => TensorFlowCheckpoint.Open(path), Throws.TypeOf<InvalidDataException>().With.Message.Contains("V1 checkpoint"));
    }

    [TestCase(1, false)]
    [TestCase(3, true)]
    [TestCase(1000, true)]
    public void Open_ManyTensorsInBlocks_ReadsEach(int entriesPerBlock, bool snappy)
    {
        using TempFolder folder = new();
        BundleBuilder builder = new() { EntriesPerBlock = entriesPerBlock, Snappy = snappy, Shards = 3 };
        for (int i = 0; i < 100; i++)
        {
            builder.Add($"layer_{i:D3}/kernel", 1, [1], BitConverter.GetBytes((float)i), i % 3);
        }
        builder.Write(folder.File("m"));
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(folder.File("m"));
        Assert.That(checkpoint.VerifyAll(), Is.Empty);
        Assert.That(checkpoint.Tensors.Select(tensor => checkpoint.ReadFloat32(tensor.Name)[0]), Is.EqualTo(Enumerable.Range(0, 100)));
        Assert.That(checkpoint.Files, Has.Count.EqualTo(4));
    }

    [Test]
    public void ReadFloat32_BigEndianAndOtherTypes_Converts()
    {
        using TempFolder folder = new();
        byte[] single = new byte[4], twice = new byte[8], half = new byte[2];
        BinaryPrimitives.WriteSingleBigEndian(single, 1.5f);
        BinaryPrimitives.WriteDoubleBigEndian(twice, -2.25);
        BinaryPrimitives.WriteHalfBigEndian(half, (Half)0.5f);
        new BundleBuilder { BigEndian = true }
            .Add("a", 1, [], single).Add("b", 2, [1], twice).Add("c", 19, [1, 1], half).Add("d", 14, [], [0x40, 0x40]).Add("e", 3, [], [0, 0, 1, 0])
            .Add("f", 1, [0, 7], [])
            .Write(folder.File("m"));
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(folder.File("m"));
        Assert.That(checkpoint.Tensors.SelectMany(tensor => checkpoint.ReadFloat32(tensor.Name)), Is.EqualTo(new[] { 1.5f, -2.25f, 0.5f, 3f, 256f }));
    }

    [Test]
    public void Open_StringTensor_IsListedAndVerifiedButNotRead()
    {
        using TempFolder folder = new();
        byte[] lengths = [2, 0, 0, 0, 1, 0, 0, 0];
        byte[] inner = BitConverter.GetBytes(Crc32C.Mask(Crc32C.Compute(lengths)));
        byte[] stored = [2, 1, .. inner, .. "abc"u8];
        uint crc = Crc32C.Mask(Crc32C.Compute([.. lengths, .. inner, .. "abc"u8]));
        new BundleBuilder { EntryHook = entry => [.. entry, 0x35, .. BitConverter.GetBytes(crc)] }.Add("s", 7, [2], stored).Write(folder.File("m"));
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(folder.File("m"));
        Assert.That(checkpoint.Find("s"), Has.Property("TypeName").EqualTo("string").And.Property("Type").EqualTo(ElementType.Other));
        Assert.That(checkpoint.VerifyAll(), Is.Empty);
        Assert.That(() => checkpoint.ReadBytes("s"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("string"));
    }

    [Test]
    public void ReadBytes_DamagedData_NamesShardTensorAndBothChecksums()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("x", 1, [2], TwoFloats).Write(folder.File("m"));
        string shard = folder.File("m.data-00000-of-00001");
        byte[] data = File.ReadAllBytes(shard);
        data[5] ^= 1;
        File.WriteAllBytes(shard, data);
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(folder.File("m"));
        Assert.That(() => checkpoint.ReadBytes("x"), Throws.TypeOf<InvalidDataException>().With.Message.Contains(shard).And.Message.Contains("\"x\"").And.Message.Contains("checksum"));
        Assert.That(checkpoint.VerifyAll, Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void Open_TruncatedShard_SaysHowLongItIs()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("x", 1, [2], TwoFloats).Write(folder.File("m"));
        File.WriteAllBytes(folder.File("m.data-00000-of-00001"), new byte[7]);
        Assert.That(() => TensorFlowCheckpoint.Open(folder.File("m")), Throws.TypeOf<InvalidDataException>().With.Message.Contains("which has 7"));
    }

    [Test]
    public void Open_MissingShard_NamesItsPath()
    {
        using TempFolder folder = new();
        new BundleBuilder { Shards = 2 }.Add("x", 1, [2], TwoFloats, 1).Write(folder.File("m"));
        File.Delete(folder.File("m.data-00001-of-00002"));
        Assert.That(() => TensorFlowCheckpoint.Open(folder.File("m")), Throws.TypeOf<FileNotFoundException>().With.Message.Contains(folder.File("m.data-00001-of-00002")));
    }

    [Test]
    public void Open_DamagedIndex_SaysChecksum()
    {
        using TempFolder folder = new();
        new BundleBuilder().Add("x", 1, [2], TwoFloats).Write(folder.File("m"));
        byte[] index = File.ReadAllBytes(folder.File("m.index"));
        index[3] ^= 4;
        File.WriteAllBytes(folder.File("m.index"), index);
        Assert.That(() => TensorFlowCheckpoint.Open(folder.File("m")), Throws.TypeOf<InvalidDataException>().With.Message.Contains("checksum").And.Message.Contains("m.index"));
    }

    // 9-byte varint: 2^62 - far more than a file can hold.
    private static readonly byte[] HugeDim = [0x12, 0x0C, 0x12, 0x0A, 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40];

    [Test]
    public void Open_ImpossibleEntries_AreRefused()
    {
        Refused(entry => [.. entry, .. HugeDim], "more elements than");
        Refused(entry => [.. entry, 0x28, 0x09], "9 bytes stored, expected 8");
        Refused(entry => [.. entry, 0x20, 0x01], "lie outside");
        Refused(entry => [.. entry, 0x18, 0x01], "shard 1 of 1");
        Refused(entry => [.. entry, 0x12, 0x7F], "tensor \"x\"");
        Refused(entry => [.. entry, 0x12, 0x02, 0x18, 0x01], "unknown rank");

        static void Refused(Func<byte[], byte[]> hook, string message)
        {
            using TempFolder folder = new();
            new BundleBuilder { EntryHook = hook }.Add("x", 1, [2], TwoFloats).Write(folder.File("m"));
            Assert.That(() => TensorFlowCheckpoint.Open(folder.File("m")), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
        }
    }

    [Test]
    public void Open_WrittenForLaterReaders_IsRefused()
    {
        using TempFolder folder = new();
        new BundleBuilder { MinConsumer = 2 }.Write(folder.File("m"));
        Assert.That(() => TensorFlowCheckpoint.Open(folder.File("m")), Throws.TypeOf<InvalidDataException>().With.Message.Contains("version 2"));
    }

    [Test]
    public void ReadBytes_SlicesThatOverlapOrLeaveGaps_AreRefused()
    {
        SliceExtent[] first = [new(0, 1)], again = [new(0, 1)], second = [new(1, 1)], outside = [new(2, 1)];
        using TempFolder folder = new();
        new BundleBuilder()
            .AddSliced("good", 1, [2], (first, [1], TwoFloats[..4]), (second, [1], TwoFloats[4..]))
            .AddSliced("gap", 1, [2], (first, [1], TwoFloats[..4]))
            .AddSliced("out", 1, [2], (first, [1], TwoFloats[..4]), (outside, [1], TwoFloats[4..]))
            .Write(folder.File("m"));
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(folder.File("m"));
        Assert.That(checkpoint.ReadBytes("good"), Is.EqualTo(TwoFloats));
        Assert.That(() => checkpoint.ReadBytes("gap"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("slices hold 4 bytes, expected 8"));
        Assert.That(() => checkpoint.ReadBytes("out"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("lies outside"));

        // One slice named twice: the sizes add up, the elements do not.
        Dictionary<string, BundleEntry> stored = new() { [System.Text.Encoding.Latin1.GetString(OrderedCode.SliceKey("x", first))] = new(1, [1], 0, 0, 4, 0, []) };
        TensorEntry tensor = new("x", ElementType.Float32, "float32", [2], 2, 8);
        Assert.That(
            () => SlicedTensor.Assemble("f", tensor, new(1, [2], 0, 0, 0, 0, [first, again]), stored, 100, _ => TwoFloats[..4]),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("two slices hold element 0"));
    }
}
