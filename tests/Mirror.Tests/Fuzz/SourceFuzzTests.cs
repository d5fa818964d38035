// Seeded damage to the sources of an import that have no checksum, or one formed anew: pickles, numpy dictionaries, frozen graphs, V1
// checkpoints, whitenings; and to ground truths.
//
// A quarter of MIRROR_FUZZ_RUNS for each.

using Mirror.Evaluation;
using Mirror.Formats;
using Mirror.Pipeline;
using Mirror.Tests.Evaluation;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Fuzz;

internal sealed class SourceFuzzTests
{
    private static readonly NamedTensor[] Tensors =
    [
        new("conv1/kernel", [1, 2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        new("conv1/bias", [3], [1, 2, 3]),
        new("scalar", [], [4]),
    ];

    private static int Quarter => FuzzRunner.Runs / 4;

    // A nested value of every kind, and dictionaries of arrays from both Pythons.
    [Test]
    public void DamagedPickles()
    {
        byte[][] corpus =
        [
            Convert.FromBase64String(PickleReaderTests.Protocol2),
            Convert.FromBase64String(PickleReaderTests.Protocol4),
            new NumpyDictionaryBuilder(python3: false).Write(Tensors)[80..],
            new NumpyDictionaryBuilder(python3: true).Write(Tensors)[128..],
        ];
        FuzzRunner.Run(Quarter, i => Nodes(PickleReader.Read(new Mutator(i).Mutate(corpus[i % corpus.Length]), "p")) > 0);
    }

    [Test]
    public void DamagedNumpyDictionaries()
    {
        byte[][] corpus = [new NumpyDictionaryBuilder(python3: false).Write(Tensors), new NumpyDictionaryBuilder(python3: true).Write(Tensors)];
        ReadDamaged(i => new Mutator(i).Mutate(corpus[i % 2]));
    }

    [Test]
    public void DamagedGroundTruths()
    {
        byte[][] corpus =
        [
            [.. "{\"imlist\": [\"b\", \"c\", \"d\"], \"qimlist\": [\"q\"], \"gnd\": [{\"easy\": [0, 2], \"hard\": [1], \"junk\": [], \"bbx\": [1, 2.5, 3, 4]}]}"u8],
            Convert.FromBase64String(RevisitedBenchmarkTests.PickledLists),
            Convert.FromBase64String(RevisitedBenchmarkTests.PickledArrays),
        ];
        using TempFolder folder = new();
        FuzzRunner.Run(Quarter, i =>
        {
            File.WriteAllBytes(folder.File("gnd"), new Mutator(i).Mutate(corpus[i % corpus.Length]));
            RevisitedGroundTruth truth = RevisitedGroundTruth.Read(folder.File("gnd"));
            Assert.That(truth.Queries.SelectMany(query => query.Easy.Concat(query.Hard).Concat(query.Junk)), Is.All.InRange(0, truth.Images.Count - 1), $"case {i}");
            return true;
        });
    }

    [Test]
    public void DamagedFrozenGraphs()
    {
        byte[] good = new GraphBuilder().Variable(Tensors[0])
            .Const("conv1/bias", 1, [3], value => Proto.Nested(value, 5, Tensors[1].Bytes))
            .Const("step", 9, [4], value => Proto.Number(value, 10, 300))
            .Node("conv1/Conv2D", "Conv2D", "x", "conv1/kernel")
            .Const("conv1/Conv2D_bn_offset", 1, [3], value => Proto.Nested(value, 4, Tensors[1].Bytes))
            .Node("bn1/FusedBatchNorm", "BiasAdd", "conv1/Conv2D", "conv1/Conv2D_bn_offset")
            .ToArray();
        ReadDamaged(i => new Mutator(i).Mutate(good));
    }

    // Damage to the file, to a block under a good checksum, and to one entry.
    [Test]
    public void DamagedV1Checkpoints()
    {
        byte[] good = V1Builder.Write(Tensors, rows: 1);
        ReadDamaged(i =>
        {
            Mutator mutator = new(i);
            int target = mutator.Next(4), at = 0;
            byte[] Hook(byte[] part) => at++ == target ? mutator.Mutate(part) : part;
            return (i % 4) switch
            {
                0 => mutator.Mutate(good),
                1 => V1Builder.Write(Tensors, rows: 1, blockHook: Hook),
                _ => V1Builder.Write(Tensors, rows: 1, hook: Hook),
            };
        });
    }

    [Test]
    public void DamagedWhiteningDictionaries()
    {
        NamedTensor[] whitening = [new("mean", [3], [1, 2, 3]), new("eigvec", [2, 3], [1, 0, 0, 0, 1, 0]), new("eigval", [2], [2, 1])];
        byte[][] corpus = [new NumpyDictionaryBuilder(python3: false).Write(whitening), new NumpyDictionaryBuilder(python3: true).Write(whitening)];
        using TempFolder folder = new();
        FuzzRunner.Run(Quarter, i =>
        {
            byte[] bad = new Mutator(i).Mutate(corpus[i % 2]);
            // Without its magic it is no dictionary: that way leads to the native reader of safetensors, which has its own fuzzing.
            if (bad.Length < 6)
            {
                return false;
            }
            corpus[0].AsSpan(0, 6).CopyTo(bad);
            File.WriteAllBytes(folder.File("m.npy"), bad);
            using Whitening read = WhiteningFile.Load(folder.File("m.npy"));
            return read.InputDimension > 0;
        });
    }

    private static void ReadDamaged(Func<int, byte[]> make)
    {
        using TempFolder folder = new();
        FuzzRunner.Run(Quarter, i =>
        {
            File.WriteAllBytes(folder.File("m"), make(i));
            using ITensorSource source = ModelSource.Open(folder.File("m"));
            foreach (TensorEntry tensor in source.Tensors.Where(tensor => tensor.Type != ElementType.Other))
            {
                Assert.That(source.ReadBytes(tensor.Name), Has.Length.EqualTo(tensor.ByteLength), $"case {i}: {tensor.Name}");
            }
            return true;
        });
    }

    // Walks the value as a tree, which must end.
    private static long Nodes(object? value) => value switch
    {
        null or bool or long or double or string or byte[] => 1,
        NpyArray array => array.Bytes.Length >= 0 ? 1 : 0,
        List<object?> list => 1 + list.Sum(Nodes),
        object?[] tuple => 1 + tuple.Sum(Nodes),
        Dictionary<object, object?> dictionary => 1 + dictionary.Values.Sum(Nodes),
        _ => throw new InvalidOperationException($"a pickle gave {value.GetType()}"),
    };
}
