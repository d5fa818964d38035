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

    /// <summary>Refuses, before any work, what cannot fit a device or descriptors of a length.</summary>
    /// <param name="device">The device that will search.</param>
    /// <param name="settings">Settings to check.</param>
    /// <param name="dimension">Channels D of the descriptors to come.</param>
    /// <exception cref="ArgumentException">--dim above the descriptor length, or half precision on a CPU.</exception>
    /// <exception cref="InvalidDataException">The whitening file is none, or of another length.</exception>
    public static void CheckFits(Device device, RetrievalSettings settings, int dimension)
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
    }

    private static void RequireDimension(int wanted, int dimension)
    {
        if (wanted > dimension)
        {
            throw new ArgumentException($"--dim is {wanted}, but the descriptors have only {dimension} dimensions: choose at most that");
        }
    }

    private static Whitening LoadWhitening(string file, int dimension)
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
        using var index = new DescriptorIndex(device, database.Regions, database.Dimension, settings.SearchPrecision);
        index.Add(database.Rows);
        var options = new SearchOptions { Top = settings.Top, Similarity = settings.Similarity, Metric = settings.Metric };
        var result = index.Search(queries.Rows, options, Step(progress, "search"), cancellationToken);
        if (settings.ExpandNeighbours == 0)
        {
            return result;
        }

        using var expanded = new FloatBuffer(queries.Rows.Length);
        for (var round = 1; round <= settings.ExpandTimes; round++)
        {
            index.Expand(queries.Rows, result, settings.ExpandNeighbours, expanded);
            result = index.Search(expanded, options, Step(progress, $"search, expansion {round}"), cancellationToken);
        }

        return result;
    }

    // The whitening to apply, or null where none is asked for or the collection is too small for one.
    private static Whitening? PrepareWhitening(
        Device device,
        FeatureSet database,
        RetrievalSettings settings,
        Action<string>? notice,
        Action<long, long>? progress,
        CancellationToken cancellationToken)
    {
        if (!IsWhitened(database, settings, notice))
        {
            return settings.SaveWhitening is { } unsaved
                ? throw new ArgumentException($"--save-whitening {unsaved}: no whitening is used, so there is none to save; give --dim below {database.Count}, or --variance")
                : null;
        }

        Whitening whitening;
        if (settings.WhiteningFile is { } file)
        {
            whitening = LoadWhitening(file, database.Dimension);
        }
        else
        {
            whitening = settings.Dimension is { } dimension
                ? Whitening.Fit(device, database.Rows, database.Dimension, dimension, progress, cancellationToken)
                : Whitening.FitVariance(device, database.Rows, database.Dimension, settings.Variance!.Value, progress, cancellationToken);
        }

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

    private static bool IsWhitened(FeatureSet database, RetrievalSettings settings, Action<string>? notice)
    {
        if (settings.WhiteningFile is not null || settings.Variance is not null)
        {
            return true;
        }

        if (settings.Dimension is not { } dimension)
        {
            return false;
        }

        RequireDimension(dimension, database.Dimension);

        // The original's rule: whitening needs more images than dimensions. It counts images, not regions.
        if (database.Count > dimension)
        {
            return true;
        }

        notice?.Invoke($"no whitening: {database.Count} images are too few to fit {dimension} dimensions (it takes more images than --dim, or --whitening FILE)");
        return false;
    }

    private static Action<long, long>? Step(Action<string, long, long>? progress, string step) =>
        progress is null ? null : (done, total) => progress(step, done, total);
}
