// All-against-all PR-MAC beside the bare GEMMs that it contains.

using System.Globalization;

namespace Mirror.Cli.Bench;

internal static class SearchBench
{
    private const int Images = 1000;
    private const int Regions = 35;
    private const int Dimension = 256;
    private const int TileRows = 1120;
    private const int TileColumns = 2240;

    public static void Run(Device device, Terminal terminal, CancellationToken cancellationToken)
    {
        var rows = new float[Images * Regions * Dimension];
        Timing.FillNormal(rows, seed: 7);
        Operations.L2Normalize(device, rows, Dimension, rows);
        using var index = new DescriptorIndex(device, Regions, Dimension);
        index.Add(rows);
        var options = new SearchOptions { Top = 200 };

        // Side by side, taking turns, so that a noisy neighbour meets both.
        var (searches, gemms) = (new List<double>(), new List<double>());
        for (var round = 0; round < 5; round++)
        {
            searches.Add(Timing.Median(() => index.Search(rows, options, cancellationToken: cancellationToken), runs: 1, cancellationToken));
            gemms.Add(Timing.Median(() => BareGemms(device, rows, cancellationToken), runs: 1, cancellationToken));
        }

        var ratio = searches.Zip(gemms, (search, gemm) => search / gemm).Order().ElementAt(2);
        var (searchTime, gemmTime) = (searches.Order().ElementAt(2), gemms.Order().ElementAt(2));
        var flops = 2.0 * Images * Regions * Images * Regions * Dimension;
        terminal.Result(string.Create(
            CultureInfo.InvariantCulture,
            $"search {Images} x {Regions} x {Dimension} all against all, top {options.Top}: {searchTime:F3} s ({flops / searchTime / 1e9:F0} GFLOP/s); bare GEMMs {gemmTime:F3} s ({flops / gemmTime / 1e9:F0} GFLOP/s); ratio {ratio:F2}"));
    }

    private static void BareGemms(Device device, float[] rows, CancellationToken cancellationToken)
    {
        const int total = Images * Regions;
        var scores = new float[TileRows * TileColumns];
        for (var i = 0; i < total; i += TileRows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var m = Math.Min(TileRows, total - i);
            for (var j = 0; j < total; j += TileColumns)
            {
                var n = Math.Min(TileColumns, total - j);
                Operations.Gemm(
                    device,
                    rows.AsSpan(i * Dimension, m * Dimension),
                    rows.AsSpan(j * Dimension, n * Dimension),
                    m,
                    n,
                    Dimension,
                    Precision.Fp32,
                    scores.AsSpan(0, m * n));
            }
        }
    }
}
