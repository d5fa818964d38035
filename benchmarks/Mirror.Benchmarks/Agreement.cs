// What the results compared must agree to for a measurement to count.

using System.Globalization;

namespace Mirror.Benchmarks;

internal static class Agreement
{
    private const double MostDifference = 1e-4;
    private const double LeastCosine = 0.999;

    /// <summary>What exceeds its limit, in words; NaN exceeds every limit.</summary>
    /// <param name="difference">Largest difference of Mirror's fp32 result to ONNX Runtime's, as a share of the largest value.</param>
    /// <param name="cosine">Lowest cosine between a region in bf16 and in fp32; null where bf16 was not measured.</param>
    public static IEnumerable<string> Failures(double difference, double? cosine)
    {
        if (!(difference <= MostDifference))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"fp32 differs from ONNX Runtime by {difference:E1} of the largest value, more than {MostDifference:E0}");
        }

        if (cosine is { } value && !(value >= LeastCosine))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"the cosine of bf16 to fp32 is {value:F5} in a region, less than {LeastCosine}");
        }
    }
}
