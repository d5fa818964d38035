// A COLMAP database, read only. It has no table of candidate pairs: its matches are matched features, and COLMAP passes over every pair that has a row
// there, even an empty one. So pairs are never written into it; it is asked whether it knows the images, and what COLMAP will do with the list.

using Microsoft.Data.Sqlite;

namespace Mirror.Pairs.Export;

/// <summary>What a database says of pairs.</summary>
/// <param name="Images">Images in the database.</param>
/// <param name="WithoutFeatures">Images in a pair for which it has no key points.</param>
/// <param name="AlreadyMatched">Pairs that COLMAP will pass over.</param>
public sealed record DatabaseCheck(int Images, int WithoutFeatures, int AlreadyMatched);

/// <summary>Checks pairs against COLMAP's <c>database.db</c>.</summary>
public static class ColmapDatabase
{
    private const long MaxImages = 2147483647;

    /// <summary>Checks that the database has every image of a pair.</summary>
    /// <param name="path">The database.</param>
    /// <param name="export">The pairs.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no COLMAP database, or of another project: names how many images it lacks, and three.</exception>
    public static DatabaseCheck Check(string path, PairExport export)
    {
        ArgumentNullException.ThrowIfNull(export);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"--database {path}: no such file", path);
        }

        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
            connection.Open();
            return Check(connection, path, export);
        }
        catch (SqliteException failure)
        {
            throw new InvalidDataException($"{path} is no COLMAP database that can be read: {failure.Message}", failure);
        }
    }

    private static DatabaseCheck Check(SqliteConnection connection, string path, PairExport export)
    {
        var ids = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (id, name) in Rows(connection, "SELECT image_id, name FROM images", reader => (reader.GetInt64(0), reader.GetString(1))))
        {
            ids[name] = id;
        }

        var used = export.Used;
        var missing = used.Where(image => !ids.ContainsKey(export.Names[image])).Select(image => export.Names[image]).ToArray();
        if (missing.Length > 0)
        {
            throw new InvalidDataException(
                $"{path} is of another project, or its image path of another folder: it lacks {missing.Length} of {used.Count} images ({NameCheck.ListOf(missing)}), and has {ids.Count} itself ({NameCheck.ListOf([.. ids.Keys.Order(StringComparer.Ordinal)])})");
        }

        var described = Rows(connection, "SELECT image_id FROM keypoints WHERE rows > 0", reader => reader.GetInt64(0)).ToHashSet();
        var matched = Rows(connection, "SELECT pair_id FROM matches", reader => reader.GetInt64(0)).ToHashSet();
        return new DatabaseCheck(
            ids.Count,
            used.Count(image => !described.Contains(ids[export.Names[image]])),
            export.Pairs.Count(pair => matched.Contains(PairId(ids[export.Names[pair.First]], ids[export.Names[pair.Second]]))));
    }

    /// <summary>The key of a pair in COLMAP's tables (its types.h: the smaller id times 2147483647 plus the larger).</summary>
    internal static long PairId(long first, long second) => checked((MaxImages * Math.Min(first, second)) + Math.Max(first, second));

    private static List<T> Rows<T>(SqliteConnection connection, string query, Func<SqliteDataReader, T> read)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this file.
        command.CommandText = query;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}
