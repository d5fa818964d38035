// The core's system information, as JSON or as aligned lines.

using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mirror.Cli;

internal static class SystemReport
{
    public static void Write(TextWriter writer, string json, bool asJson)
    {
        var root = JsonNode.Parse(json) as JsonObject ?? throw new JsonException("the native core gave no JSON object");
        if (asJson)
        {
            writer.WriteLine(root.ToJsonString());
            return;
        }

        foreach (var (key, value) in root)
        {
            switch (value)
            {
                case JsonArray array when array.All(item => item is JsonObject):
                    writer.WriteLine($"{key}:");
                    foreach (var item in array)
                    {
                        writer.WriteLine("  " + string.Join("  ", item!.AsObject().Select(field => $"{field.Key}: {Text(field.Value)}")));
                    }

                    break;
                default:
                    writer.WriteLine($"{key,-18} {Text(value)}");
                    break;
            }
        }
    }

    private static string Text(JsonNode? value) => value switch
    {
        null => "not found",
        JsonArray array => string.Join(' ', array.Select(Text)),
        _ => value.ToString(),
    };
}
