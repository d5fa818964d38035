// The three ways published programs add up an average precision. All are the area under the precision-recall curve by
// trapezoids, with precision 1 before the first result; they differ in rounding, so each is kept as its program has it.

using System.Globalization;

namespace Mirror.Evaluation;

/// <summary>Area under one precision-recall curve.</summary>
/// <param name="Value">0..1, if no image is ranked twice.</param>
/// <param name="Found">Positives in the ranking.</param>
/// <param name="Judged">Ranked images without the ignored ones.</param>
internal readonly record struct AveragePrecision(double Value, int Found, int Judged)
{
    /// <summary>In double, image by image: compute_overlap_benchmark.py, and Oxford's compute_ap with doubles.</summary>
    /// <param name="ranked">Best first. An image that comes twice counts twice, as in the originals.</param>
    /// <param name="positives">Images that should be found.</param>
    /// <param name="ignored">Images that do not advance the rank.</param>
    /// <param name="total">Positives that recall is measured by, at least 1.</param>
    public static AveragePrecision Trapezoids<T>(IEnumerable<T> ranked, IReadOnlySet<T> positives, IReadOnlySet<T> ignored, int total)
    {
        double precision = 1, recall = 0, area = 0;
        int found = 0, judged = 0;
        foreach (var image in ranked.Where(image => !ignored.Contains(image)))
        {
            found += positives.Contains(image) ? 1 : 0;
            judged++;
            var newRecall = found / (double)total;
            var newPrecision = found / (double)judged;
            area += (newRecall - recall) * (precision + newPrecision) / 2.0;
            (recall, precision) = (newRecall, newPrecision);
        }

        return new AveragePrecision(area, found, judged);
    }

    /// <summary>In float, as Oxford's compute_ap (cpp/oxford5k.h of the original) and printed by C++ with 6 significant digits.</summary>
    /// <inheritdoc cref="Trapezoids{T}"/>
    public static AveragePrecision PrintedFloat<T>(IEnumerable<T> ranked, IReadOnlySet<T> positives, IReadOnlySet<T> ignored, int total)
    {
        float precision = 1, recall = 0, area = 0;
        int found = 0, judged = 0;
        foreach (var image in ranked.Where(image => !ignored.Contains(image)))
        {
            found += positives.Contains(image) ? 1 : 0;
            var newRecall = found / (float)total;
            var newPrecision = (float)(found / (judged + 1.0));
            var width = newRecall - recall;
            var height = precision + newPrecision;
            area = (float)(area + (width * (height / 2.0)));
            (recall, precision) = (newRecall, newPrecision);
            judged++;
        }

        return new AveragePrecision(SixDigits(area), found, judged);
    }

    /// <summary>In double, positive by positive: revisitop's compute_ap and the Holidays evaluation.</summary>
    /// <param name="ranks">0-based ranks of the positives found, ascending.</param>
    /// <param name="total">All positives, at least 1.</param>
    /// <param name="judged">Ranked images that were judged.</param>
    public static AveragePrecision OfRanks(IReadOnlyList<int> ranks, int total, int judged)
    {
        var step = 1.0 / total;
        var area = 0.0;
        for (var n = 0; n < ranks.Count; n++)
        {
            var before = ranks[n] == 0 ? 1.0 : n / (double)ranks[n];
            var after = (n + 1) / (double)(ranks[n] + 1);
            area += (before + after) * step / 2.0;
        }

        return new AveragePrecision(area, ranks.Count, judged);
    }

    /// <summary>The number that C++ prints for a float of 0..1 with its default 6 significant digits: the exact binary value rounded half to even.</summary>
    internal static double SixDigits(float value)
    {
        if (value == 0)
        {
            return 0;
        }

        // 28 decimals tell apart every float of this range from the nearest tie, and decimal keeps them all.
        var exact = decimal.Parse(((double)value).ToString("F28", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var leading = 0;
        for (var rest = exact; rest < 1; rest *= 10)
        {
            leading++;
        }

        return (double)decimal.Round(exact, Math.Min(leading + 5, 28), MidpointRounding.ToEven);
    }
}
