// A half_googlenet with seeded random weights in a safetensors file, written by hand so that these tests need nothing but the ABI.
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Mirror.Tests.Core;

internal static class TestModel
{
    internal const string Network = "half_googlenet";
    internal const string Origin = "seeded noise, größe 1";

    internal static void Write(string path)
    {
        var random = new Random(20181202);
        var header = new StringBuilder($$"""{"__metadata__":{"network":"{{Network}}","origin":"{{Origin}}"}""");
        long offset = 0;
        List<float[]> tensors = [];
        foreach (TensorShape variable in Networks.Variables(Network))
        {
            long length = variable.Dimensions.Aggregate(1L, (product, dimension) => product * dimension);

            // He's initialisation keeps activations in range through all layers.
            double scale = Math.Sqrt(6.0 * variable.Dimensions[^1] / length);
            tensors.Add([.. Enumerable.Range(0, (int)length).Select(_ => (float)((random.NextDouble() * 2 - 1) * scale))]);
            header.Append(CultureInfo.InvariantCulture, $$""","{{variable.Name}}":{"dtype":"F32","shape":[{{string.Join(',', variable.Dimensions)}}],"data_offsets":[{{offset}},{{offset + length * 4}}]}""");
            offset += length * 4;
        }

        byte[] json = Encoding.UTF8.GetBytes(header.Append('}').ToString());
        using FileStream file = File.Create(path);
        Span<byte> size = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(size, json.Length);
        file.Write(size);
        file.Write(json);
        foreach (float[] tensor in tensors)
            file.Write(MemoryMarshal.AsBytes<float>(tensor));
    }
}
