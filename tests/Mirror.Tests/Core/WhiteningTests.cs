// Whitening through the public API: what PCA promises (unit, decorrelated rows), files, both kinds of memory, refusals.
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Core;

[TestFixture]
public sealed class WhiteningTests : NativeFixture
{
    private const int Rows = 300;
    private const int Input = 12;
    private const int Output = 5;

    [Test]
    public void Fit_GivesOrthonormalComponentsAndFallingVariances()
    {
        using Device device = Device.Open("cpu", 1);
        float[] rows = UnitRows(Rows, Input, 1);
        using Whitening whitening = Whitening.Fit(device, rows, Input, Output);
        WhiteningParameters parameters = whitening.GetParameters();
        using (Assert.EnterMultipleScope())
        {
            Assert.That((whitening.InputDimension, whitening.OutputDimension), Is.EqualTo((Input, Output)));
            Assert.That(whitening.Explained, Is.InRange(0.3, 1.0));
            Assert.That(parameters.Variances.ToArray(), Is.Ordered.Descending.And.All.Positive);
            for (int c = 0; c < Input; c++)
                Assert.That(parameters.Mean.Span[c], Is.EqualTo(rows.Where((_, i) => i % Input == c).Average(x => (double)x)).Within(1e-12));
            for (int i = 0; i < Output; i++)
            {
                for (int j = 0; j <= i; j++)
                    Assert.That(Dot(parameters.Components.Span.Slice(i * Input, Input), parameters.Components.Span.Slice(j * Input, Input)), Is.EqualTo(i == j ? 1 : 0).Within(1e-10));
            }
        }
    }

    [Test]
    public void Apply_IsTheDocumentedFormula()
    {
        using Device device = Device.Open("cpu", 1);
        float[] rows = UnitRows(Rows, Input, 2);
        using Whitening whitening = Whitening.Fit(device, rows, Input, Output);
        var output = new float[Rows * Output];
        whitening.Apply(device, rows, output);
        WhiteningParameters parameters = whitening.GetParameters();
        var expected = new double[Output];
        for (int row = 0; row < Rows; row++)
        {
            double norm = 0;
            for (int i = 0; i < Output; i++)
            {
                double sum = 0;
                for (int c = 0; c < Input; c++)
                    sum += (rows[row * Input + c] - parameters.Mean.Span[c]) * parameters.Components.Span[i * Input + c];
                expected[i] = sum / Math.Sqrt(parameters.Variances.Span[i]);
                norm += expected[i] * expected[i];
            }

            for (int i = 0; i < Output; i++)
                Assert.That(output[row * Output + i], Is.EqualTo(expected[i] / Math.Sqrt(norm)).Within(1e-6));
        }
    }

    [Test]
    public void Buffers_GiveTheSameAsSpans()
    {
        using Device device = Device.Open("cpu", 1);
        float[] rows = UnitRows(Rows, Input, 3);
        using var buffer = new FloatBuffer(rows.Length);
        using var bufferOutput = new FloatBuffer(Rows * Output);
        rows.CopyTo(buffer.Slice(0, rows.Length));
        using Whitening fromSpan = Whitening.Fit(device, rows, Input, Output);
        using Whitening fromBuffer = Whitening.Fit(device, buffer, Input, Output);
        var spanOutput = new float[Rows * Output];
        fromSpan.Apply(device, rows, spanOutput);
        fromBuffer.Apply(device, buffer, bufferOutput);
        Assert.That(bufferOutput.Slice(0, Rows * Output).ToArray(), Is.EqualTo(spanOutput));
    }

    [TestCase(0.5)]
    [TestCase(0.9)]
    public void FitVariance_KeepsTheSmallestSufficientNumber(double variance)
    {
        using Device device = Device.Open("cpu", 1);
        float[] rows = UnitRows(Rows, Input, 4);
        using var buffer = new FloatBuffer(rows.Length);
        rows.CopyTo(buffer.Slice(0, rows.Length));
        using Whitening kept = Whitening.FitVariance(device, rows, Input, variance);
        using Whitening less = Whitening.Fit(device, rows, Input, kept.OutputDimension - 1);
        using Whitening fromBuffer = Whitening.FitVariance(device, buffer, Input, variance);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(kept.Explained, Is.GreaterThan(variance));
            Assert.That(less.Explained, Is.LessThanOrEqualTo(variance));
            Assert.That(fromBuffer.OutputDimension, Is.EqualTo(kept.OutputDimension));
        }
    }

    [Test]
    public void SaveLoadCreate_KeepEveryBit()
    {
        using TempFolder folder = Paths.NewTempFolder();
        string path = folder.File("weißung 白.safetensors");
        using Device device = Device.Open("cpu", 1);
        using Whitening fitted = Whitening.Fit(device, UnitRows(Rows, Input, 5), Input, Output);
        fitted.Save(path);
        using Whitening loaded = Whitening.Load(path);
        WhiteningParameters expected = fitted.GetParameters();
        using Whitening created = Whitening.Create(expected.Mean.Span, expected.Components.Span, expected.Variances.Span);
        using (Assert.EnterMultipleScope())
        {
            foreach (WhiteningParameters actual in new[] { loaded.GetParameters(), created.GetParameters() })
            {
                Assert.That(actual.Mean.ToArray(), Is.EqualTo(expected.Mean.ToArray()));
                Assert.That(actual.Components.ToArray(), Is.EqualTo(expected.Components.ToArray()));
                Assert.That(actual.Variances.ToArray(), Is.EqualTo(expected.Variances.ToArray()));
            }

            Assert.That(created.Explained, Is.NaN);
            Assert.That(Directory.GetFiles(folder.Root), Is.EqualTo(new[] { path }), "the temporary file is still there");
        }
    }

    [Test]
    public void Apply_AfterFittingDeviceDisposed_StillWorks()
    {
        Device fitting = Device.Open("cpu", 1);
        float[] rows = UnitRows(Rows, Input, 6);
        using Whitening whitening = Whitening.Fit(fitting, rows, Input, Output);
        fitting.Dispose();
        using Device device = Device.Open("cpu", 1);
        Assert.That(() => whitening.Apply(device, rows, new float[Rows * Output]), Throws.Nothing);
    }

    [Test]
    public void Fit_Cancelled_Throws()
    {
        using Device device = Device.Open("cpu", 1);
        using var source = new CancellationTokenSource();
        Assert.That(
            () => Whitening.Fit(device, UnitRows(Rows, Input, 7), Input, Output, progress: (_, _) => source.Cancel(), cancellationToken: source.Token),
            Throws.TypeOf<OperationCanceledException>().With.Property("CancellationToken").EqualTo(source.Token));
    }

    [Test]
    public void ImpossibleValues_AreRefusedWithThem()
    {
        using Device device = Device.Open("cpu", 1);
        float[] rows = UnitRows(Rows, Input, 8);
        float[] broken = [.. rows];
        broken[7 * Input + 3] = float.NaN;
        using TempFolder folder = Paths.NewTempFolder();
        using Whitening whitening = Whitening.Fit(device, rows, Input, Output);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => Whitening.Fit(device, rows, Input, 0), Throws.InstanceOf<ArgumentException>());
            Assert.That(() => Whitening.Fit(device, rows, Input, Input + 1), Throws.ArgumentException.With.Message.Contains("13"));
            Assert.That(() => Whitening.Fit(device, rows, 7, Output), Throws.ArgumentException.With.Message.Contains("3600"));
            Assert.That(() => Whitening.Fit(device, broken, Input, Output), Throws.ArgumentException.With.Message.Contains("7"));
            Assert.That(() => Whitening.FitVariance(device, rows, Input, 1.5), Throws.ArgumentException.With.Message.Contains("1.5"));
            Assert.That(() => Whitening.Create([0, 0], [1, 0], [-1]), Throws.ArgumentException.With.Message.Contains("-1"));
            Assert.That(() => Whitening.Create([0, 0], [1, 0, 0], [1]), Throws.ArgumentException.With.Message.Contains("[1, 2]"));
            Assert.That(() => whitening.Apply(device, rows, new float[1]), Throws.ArgumentException);
            Assert.That(() => Whitening.Load(folder.File("missing")), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("missing"));
            Assert.That(() => whitening.Save(folder.File(Path.Combine("no", "such", "folder"))), Throws.InstanceOf<IOException>());
        }
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
