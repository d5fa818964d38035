// Version, build facts and the log callback.
using System.Text.Json;
using NUnit.Framework;

namespace Mirror.Tests.Core;

[TestFixture]
public sealed class MirrorLibraryTests : NativeFixture
{
    [TearDown]
    public void Silence() => MirrorLibrary.SetLog(null);

    [Test]
    public void Version_IsTheAssemblys()
    {
        string expected = typeof(MirrorLibrary).Assembly.GetName().Version!.ToString(3);
        Assert.That(MirrorLibrary.Version, Is.EqualTo(expected), "CMakeLists.txt and Directory.Build.props must tell the same version");
        Assert.That(MirrorLibrary.AbiVersion, Is.EqualTo(3u));
    }

    [Test]
    public void SystemInfo_IsJsonWithTheDocumentedMembers()
    {
        using JsonDocument json = JsonDocument.Parse(MirrorLibrary.SystemInfoJson);
        string[] members = [.. json.RootElement.EnumerateObject().Select(member => member.Name)];
        string[] documented = ["version", "git_hash", "compiler", "cpu", "instruction_sets", "libraries", "backends"];
        Assert.That(members, Is.SupersetOf(documented));
    }

    [Test]
    public void Log_TellsWhichDeviceAutoTook_UntilSilenced()
    {
        List<(LogLevel Level, string Message)> messages = [];
        MirrorLibrary.SetLog((level, message) => messages.Add((level, message)));
        Device.Open("auto", 1).Dispose();
        MirrorLibrary.SetLog(null);
        int heard = messages.Count;
        Device.Open("auto", 1).Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(messages, Has.Some.Matches<(LogLevel Level, string Message)>(m => m.Message.Length > 0 && Enum.IsDefined(m.Level)));
            Assert.That(messages, Has.Count.EqualTo(heard), "messages after SetLog(null)");
        }
    }

    [Test]
    public void Log_CallbackThatThrows_IsKeptAndNotCalledAgain()
    {
        int calls = 0;
        MirrorLibrary.SetLog((_, _) =>
        {
            calls++;
            throw new InvalidOperationException("broken sink");
        });
        Device.Open("auto", 1).Dispose();
        Device.Open("auto", 1).Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(calls, Is.EqualTo(1));
            Assert.That(MirrorLibrary.LogFailure, Is.TypeOf<InvalidOperationException>());
        }

        MirrorLibrary.SetLog(null);
        Assert.That(MirrorLibrary.LogFailure, Is.Null);
    }
}
