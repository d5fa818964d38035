// The model that is used when no --model is given: models/default.safetensors beside the command.

namespace Mirror.Cli;

internal static class DefaultModel
{
    public static string Path
    {
        get
        {
            var path = System.IO.Path.Combine(AppContext.BaseDirectory, "models", "default.safetensors");
            return File.Exists(path)
                ? path
                : throw new FileNotFoundException($"the default model is not at {path}: give one with --model, or install Mirror again", path);
        }
    }
}
