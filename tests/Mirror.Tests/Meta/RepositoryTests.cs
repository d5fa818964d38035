using NUnit.Framework;
using System.Text.RegularExpressions;
using Mirror.Tests.TestSupport;

namespace Mirror.Tests.Meta;

/// <summary>Rules about the code base itself.</summary>
public sealed partial class RepositoryTests
{
    private const int MaxLines = 600;
    private static readonly string[] SourceFolders = ["cmake", "kernels", "native", "src", "tests", "samples", "scripts"];
    private static readonly string[] SourceExtensions = [".cs", ".cpp", ".hpp", ".h", ".c", ".cu", ".cuh", ".inc", ".cmake", ".sh", ".ps1", ".py"];

    [Test]
    public void Sources_NoFileIsLongerThanSixHundredLines() =>
        Assert.That(Sources().Where(path => File.ReadLines(path).Count() > MaxLines), Is.Empty);

    [Test]
    public void Sources_NothingIsLeftToDo() =>
        Assert.That(Sources().Where(path => Unfinished().IsMatch(File.ReadAllText(path))), Is.Empty);

    [Test]
    public void Documents_EveryLinkLeadsToAFile()
    {
        var broken = new List<string>();
        foreach (var document in Directory.EnumerateFiles(Paths.Root, "*.md").Concat(Directory.EnumerateFiles(Path.Combine(Paths.Root, "docs"), "*.md")))
        {
            foreach (Match link in Link().Matches(File.ReadAllText(document)))
            {
                var target = link.Groups[1].Value;
                if (!target.Contains("://", StringComparison.Ordinal) && !Path.Exists(Path.Combine(Path.GetDirectoryName(document)!, target)))
                {
                    broken.Add($"{document}: {target}");
                }
            }
        }

        Assert.That(broken, Is.Empty);
    }

    [Test]
    public void BuildScripts_KnowTheSameVerbs()
    {
        var bash = Verb().Matches(File.ReadAllText(Path.Combine(Paths.Root, "build.sh"))).Select(match => match.Groups[1].Value);
        var powershell = Verb().Matches(File.ReadAllText(Path.Combine(Paths.Root, "build.ps1"))).Select(match => match.Groups[2].Value);
        Assert.That(bash, Is.Not.Empty);
        Assert.That(powershell, Is.EquivalentTo(bash));
    }

    private static IEnumerable<string> Sources() => SourceFolders
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Paths.Root, folder), "*", SearchOption.AllDirectories))
        .Where(path => SourceExtensions.Contains(Path.GetExtension(path)))
        .Where(path => !path.EndsWith("RepositoryTests.cs", StringComparison.Ordinal));

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK|NotImplementedException)\b")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\]\(([^)#\s]+)\)")]
    private static partial Regex Link();

    // "    verb)" in bash, "    "verb" {" in PowerShell.
    [GeneratedRegex("""^ {4}(?:([a-z]+)\)|"([a-z]+)" \{)""", RegexOptions.Multiline)]
    private static partial Regex Verb();
}
