// Values on the command line: lists, choices, and enums by their lower-case names.

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Mirror.Cli.Commands;

internal static class CommandValues
{
    public static Option<string> Choice(string name, string description, string fallback, params string[] choices)
    {
        var option = new Option<string>(name) { Description = description, DefaultValueFactory = _ => fallback };
        option.AcceptOnlyFromAmong(choices);
        return option;
    }

    public static T Parse<T>(string name)
        where T : struct, Enum => Enum.Parse<T>(name.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);

    public static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <summary>Refuses a value outside its range, naming the option.</summary>
    public static void RequireRange(string option, int value, int least, int most)
    {
        if (value < least || value > most)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{option} is {value}, expected {least} to {most}"));
        }
    }

    /// <summary>"1,3,5" -> [1, 3, 5]; anything else is a parse error.</summary>
    public static int[]? IntegerList(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        var parts = text.Split(',');
        var values = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out values[i]) || values[i] < 1)
            {
                result.AddError($"'{text}' is no list of positive numbers such as 1,3,5");
                return null;
            }
        }

        return values;
    }
}
