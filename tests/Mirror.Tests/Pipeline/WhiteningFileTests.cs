// Whitenings from either form: the golden --pca_file dictionaries, Python 2, 3 and Fortran order, and what is refused.

using Mirror.Pipeline;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pipeline;

internal sealed class WhiteningFileTests
{
    [TestCase("pca_24d.npy")]
    [TestCase("pca_24d_py2.npy")]
    [TestCase("pca_24d_fortran.npy")]
    public void Load_GoldenDictionary_EqualsTheSafetensorsFile(string name)
    {
        using Whitening expected = WhiteningFile.Load(Paths.Data("deep_query/pca_24d.safetensors"));
        using Whitening actual = WhiteningFile.Load(Paths.SharedOrSkip("golden/deep_query/" + name));
        WhiteningParameters wanted = expected.GetParameters(), found = actual.GetParameters();
        Assert.That((actual.InputDimension, actual.OutputDimension), Is.EqualTo((64, 24)));
        Assert.That(found.Mean.ToArray(), Is.EqualTo(wanted.Mean.ToArray()));
        Assert.That(found.Components.ToArray(), Is.EqualTo(wanted.Components.ToArray()));
        Assert.That(found.Variances.ToArray(), Is.EqualTo(wanted.Variances.ToArray()));
    }

    [TestCase("mean:2 eigvec:1,2 eigval:1", "")]
    [TestCase("mean:2 eigvec:1,2", "no array 'eigval' (there are: eigvec, mean)")]
    [TestCase("mean:3 eigvec:1,2 eigval:1", "eigvec is [1, 2], expected [n, D] = [1, 3]")]
    [TestCase("mean:2 eigvec:2 eigval:1", "eigvec is [2]")]
    [TestCase("mean:2 eigvec:1,2 eigval:1 zero", "variances")]
    public void Load_Dictionary_IsCheckedBeforeUse(string arrays, string message)
    {
        using TempFolder folder = new();
        float value = arrays.Contains("zero", StringComparison.Ordinal) ? 0 : 1;
        IEnumerable<NamedTensor> tensors = arrays.Split(' ').Where(text => text.Contains(':', StringComparison.Ordinal)).Select(text => text.Split(':'))
            .Select(parts => (Name: parts[0], Shape: parts[1].Split(',').Select(long.Parse).ToArray()))
            .Select(array => new NamedTensor(array.Name, array.Shape, [.. Enumerable.Repeat(value, (int)array.Shape.Aggregate(1L, (a, b) => a * b))]));
        File.WriteAllBytes(folder.File("pca.npy"), new NumpyDictionaryBuilder(python3: true).Write(tensors));
        if (message.Length == 0)
        {
            using Whitening whitening = WhiteningFile.Load(folder.File("pca.npy"));
            Assert.That(whitening.InputDimension, Is.EqualTo(2));
            return;
        }
        Assert.That(() => WhiteningFile.Load(folder.File("pca.npy")), Throws.TypeOf<InvalidDataException>().With.Message.Contains("pca.npy").And.Message.Contains(message));
    }

    [Test]
    public void Load_AbsentFile_NamesIt() =>
        Assert.That(() => WhiteningFile.Load("no-such-file.npy"), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("no-such-file.npy"));
}
