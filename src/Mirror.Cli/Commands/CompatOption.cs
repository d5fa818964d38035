// --compat mirror: one switch, shared by every command, that reproduces the original (MIRorR) instead of improving on it.

using System.CommandLine;

namespace Mirror.Cli.Commands;

internal static class CompatOption
{
    private static readonly Option<string?> Compat = CreateOption();

    public static void AddTo(Command command) => command.Options.Add(Compat);

    /// <summary>Whether the original's numbers are asked for.</summary>
    public static bool IsMirror(ParseResult parsed) => parsed.GetValue(Compat) is not null;

    private static Option<string?> CreateOption()
    {
        var option = new Option<string?>("--compat") { Description = "mirror: reproduce the original MIRorR, its decoder, PCA and rules, instead of Mirror's own", HelpName = "mirror" };
        option.AcceptOnlyFromAmong("mirror");
        return option;
    }
}
