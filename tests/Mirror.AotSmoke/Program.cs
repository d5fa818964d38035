// Smoke test of the bindings under native AOT: loader, marshalling, handles, both kinds of callback, error mapping. Prints
// the version and "ok", or the first thing that is wrong; the exit code is 0 or 1. It decodes nothing.
using Mirror;

return Smoke.Run() is { } failure ? Fail(failure) : Pass();

static int Pass()
{
    Console.WriteLine("ok");
    return 0;
}

static int Fail(string failure)
{
    Console.Error.WriteLine(failure);
    return 1;
}

internal static class Smoke
{
    /// <summary>What is wrong, or null.</summary>
    internal static string? Run()
    {
        Console.WriteLine($"Mirror {MirrorLibrary.Version}, ABI {MirrorLibrary.AbiVersion}");
        int messages = 0;
        MirrorLibrary.SetLog((_, _) => Interlocked.Increment(ref messages));
        using (Device device = Device.Open("auto", 1))
        {
            Console.WriteLine($"{device.Info.Name}, {Networks.Names.Count} networks");
            if (messages == 0)
                return "opening device auto logged nothing";
            if (Search(device) is { } failure)
                return failure;
        }

        MirrorLibrary.SetLog(null);
        try
        {
            Device.Open("abacus").Dispose();
            return "device abacus was opened";
        }
        catch (ArgumentException e) when (e.Message.Contains("abacus", StringComparison.Ordinal))
        {
            return MirrorLibrary.LiveObjects == 0 ? null : $"{MirrorLibrary.LiveObjects} native objects are alive";
        }
    }

    private static string? Search(Device device)
    {
        using var index = new DescriptorIndex(device, regions: 1, dimension: 2);
        index.Add([1, 0, 0, 1, 0.6f, 0.8f]);
        int reports = 0;
        SearchResult result = index.Search([0, 1], new SearchOptions { Top = 2 }, (_, _) => reports++);
        if (!result.Ids.AsSpan().SequenceEqual([1, 2]))
            return $"the search found {string.Join(", ", result.Ids)}, expected 1, 2";
        return reports > 0 ? null : "the search reported no progress";
    }
}
