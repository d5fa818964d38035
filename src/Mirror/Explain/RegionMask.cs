// What the original's --mask_pred computed (and never showed): the part of a photograph that regions of another one find, in
// cells of the network's input, brighter where a finer region found it. There for 28 x 28 cells and steps 1, 3, 5; here for any layout.

namespace Mirror.Explain;

/// <summary>Masks of the part of a photograph that another one shows.</summary>
public static class RegionMask
{
    /// <summary>The similarity from which the original counted a match.</summary>
    public const double DefaultThreshold = 0.90;

    private const int White = 255;

    /// <summary>Fills the best region here of each region there that exceeds the threshold; later regions overwrite earlier ones.</summary>
    /// <param name="matches">From each region of the other photograph to its best region here.</param>
    /// <param name="geometry">The regions here; there they have the same steps in the same order.</param>
    /// <param name="threshold">Matches must be more similar than this.</param>
    /// <returns>[<see cref="RegionGeometry.Grid"/>] cells, row by row: 0 not found, else 255 * level / levels, where the level counts the
    /// steps of the other's region from coarse to fine (85, 170, 255 for steps 1, 3, 5).</returns>
    public static byte[] Create(IReadOnlyList<RegionMatch> matches, RegionGeometry geometry, double threshold = DefaultThreshold)
    {
        ArgumentNullException.ThrowIfNull(matches);
        ArgumentNullException.ThrowIfNull(geometry);
        var (height, width) = geometry.Grid;
        var mask = new byte[checked(height * width)];
        foreach (var match in matches.Where(match => match.Similarity > threshold))
        {
            var area = geometry.InInput(match.To);
            var value = (byte)(White * Level(geometry, match.From) / geometry.Steps.Count);
            for (var row = First(area.Top); row < Last(area.Bottom); row++)
            {
                mask.AsSpan(row * width, width)[First(area.Left)..Last(area.Right)].Fill(value);
            }
        }

        return mask;
    }

    /// <summary>Share of the cells that were found, 0..1.</summary>
    /// <param name="mask">Result of <see cref="Create"/>.</param>
    public static double Coverage(ReadOnlySpan<byte> mask) => mask.IsEmpty ? 0 : 1 - ((double)mask.Count((byte)0) / mask.Length);

    private static int Level(RegionGeometry geometry, int region)
    {
        var step = geometry.Regions[region].Cells.Step;
        return 1 + Enumerable.Range(0, geometry.Steps.Count).First(index => geometry.Steps[index] == step);
    }

    private static int First(double pixel) => (int)(pixel / RegionGeometry.CellSide);

    private static int Last(double pixel) => (int)Math.Ceiling(pixel / RegionGeometry.CellSide);
}
