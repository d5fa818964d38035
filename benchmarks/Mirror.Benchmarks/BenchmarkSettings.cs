// The arguments of the benchmarks; whatever is not understood is refused, before anything is measured.

using System.Globalization;

namespace Mirror.Benchmarks;

/// <param name="Threads">Threads of each side.</param>
/// <param name="Rounds">Measurements whose median counts.</param>
/// <param name="Size">Pixels.</param>
/// <param name="Networks">What to compare.</param>
/// <param name="ModelFile">Where to write one random model instead; null: compare.</param>
internal sealed record BenchmarkSettings(int Threads, int Rounds, int Size, IReadOnlyList<string> Networks, string? ModelFile)
{
    /// <exception cref="ArgumentException">An unknown option or network, or a value that is missing, no number or out of range.</exception>
    public static BenchmarkSettings Parse(string[] args)
    {
        var settings = new BenchmarkSettings(Threads: 2, Rounds: 7, Size: 896, ["half_googlenet", "googlenet", "resnet-50"], ModelFile: null);
        if (args.FirstOrDefault() == "random-model")
        {
            return args.Length == 3
                ? settings with { Networks = [Network(args[1])], ModelFile = args[2] }
                : throw new ArgumentException("random-model needs a network and the file to write: random-model NETWORK FILE");
        }

        var networks = new List<string>();
        for (var at = 0; at < args.Length; at++)
        {
            switch (args[at])
            {
                case "--threads":
                    settings = settings with { Threads = Number(args, at++, 1024) };
                    break;
                case "--rounds":
                    settings = settings with { Rounds = Number(args, at++, 1000) };
                    break;
                case "--size":
                    settings = settings with { Size = Number(args, at++, 4096) };
                    break;
                case var word when word.StartsWith('-'):
                    throw new ArgumentException($"unknown option {word}: expected --threads, --rounds or --size");
                case var word:
                    networks.Add(Network(word));
                    break;
            }
        }

        return networks.Count > 0 ? settings with { Networks = networks } : settings;
    }

    private static string Network(string name) => Mirror.Networks.Names.Contains(name)
        ? name
        : throw new ArgumentException($"there is no network '{name}': expected one of {string.Join(", ", Mirror.Networks.Names)}");

    private static int Number(string[] args, int at, int most)
    {
        var text = at + 1 < args.Length ? args[at + 1] : "";
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most
            ? number
            : throw new ArgumentException($"{args[at]} is '{text}', expected a number from 1 to {most}");
    }
}
