// Descriptors -> ranking, the steps of the original's deep_query.py: normalise, whiten, search, expand and search again.

namespace Mirror.Pipeline;

/// <summary>A finished ranking.</summary>
/// <param name="Result">Ids and scores; scores are sums over regions, not yet divided.</param>
/// <param name="Regions">R: a score is divided by it when written.</param>
/// <param name="WhitenedDimension">Dimension after whitening; null where none was applied.</param>
public sealed record Ranking(SearchResult Result, int Regions, int? WhitenedDimension)
{
    /// <summary>The score as written: the float32 sum divided by R in double precision.</summary>
    /// <param name="query">Query index.</param>
    /// <param name="rank">0 is the best.</param>
    public double Score(int query, int rank) => (double)Result.Scores[((long)query * Result.K) + rank] / Regions;

    /// <summary>Database index at a rank.</summary>
    /// <param name="query">Query index.</param>
    /// <param name="rank">0 is the best.</param>
    public int Id(int query, int rank) => Result.Ids[((long)query * Result.K) + rank];
}

/// <summary>Ranks database images for queries.</summary>
public static class Retrieval
{
    // Measured, see FittedDimension.
    private const int RowsPerDimension = 8;
    private const int LeastLoweredDimension = 64;
    private const string Vectors = "descriptor vectors";

    /// <summary>Whitens (if asked for) and searches. The feature sets are changed in place.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="database">Database descriptors as on disk.</param>
    /// <param name="queries">Query descriptors as on disk; null: every database image is a query.</param>
    /// <param name="settings">See <see cref="RetrievalSettings"/>.</param>
    /// <param name="notice">Called with decisions worth telling.</param>
    /// <param name="progress">Called with (name of the step, done, total).</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ArgumentException">Settings without meaning, or a dimension above the descriptor length.</exception>
    /// <exception cref="InvalidDataException">Queries and database differ in shape.</exception>
    public static Ranking Rank(
        Device device,
        FeatureSet database,
        FeatureSet? queries,
        RetrievalSettings settings,
        Action<string>? notice = null,
        Action<string, long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        if (queries is not null && (queries.Regions, queries.Dimension) != (database.Regions, database.Dimension))
        {
            throw new InvalidDataException(
                $"queries are {queries.Regions} x {queries.Dimension}, the database is {database.Regions} x {database.Dimension}: extract both with the same settings");
        }

        if (settings is { ExpandNeighbours: > 0, ExpandTimes: 0 })
        {
            notice?.Invoke($"--expand {settings.ExpandNeighbours} does nothing: --expand-times is 0, the original's default (--compat mirror)");
        }

        FeatureSet[] sets = queries is null ? [database] : [database, queries];
        if (settings.Metric == Metric.Dot)
        {
            // Distances are taken between raw rows, as in the original.
            Array.ForEach(sets, set => set.Normalize(device));
        }

        using var whitening = PrepareWhitening(device, database, settings, notice, Step(progress, "whitening"), cancellationToken);
        if (whitening is not null)
        {
            Array.ForEach(sets, set => set.Whiten(device, whitening));
        }

        var result = Search(device, database, queries ?? database, settings, progress, cancellationToken);
        return new Ranking(result, database.Regions, whitening?.OutputDimension);
    }

    /// <summary>Refuses, before hours of extraction, what cannot fit a device or the descriptors to come.</summary>
    /// <param name="device">The device that will search.</param>
    /// <param name="settings">Settings to check.</param>
    /// <param name="images">How many images there will be, at most.</param>
    /// <param name="regions">Regions R of their descriptors.</param>
    /// <param name="dimension">Channels D of them.</param>
    /// <exception cref="ArgumentException">--dim above the descriptor length, half precision on a CPU, or too few images for --save-whitening or --variance.</exception>
    /// <exception cref="InvalidDataException">The whitening file is none, or of another length.</exception>
    public static void CheckFits(Device device, RetrievalSettings settings, int images, int regions, int dimension)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        if (settings.SearchPrecision != Precision.Fp32 && !device.Info.IsCuda)
        {
            throw new ArgumentException($"--search-precision {settings.SearchPrecision.ToString().ToLowerInvariant()} needs a GPU, but the device is {device.Info.Name}: leave it out, or choose --device cuda");
        }

        if (settings.Dimension is { } wanted)
        {
            RequireDimension(wanted, dimension);
        }

        if (settings.WhiteningFile is { } file)
        {
            LoadWhitening(file, dimension).Dispose();
        }

        var rows = settings.Aggregation == Aggregation.Regions ? (long)images * regions : images;
        RequireSavable(settings, images, rows);
        if (!settings.Compat && settings.Variance is not null && FittedDimension(1, rows) == 0)
        {
            // Which dimension a share of the variance takes is known only when it is fitted, but it takes at least one.
            throw TooFew(rows, Vectors, 1);
        }
    }

    /// <summary>
    /// The dimension that a whitening outside <see cref="RetrievalSettings.Compat"/> is fitted to: the wanted one where there are 8 rows for
    /// each, else as many as there are 8 rows for, if that is still at least 64; 0: none, comparing descriptors as they are is better.
    /// </summary>
    /// <remarks>
    /// Measured as the mean average precision on 265 real photographs at 448 pixels (half_googlenet). 265 single vectors: 0.822 unwhitened, and
    /// 0.750, 0.780, 0.715, 0.506, 0.071 in 16, 32, 64, 128, 256 dimensions; 133 single vectors: 0.816, and 0.632, 0.715, 0.785, 0.697 in 8, 16, 32, 64.
    /// 53 photographs of 46 regions (2,438 rows): 0.818, and 0.851, 0.893, 0.879 in 64, 128, 256; all 265 (12,190 rows): 0.880, and 0.913, 0.915
    /// in 128, 256. So 8 to 10 rows a dimension suffice, and a whitening to few dimensions loses more than it gains.
    /// </remarks>
    /// <param name="wanted">Dimension asked for, at least 1.</param>
    /// <param name="rows">Row vectors the whitening is fitted on: images times regions.</param>
    public static int FittedDimension(int wanted, long rows)
    {
        var most = rows / RowsPerDimension;
        return wanted <= most ? wanted : most >= LeastLoweredDimension ? (int)most : 0;
    }

    internal static void RequireDimension(int wanted, int dimension)
    {
        if (wanted > dimension)
        {
            throw new ArgumentException($"--dim is {wanted}, but the descriptors have only {dimension} dimensions: choose at most that");
        }
    }

    /// <summary>Loads a whitening for descriptors of a length.</summary>
    /// <param name="file">See <see cref="WhiteningFile.Load"/>.</param>
    /// <param name="dimension">Channels D of the descriptors.</param>
    /// <exception cref="FileNotFoundException">No such file.</exception>
    /// <exception cref="InvalidDataException">The file is no whitening, or one of another length.</exception>
    public static Whitening LoadWhitening(string file, int dimension)
    {
        var whitening = WhiteningFile.Load(file);
        if (whitening.InputDimension == dimension)
        {
            return whitening;
        }

        var found = whitening.InputDimension;
        whitening.Dispose();
        throw new InvalidDataException(
            $"{file} whitens {found} dimensions, the descriptors have {dimension}: fit a whitening on descriptors of the same network");
    }

    private static SearchResult Search(
        Device device,
        FeatureSet database,
        FeatureSet queries,
        RetrievalSettings settings,
        Action<string, long, long>? progress,
        CancellationToken cancellationToken)
    {
        var options = new SearchOptions { Top = settings.Top, Similarity = settings.Similarity, Metric = settings.Metric };
        var expansion = new ExpandOptions
        {
            Neighbours = settings.ExpandNeighbours,
            Alpha = settings.Alpha,
            Pairing = settings.Pairing,
            SignedWeights = settings.Compat,
        };
        using var index = settings.Augment == 0
            ? Index(device, database, database.Rows, settings)
            : Augmented(device, database, settings, options, expansion, Step(progress, "augment"), cancellationToken);
        var result = index.Search(queries.Rows, options, Step(progress, "search"), cancellationToken);
        if (settings.ExpandNeighbours == 0)
        {
            return result;
        }

        // The original goes on by the dot product whatever the metric; outside compat there is no other here.
        var again = options with { Metric = Metric.Dot };
        using var expanded = new FloatBuffer(queries.Rows.Length);
        for (var round = 1; round <= settings.ExpandTimes; round++)
        {
            index.Expand(queries.Rows, result, expansion, expanded);
            result = index.Search(expanded, again, Step(progress, $"search, expansion {round}"), cancellationToken);
        }

        return result;
    }

    private static DescriptorIndex Index(Device device, FeatureSet database, FloatBuffer rows, RetrievalSettings settings)
    {
        var index = new DescriptorIndex(device, database.Regions, database.Dimension, settings.SearchPrecision);
        try
        {
            index.Add(rows);
            return index;
        }
        catch
        {
            index.Dispose();
            throw;
        }
    }

    // An index of every image expanded with its best others (Arandjelovic & Zisserman 2012).
    private static DescriptorIndex Augmented(
        Device device,
        FeatureSet database,
        RetrievalSettings settings,
        SearchOptions options,
        ExpandOptions expansion,
        Action<long, long>? progress,
        CancellationToken cancellationToken)
    {
        using var index = Index(device, database, database.Rows, settings);
        var neighbours = Math.Min(settings.Augment, database.Count - 1);
        var found = index.Search(database.Rows, options with { Top = neighbours + 1 }, progress, cancellationToken);
        using var augmented = new FloatBuffer(database.Rows.Length);
        index.Expand(database.Rows, Others(found, neighbours), expansion with { Neighbours = neighbours }, augmented);
        return Index(device, database, augmented, settings);
    }

    // The results without the image itself, which ranks first but for duplicates.
    private static SearchResult Others(SearchResult found, int count)
    {
        var others = new SearchResult(found.Queries, Math.Max(count, 1), new int[found.Queries * Math.Max(count, 1)], new float[found.Queries * Math.Max(count, 1)]);
        for (var image = 0; image < found.Queries; image++)
        {
            var kept = 0;
            for (var rank = 0; rank < found.K && kept < count; rank++)
            {
                var at = (image * found.K) + rank;
                if (found.Ids[at] != image)
                {
                    (others.Ids[(image * count) + kept], others.Scores[(image * count) + kept]) = (found.Ids[at], found.Scores[at]);
                    kept++;
                }
            }
        }

        return others;
    }

    // The whitening to apply, or null where none is asked for.
    private static Whitening? PrepareWhitening(
        Device device,
        FeatureSet database,
        RetrievalSettings settings,
        Action<string>? notice,
        Action<long, long>? progress,
        CancellationToken cancellationToken)
    {
        if ((settings.Dimension ?? (object?)settings.Variance ?? settings.WhiteningFile) is null)
        {
            return null;
        }

        if (!settings.Compat && settings.Dimension is { } wanted)
        {
            RequireDimension(wanted, database.Dimension);
        }

        RequireSavable(settings, database.Count, database.RowCount);
        if (WhyUnwhitened(settings, database.Count, database.RowCount) is { } why)
        {
            notice?.Invoke($"no whitening: {why}");
            return null;
        }

        var whitening = settings.WhiteningFile is { } file
            ? LoadWhitening(file, database.Dimension)
            : FitWhitening(device, database, settings, notice, progress, cancellationToken);
        try
        {
            notice?.Invoke($"whitening {whitening.InputDimension} -> {whitening.OutputDimension} dimensions"
                + (double.IsNaN(whitening.Explained) ? "" : $", {whitening.Explained:P1} of the variance"));
            if (settings.SaveWhitening is { } save)
            {
                whitening.Save(save);
            }
        }
        catch
        {
            whitening.Dispose();
            throw;
        }

        return whitening;
    }

    /// <summary>Fits a whitening on the rows of a feature set, as they are: normalise them first.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="rows">What to fit on.</param>
    /// <param name="settings">Dimension or variance, and whether by the original's solver; nothing else is used.</param>
    /// <param name="notice">Told where the number of rows lowers the dimension.</param>
    /// <param name="progress">Called with (done, total).</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ArgumentException">Neither dimension nor variance, a dimension above the descriptor length, or rows without variance.</exception>
    public static Whitening FitWhitening(
        Device device,
        FeatureSet rows,
        RetrievalSettings settings,
        Action<string>? notice = null,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Dimension is not { } wanted)
        {
            var share = settings.Variance ?? throw new ArgumentException("a whitening is fitted to --dim N or --variance T: give one");
            var byShare = Whitening.FitVariance(device, rows.Rows, rows.Dimension, share, progress, cancellationToken);
            var most = FittedDimension(byShare.OutputDimension, rows.RowCount);
            if (settings.Compat || most == byShare.OutputDimension)
            {
                return byShare;
            }

            wanted = byShare.OutputDimension;
            byShare.Dispose();
        }

        RequireDimension(wanted, rows.Dimension);
        if (settings.Compat)
        {
            return Whitening.Fit(device, rows.Rows, rows.Dimension, wanted, WhiteningSolver.Auto, progress, cancellationToken);
        }

        var dimension = RequireFitted(wanted, rows.RowCount, Vectors, "; --whitening FILE brings one fitted on more", notice);
        return Whitening.Fit(device, rows.Rows, rows.Dimension, dimension, WhiteningSolver.Exact, progress, cancellationToken);
    }

    /// <summary><see cref="FittedDimension"/> where it is one; else refused.</summary>
    /// <param name="wanted">Dimension asked for, at least 1.</param>
    /// <param name="samples">How many vectors, or pairs of them, a whitening is made from.</param>
    /// <param name="name">What they are.</param>
    /// <param name="elsewhere">Where a whitening made from more could come from, to be added in brackets.</param>
    /// <param name="notice">Told where the dimension is lowered.</param>
    /// <exception cref="ArgumentException">There are too few.</exception>
    internal static int RequireFitted(int wanted, long samples, string name, string elsewhere, Action<string>? notice)
    {
        var dimension = FittedDimension(wanted, samples);
        if (dimension == 0)
        {
            throw TooFew(samples, name, wanted);
        }

        if (dimension < wanted)
        {
            notice?.Invoke($"whitening to {dimension} dimensions instead of {wanted}: {samples} {name} carry no more ({RowsPerDimension} a dimension{elsewhere})");
        }

        return dimension;
    }

    // Why a whitening that is asked for is not used; null where it is.
    private static string? WhyUnwhitened(RetrievalSettings settings, long images, long rows)
    {
        if (settings.Dimension is not { } wanted)
        {
            return null;
        }

        if (!settings.Compat)
        {
            return FittedDimension(wanted, rows) > 0
                ? null
                : $"{rows} descriptor vectors are too few to fit {wanted} dimensions (it takes {RowsPerDimension} a dimension, or --whitening FILE fitted on more)";
        }

        // The original's rule counts images, not regions, and holds for a loaded whitening too.
        var ignored = settings.WhiteningFile is { } file ? $", --whitening {file} is ignored" : "";
        return images > wanted ? null : $"{images} images are not more than {wanted} dimensions, and the original then uses none{ignored} (--compat mirror)";
    }

    private static ArgumentException TooFew(long samples, string name, int wanted)
    {
        var most = samples / RowsPerDimension;
        var (what, remedy) = most == 0 ? ("a whitening", "") : ($"{wanted} dimensions", $", or at most --dim {most}");
        return new ArgumentException($"{samples} {name} are too few to fit {what}: it takes {RowsPerDimension} a dimension; use more images or regions{remedy}");
    }

    private static void RequireSavable(RetrievalSettings settings, long images, long rows)
    {
        if (settings.SaveWhitening is { } file && WhyUnwhitened(settings, images, rows) is { } why)
        {
            throw new ArgumentException($"--save-whitening {file}: no whitening is used, so there is none to save: {why}");
        }
    }

    private static Action<long, long>? Step(Action<string, long, long>? progress, string step) =>
        progress is null ? null : (done, total) => progress(step, done, total);
}
