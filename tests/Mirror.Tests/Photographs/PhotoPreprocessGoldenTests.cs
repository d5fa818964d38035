// From a file to the network's input, the whole way, against the arrays of the original; skipped where the shared folder is absent.

using System.Text.Json;
using Mirror.Photographs;
using Mirror.Tests.Core;
using Mirror.Tests.Formats;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Photographs;

/// <summary>Decoding and preprocessing together, bit for bit.</summary>
public sealed class PhotoPreprocessGoldenTests : NativeFixture
{
    [Test]
    public void DecodeAndPreprocess_EqualsTheOriginal([Range(0, 7)] int number)
    {
        string cases = File.ReadAllText(Paths.SharedOrSkip("golden/preprocess/cases.json"));
        using JsonDocument document = JsonDocument.Parse(cases);
        JsonElement image = document.RootElement.GetProperty("images")[number];
        int size = image.GetProperty("img_size").GetInt32();
        string path = Paths.SharedOrSkip($"golden/preprocess/{image.GetProperty("file").GetString()}");
        float[] expected = Npz.Open(Paths.SharedOrSkip("golden/preprocess/expected.npz"))[$"out{number}"].ToFloat32();

        using Device device = Device.Open("cpu");
        using DecodedPhoto photo = PhotoDecoder.Decode(path);
        float[] output = new float[size * size * 3];
        Operations.Preprocess(device, photo.Image, size, size, [124, 117, 104], output);

        Assert.That(output.AsSpan().SequenceEqual(expected), Is.True, $"largest difference {output.Zip(expected, (a, b) => MathF.Abs(a - b)).Max()}");
    }
}
