// The benchmark program: what it refuses, and that results too far apart do not pass.

using Mirror.Benchmarks;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Benchmarks;

/// <summary>Arguments and limits of benchmarks/Mirror.Benchmarks.</summary>
public sealed class BenchmarkTests
{
    [TestCase("--round 3", "unknown option --round")]
    [TestCase("--rounds three", "--rounds is 'three'")]
    [TestCase("--rounds", "--rounds is ''")]
    [TestCase("--size 0", "--size is '0', expected a number from 1 to 4096")]
    [TestCase("--threads -2", "--threads is '-2'")]
    [TestCase("half_googlenet vgg", "there is no network 'vgg': expected one of googlenet")]
    [TestCase("random-model half_googlenet", "random-model needs a network and the file")]
    [TestCase("random-model vgg file", "there is no network 'vgg'")]
    public void Parse_WrongArgument_IsRefusedByName(string arguments, string message) =>
        Assert.That(() => BenchmarkSettings.Parse(arguments.Split(' ')), Throws.ArgumentException.With.Message.StartsWith(message));

    [Test]
    public void Parse_OptionsAndNetworks_InAnyOrder()
    {
        var settings = BenchmarkSettings.Parse(["googlenet", "--size", "448", "resnet-50", "--threads", "1"]);
        Assert.That((settings.Threads, settings.Rounds, settings.Size), Is.EqualTo((1, 7, 448)));
        Assert.That(settings.Networks, Is.EqualTo(["googlenet", "resnet-50"]));
        Assert.That(BenchmarkSettings.Parse([]).Networks, Has.Count.EqualTo(3));
    }

    [Test]
    public void Run_UnknownOption_EndsWithTwoAndOneLine()
    {
        var result = MirrorProcess.RunBenchmarks("--fast");
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((2, "")));
        Assert.That(result.Error, Is.EqualTo("error: unknown option --fast: expected --threads, --rounds or --size\n"));
    }

    [TestCase(1e-4, 0.999, 0)]
    [TestCase(1e-4, null, 0)]
    [TestCase(1.1e-4, 0.9999, 1)]
    [TestCase(1e-7, 0.9989, 1)]
    [TestCase(double.NaN, double.NaN, 2)]
    public void Failures_BeyondALimit_AreNamed(double difference, double? cosine, int count) =>
        Assert.That(Agreement.Failures(difference, cosine).Count(), Is.EqualTo(count));
}
