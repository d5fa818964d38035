// Holds mirror.h and the bindings together, and proves on doctored headers that the comparison would notice. Needs no native library.
using NUnit.Framework;

namespace Mirror.Interop.Tests;

[TestFixture]
public sealed class HeaderTests
{
    private static readonly string Header = File.ReadAllText(Repository.Path("native", "include", "mirror", "mirror.h"));

    [Test]
    public void Bindings_MatchMirrorHeader() => Assert.That(HeaderComparison.Differences(Header), Is.Empty);

    [Test]
    public void Parser_FindsEverything()
    {
        HeaderParser header = HeaderParser.Parse(Header);
        using (Assert.EnterMultipleScope())
        {
            // Counted with other means: each of these words opens exactly one declaration.
            Assert.That(header.Functions, Has.Count.EqualTo(Header.Split("\nMIRROR_API ").Length - 1));
            Assert.That(header.Structs.Count + header.Opaque.Count, Is.EqualTo(Header.Split("\ntypedef struct ").Length - 1));
            Assert.That(header.Opaque, Has.Count.EqualTo(5));
            Assert.That(header.Callbacks, Has.Count.EqualTo(2));
        }
    }

    [TestCase("mirror_set_log(mirror_log_fn callback, void* user_data);", "mirror_set_log(mirror_log_fn callback);", "mirror_set_log has 2 parameters, mirror.h 1")]
    [TestCase("int64_t mirror_live_objects", "int32_t mirror_live_objects", "mirror_live_objects returns System.Int64")]
    [TestCase("const float* rows, int64_t count, int32_t dim, const mirror_whitening", "const double* rows, int64_t count, int32_t dim, const mirror_whitening", "mirror_whitening_fit: rows is System.Single*")]
    [TestCase("float alpha, float beta", "float alpha, double beta", "mirror_lrn: beta is System.Single")]
    [TestCase("mirror_whitening_apply(const mirror_whitening* whitening, mirror_device*", "mirror_whitening_apply(const mirror_whitening* whitening, mirror_model*", "mirror_whitening_apply: device is declared Mirror.Interop.DeviceHandle")]
    [TestCase("MIRROR_API uint32_t mirror_abi_version(void);", "", "mirror_abi_version is bound but not in mirror.h")]
    [TestCase("MIRROR_API uint32_t mirror_abi_version(void);", "MIRROR_API uint32_t mirror_abi_version(void); MIRROR_API void mirror_extra(void);", "mirror_extra is not bound")]
    [TestCase("MIRROR_API int32_t mirror_network_count(void);\nMIRROR_API const char* mirror_network_name(int32_t index);", "MIRROR_API const char* mirror_network_name(int32_t index);\nMIRROR_API int32_t mirror_network_count(void);", "mirror_network_count is bound where mirror.h has mirror_network_name")]
    [TestCase("uint64_t memory_bytes;", "uint32_t memory_bytes;", "mirror_device_info.memory_bytes is System.UInt64")]
    [TestCase("char name[128];", "char name[64];", "mirror_device_info.name has length 128, mirror.h 64")]
    [TestCase("int32_t min_size; ", "int32_t smallest; ", "mirror_model_info.smallest is called MinSize")]
    [TestCase("int64_t stride; ", "int64_t stride, gap; ", "mirror_image has 6 fields, mirror.h 7")]
    [TestCase("int32_t step, y, x, height, width;", "int32_t step, x, y, height, width;", "mirror_region.x is called Y")]
    [TestCase("typedef int32_t (*mirror_progress_fn)(int64_t done", "typedef int32_t (*mirror_progress_fn)(int32_t done", "mirror_progress_fn: done is System.Int64")]
    [TestCase("#define MIRROR_E_NOT_FOUND (-2)", "#define MIRROR_E_NOT_FOUND (-3)", "MIRROR_E_NOT_FOUND is -2, mirror.h -3")]
    [TestCase("#define MIRROR_ABI_VERSION 3u", "#define MIRROR_ABI_VERSION 4u", "MIRROR_ABI_VERSION is 3, mirror.h 4")]
    [TestCase("#define MIRROR_POOL_L2 2", "", "RegionPooling.L2 is bound but not in mirror.h")]
    [TestCase("#define MIRROR_MAX_STEPS 8", "#define MIRROR_MAX_STEPS 8\n#define MIRROR_FRESH 1", "MIRROR_FRESH is not bound")]
    public void ChangedHeader_IsNoticed(string original, string changed, string expected)
    {
        Assert.That(Header, Does.Contain(original), "the case is out of date");
        string doctored = Header.Replace(original, changed, StringComparison.Ordinal);
        Assert.That(HeaderComparison.Differences(doctored), Has.Some.StartsWith(expected));
    }

    [Test]
    public void UnknownDeclaration_IsRefused() =>
        Assert.That(() => HeaderParser.Parse("typedef union mirror_u { int32_t a; } mirror_u;"), Throws.TypeOf<FormatException>());
}
