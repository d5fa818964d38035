// How `mirror explain` describes its two photographs: as an extraction would, and whitened where a whitening is given.

using System.CommandLine;
using Mirror.Explain;
using Mirror.Pipeline;

namespace Mirror.Cli.Commands;

internal sealed class ExplainOptions
{
    private readonly DescriptorOptions descriptors = new();
    private readonly Option<string?> whitening = new("--whitening") { Description = "A saved whitening, as mirror match --save-whitening leaves it", HelpName = "FILE" };
    private readonly DeviceOptions device = new();

    public void AddTo(Command command)
    {
        descriptors.AddTo(command);
        command.Options.Add(whitening);
        device.AddTo(command);
    }

    public Device OpenDevice(ParseResult parsed, Terminal terminal) => device.Open(parsed, terminal);

    /// <summary>The photographs with their regions; the caller disposes them.</summary>
    public IReadOnlyList<DescribedPhoto> Describe(ParseResult parsed, Device opened, IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        using var model = Model.Load(descriptors.ModelPath(parsed));
        using var fitted = parsed.GetValue(whitening) is { } file ? Retrieval.LoadWhitening(file, model.Info.Channels) : null;
        return DescribedPhoto.Describe(opened, model, descriptors.Settings(parsed, model.Info.Network), fitted, paths, cancellationToken);
    }
}
