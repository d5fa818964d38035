// mirror info: what is installed here, for a bug report.

using System.CommandLine;

namespace Mirror.Cli.Commands;

internal static class InfoCommand
{
    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON" };

    public static Command Create()
    {
        var command = new Command("info", "Version, devices, instruction sets, libraries") { Json };
        command.SetAction(parsed =>
        {
            SystemReport.Write(Console.Out, MirrorLibrary.SystemInfoJson, parsed.GetValue(Json));
            return ExitCode.Success;
        });
        return command;
    }
}
