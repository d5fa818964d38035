// An exported model in ONNX Runtime's CPU provider: default options, a fixed number of threads, buffers bound once.

using Microsoft.ML.OnnxRuntime;

namespace Mirror.Benchmarks;

internal sealed class OnnxPeer : IDisposable
{
    private readonly SessionOptions options = new() { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL, InterOpNumThreads = 1 };
    private readonly RunOptions run = new();
    private readonly InferenceSession session;
    private readonly OrtValue input;
    private readonly OrtValue output;

    /// <param name="path">What <c>mirror model export --format onnx</c> wrote.</param>
    /// <param name="threads">Threads of one operator.</param>
    /// <param name="image">[1, side, side, 3]; turned into the channels-first order that ONNX wants.</param>
    /// <param name="side">Pixels.</param>
    /// <param name="descriptors">Receives R * D floats at every run.</param>
    /// <param name="regions">R.</param>
    /// <param name="dimension">D.</param>
    public OnnxPeer(string path, int threads, float[] image, int side, float[] descriptors, int regions, int dimension)
    {
        options.IntraOpNumThreads = threads;
        session = new InferenceSession(path, options);
        var planes = new float[image.Length];
        for (var pixel = 0; pixel < side * side; pixel++)
        {
            for (var channel = 0; channel < 3; channel++)
            {
                planes[(channel * side * side) + pixel] = image[(pixel * 3) + channel];
            }
        }

        input = OrtValue.CreateTensorValueFromMemory(planes, [1, 3, side, side]);
        output = OrtValue.CreateTensorValueFromMemory(descriptors, [1, regions, dimension]);
    }

    public static string Version => OrtEnv.Instance().GetVersionString();

    public void Run() => session.Run(run, ["image"], [input], ["descriptors"], [output]);

    public void Dispose()
    {
        output.Dispose();
        input.Dispose();
        session.Dispose();
        run.Dispose();
        options.Dispose();
    }
}
