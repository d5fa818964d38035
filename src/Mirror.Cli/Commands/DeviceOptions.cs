// --device and --threads, and --json: what every computing verb takes.

using System.CommandLine;

namespace Mirror.Cli.Commands;

internal sealed class DeviceOptions
{
    private readonly Option<string> device = new("--device") { Description = "auto, cpu, cuda, cuda:N, or cuda:N,M,... for several GPUs", DefaultValueFactory = _ => "auto" };
    private readonly Option<int> threads = new("--threads") { Description = "CPU threads; 0: all that the process may use", DefaultValueFactory = _ => 0 };
    private readonly Option<bool> json = new("--json") { Description = "Print one JSON summary on standard output and nothing else there" };

    /// <summary>Adds the options; a verb without a summary has no --json.</summary>
    public void AddTo(Command command, bool hasSummary = true)
    {
        command.Options.Add(device);
        command.Options.Add(threads);
        if (hasSummary)
        {
            command.Options.Add(json);
        }
    }

    public Device Open(ParseResult parsed, Terminal terminal)
    {
        // "auto" tells what it chose and why through the log.
        MirrorLibrary.SetLog((level, message) =>
        {
            if (level >= LogLevel.Info)
            {
                terminal.Notice(message);
            }
        });
        return Device.Open(parsed.GetRequiredValue(device), parsed.GetValue(threads));
    }

    /// <summary>The terminal of a command that has these options.</summary>
    public static Terminal TerminalFor(ParseResult parsed) => new(parsed.GetValue<bool>("--json"));
}
