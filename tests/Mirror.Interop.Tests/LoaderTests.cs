// The loader: where it looks, what it says when that fails, and that a wrong library is never used. Libraries with a chosen ABI
// number are compiled with gcc where there is one; those tests say so when they are skipped.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using NUnit.Framework;

namespace Mirror.Interop.Tests;

[TestFixture]
public sealed class LoaderTests
{
    private string _folder = "";

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("mirror-loader-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Candidates_WithoutVariable_AreBesideAndRuntimes()
    {
        IReadOnlyList<string> paths = NativeLibraryLoader.CandidatePaths(null, _folder);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(paths, Has.Count.EqualTo(2));
            Assert.That(paths[0], Is.EqualTo(Path.Combine(_folder, NativeLibraryLoader.FileName)));
            Assert.That(Path.GetRelativePath(_folder, paths[1]).Split(Path.DirectorySeparatorChar), Has.Length.EqualTo(4).And.ItemAt(0).EqualTo("runtimes").And.ItemAt(2).EqualTo("native"));
            Assert.That(NativeLibraryLoader.CandidatePaths("", _folder), Is.EqualTo(paths), "an empty variable is none");
        }
    }

    [Test]
    public void Candidates_WithVariable_AreThatFolderAlone()
    {
        IReadOnlyList<string> paths = NativeLibraryLoader.CandidatePaths("relative", _folder);
        Assert.That(paths, Is.EqualTo(new[] { Path.Combine(Environment.CurrentDirectory, "relative", NativeLibraryLoader.FileName) }));
    }

    [Test]
    public void Load_WithoutFile_NamesEveryPathAndAbi()
    {
        IReadOnlyList<string> paths = NativeLibraryLoader.CandidatePaths(null, _folder);
        string message = Assert.Throws<DllNotFoundException>(() => NativeLibraryLoader.Load(paths))!.Message;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(message, Does.Contain($"{paths[0]}: no such file").And.Contain($"{paths[1]}: no such file"));
            Assert.That(message, Does.Contain($"ABI {NativeConstants.AbiVersion} expected").And.Contain(NativeLibraryLoader.DirectoryVariable));
        }
    }

    [Test]
    public void Load_OfGarbage_GivesReasonAndTriesNothingElse()
    {
        string garbage = Path.Combine(_folder, NativeLibraryLoader.FileName);
        File.WriteAllText(garbage, "this is no library");
        string other = Path.Combine(_folder, "other");
        DllNotFoundException e = Assert.Throws<DllNotFoundException>(() => NativeLibraryLoader.Load([garbage, other]))!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(e.Message, Does.Contain(garbage).And.Not.Contain(other));
            Assert.That(e.InnerException, Is.Not.Null);
        }
    }

    [Test]
    public void Load_WithWrongAbi_NamesBothNumbers()
    {
        string library = Compile("uint32_t mirror_abi_version(void) { return 4711; }");
        string message = Assert.Throws<DllNotFoundException>(() => NativeLibraryLoader.Load([library]))!.Message;
        Assert.That(message, Does.Contain($"{library}: has ABI 4711").And.Contain($"ABI {NativeConstants.AbiVersion} expected"));
    }

    [Test]
    public void Load_OfForeignLibrary_SaysSo()
    {
        string library = Compile("int32_t something_else(void) { return 0; }");
        string message = Assert.Throws<DllNotFoundException>(() => NativeLibraryLoader.Load([library]))!.Message;
        Assert.That(message, Does.Contain($"{library}: has no mirror_abi_version"));
    }

    [Test]
    public void Load_FromNonAsciiFolder_Works()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "Größe 鏡 с пробелом")).FullName;
        string library = Compile(string.Create(CultureInfo.InvariantCulture, $"uint32_t mirror_abi_version(void) {{ return {NativeConstants.AbiVersion}; }}"), folder);
        nint handle = NativeLibraryLoader.Load(NativeLibraryLoader.CandidatePaths(folder, _folder));
        Assert.That(handle, Is.Not.Zero, library);
        NativeLibrary.Free(handle);
    }

    [Test]
    public void Load_SkipsMissing_TakesFirstExisting()
    {
        string library = Compile(string.Create(CultureInfo.InvariantCulture, $"uint32_t mirror_abi_version(void) {{ return {NativeConstants.AbiVersion}; }}"));
        nint handle = NativeLibraryLoader.Load([Path.Combine(_folder, "missing.so"), library]);
        Assert.That(handle, Is.Not.Zero);
        NativeLibrary.Free(handle);
    }

    private string Compile(string code, string? folder = null)
    {
        if (OperatingSystem.IsWindows())
            Assert.Ignore("skipped: stub libraries are compiled with gcc, which this test does not look for on Windows");
        string source = Path.Combine(_folder, "stub.c");
        string library = Path.Combine(folder ?? _folder, NativeLibraryLoader.FileName);
        File.WriteAllText(source, $"#include <stdint.h>\n{code}\n");
        try
        {
            using Process gcc = Process.Start(new ProcessStartInfo("gcc", ["-shared", "-fPIC", "-o", library, source]))!;
            gcc.WaitForExit();
            Assert.That(gcc.ExitCode, Is.Zero, "gcc could not compile the stub");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            Assert.Ignore($"skipped: no gcc to compile a stub library with ({e.Message})");
        }

        return library;
    }
}
