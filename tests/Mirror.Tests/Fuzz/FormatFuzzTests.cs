// Seeded damage to checkpoints, safetensors and .npy: a clean error or a correct read, never anything else.
//
// Checksums would hide everything behind them, so checkpoints are damaged three ways: as files, inside a block whose checksum is then
// formed anew, and inside single entries.

using Mirror.Formats;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Fuzz;

internal sealed class FormatFuzzTests
{
    // Shares of MIRROR_FUZZ_RUNS, which counts all cases of this fixture.
    private static int Share(int percent) => FuzzRunner.Runs * percent / 100;

    private static readonly byte[] Data = [.. Enumerable.Range(0, 96).Select(i => (byte)i)];

    [TestCase("small.ckpt")]
    [TestCase("sliced.ckpt")]
    public void DamagedCheckpointFiles(string name)
    {
        string source = Path.Combine(Paths.Data("models"), name);
        byte[] index = File.ReadAllBytes(source + ".index");
        byte[] data = File.ReadAllBytes(source + ".data-00000-of-00001");
        Dictionary<string, byte[]> good = ReadAll(source);
        using TempFolder folder = new();
        string prefix = folder.File("m");
        FuzzRunner.Run(Share(10), i =>
        {
            Mutator mutator = new(i);
            bool hitIndex = mutator.Next(3) > 0;
            File.WriteAllBytes(prefix + ".index", hitIndex ? mutator.Mutate(index) : index);
            File.WriteAllBytes(prefix + ".data-00000-of-00001", hitIndex ? data : mutator.Mutate(data));
            // Every byte that matters is under a checksum: what can be read at all must be what was written.
            foreach ((string tensor, byte[] bytes) in ReadAll(prefix))
            {
                Assert.That(bytes.AsSpan().SequenceEqual(good[tensor]), $"case {i}: {tensor} was read with other values");
            }
            return true;
        });
    }

    [TestCase(false)]
    [TestCase(true)]
    public void DamagedBlocksWithGoodChecksums(bool snappy)
    {
        using TempFolder folder = new();
        string prefix = folder.File("m");
        FuzzRunner.Run(Share(15), i =>
        {
            Mutator mutator = new(i);
            int target = mutator.Next(5);
            int block = 0;
            Write(new() { Snappy = snappy, EntriesPerBlock = 3, BlockHook = plain => block++ == target ? mutator.Mutate(plain) : plain }, prefix);
            return ReadAll(prefix).Count > 0;
        });
    }

    [Test]
    public void DamagedEntriesWithGoodChecksums()
    {
        using TempFolder folder = new();
        string prefix = folder.File("m");
        FuzzRunner.Run(Share(15), i =>
        {
            Mutator mutator = new(i);
            int target = mutator.Next(7);
            int entry = 0;
            Write(new() { EntryHook = value => entry++ == target ? mutator.Mutate(value) : value }, prefix);
            return ReadAll(prefix).Count > 0;
        });
    }

    [Test]
    public void DamagedStateFiles()
    {
        using TempFolder folder = new();
        new BundleBuilder().Write(folder.File("m-n\u00e4"));
        byte[] state = "model_checkpoint_path: \"m\\x2Dn\\303\\244\"\nall_model_checkpoint_paths: \"m\"\n"u8.ToArray();
        FuzzRunner.Run(Share(5), i =>
        {
            File.WriteAllBytes(folder.File("checkpoint"), new Mutator(i).Mutate(state));
            return CheckpointPaths.Resolve(folder.Root, null).Length > 0;
        });
    }

    [Test]
    public void DamagedSafeTensors()
    {
        using TempFolder folder = new();
        SafeTensorsWriter.Write(folder.File("good"), new Dictionary<string, string> { ["network"] = "n\u00fc\"\n", ["format"] = "mirror" },
        [
            SafeTensorsItem.FromFloats("conv1/kernel", [1, 2, 3, 4], new float[24]),
            SafeTensorsItem.FromFloats("conv1/bias", [4], new float[4]),
            new("scalar", ElementType.Int64, [], () => new byte[8]),
            new("empty", ElementType.Float16, [0, 9], () => Array.Empty<byte>()),
        ]);
        byte[] good = File.ReadAllBytes(folder.File("good"));
        FuzzRunner.Run(Share(20), i =>
        {
            byte[] bad = new Mutator(i).Mutate(good);
            File.WriteAllBytes(folder.File("m"), bad);
            using SafeTensorsFile file = SafeTensorsFile.Open(folder.File("m"));
            long total = file.Tensors.Sum(tensor => (long)file.ReadBytes(tensor.Name).Length);
            Assert.That(total, Is.EqualTo(bad.Length - 8 - BitConverter.ToInt64(bad)), $"case {i}");
            return true;
        });
    }

    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3L, 2), }")]
    [TestCase("{\"descr\": \">f4\", \"fortran_order\": True, \"shape\": (4, 3, 2)}")]
    public void DamagedNpy(string header)
    {
        byte[] text = System.Text.Encoding.ASCII.GetBytes(header.PadRight(117) + "\n");
        byte[] good = [0x93, .. "NUMPY"u8, 1, 0, (byte)text.Length, 0, .. text, .. Data];
        using TempFolder folder = new();
        FuzzRunner.Run(Share(10), i =>
        {
            File.WriteAllBytes(folder.File("m.npy"), new Mutator(i).Mutate(good));
            NpyArray array = NpyFile.Read(folder.File("m.npy"));
            Assert.That(array.Bytes.Length, Is.LessThan(300));
            return array.Type is ElementType.Complex64 or ElementType.Complex128 || array.ToFloat32().Length == array.Count;
        });
    }

    private static void Write(BundleBuilder builder, string prefix) => builder
        .Add("conv1/bias", 1, [4], Data[..16])
        .Add("conv1/kernel", 2, [1, 2, 3], Data[..48])
        .Add("global_step", 9, [], Data[..8])
        .AddSliced("part", 1, [2, 4], ([new(0, 2), new(0, 1)], [2, 1], Data[..8]), ([new(0, SliceExtent.Whole), new(1, 3)], [2, 3], Data[..24]))
        .Write(prefix);

    // All that can be read, partitioned variables included; also exercises the checksum pass.
    private static Dictionary<string, byte[]> ReadAll(string prefix)
    {
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(prefix);
        Dictionary<string, byte[]> tensors = [];
        foreach (TensorEntry tensor in checkpoint.Tensors.Where(tensor => tensor.Type != ElementType.Other))
        {
            byte[] bytes = checkpoint.ReadBytes(tensor.Name);
            Assert.That(bytes, Has.Length.EqualTo(tensor.ByteLength));
            tensors.Add(tensor.Name, bytes);
        }
        checkpoint.VerifyAll();
        return tensors;
    }
}
