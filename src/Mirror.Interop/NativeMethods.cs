// Every function of mirror.h, in its order, one line of C each: mirror_a_b is AB here. HeaderTests compares the P/Invokes that
// the compiler makes of these with the header, type by type. Arrays and structs are pointers (the caller pins), handles are
// SafeHandles except where ReleaseHandle destroys them, borrowed strings come back as byte*.
using System.Runtime.InteropServices;

namespace Mirror.Interop;

internal static unsafe partial class NativeMethods
{
    private const string Library = NativeLibraryLoader.LibraryName;

    static NativeMethods() => NativeLibraryLoader.Register();

    // ---- Library ----

    [LibraryImport(Library, EntryPoint = "mirror_abi_version")]
    internal static partial uint AbiVersion();

    [LibraryImport(Library, EntryPoint = "mirror_version")]
    internal static partial byte* Version();

    [LibraryImport(Library, EntryPoint = "mirror_system_info")]
    internal static partial int SystemInfo(byte** outJson);

    [LibraryImport(Library, EntryPoint = "mirror_last_error")]
    internal static partial byte* LastError();

    [LibraryImport(Library, EntryPoint = "mirror_live_objects")]
    internal static partial long LiveObjects();

    [LibraryImport(Library, EntryPoint = "mirror_set_log")]
    internal static partial void SetLog(delegate* unmanaged[Cdecl]<int, byte*, void*, void> callback, void* userData);

    // ---- Devices ----

    [LibraryImport(Library, EntryPoint = "mirror_device_create", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int DeviceCreate(out DeviceHandle device, string name, int threads);

    [LibraryImport(Library, EntryPoint = "mirror_cuda_options_init")]
    internal static partial void CudaOptionsInit(NativeCudaOptions* options);

    [LibraryImport(Library, EntryPoint = "mirror_device_create_cuda")]
    internal static partial int DeviceCreateCuda(out DeviceHandle device, NativeCudaOptions* options);

    [LibraryImport(Library, EntryPoint = "mirror_device_destroy")]
    internal static partial void DeviceDestroy(nint device);

    [LibraryImport(Library, EntryPoint = "mirror_device_get_info")]
    internal static partial int DeviceGetInfo(DeviceHandle device, NativeDeviceInfo* info);

    // ---- Networks and models ----

    [LibraryImport(Library, EntryPoint = "mirror_network_count")]
    internal static partial int NetworkCount();

    [LibraryImport(Library, EntryPoint = "mirror_network_name")]
    internal static partial byte* NetworkName(int index);

    [LibraryImport(Library, EntryPoint = "mirror_network_variables", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int NetworkVariables(string network, NativeTensorInfo* variables, long capacity, long* count);

    [LibraryImport(Library, EntryPoint = "mirror_network_graph", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int NetworkGraph(string network, byte** json);

    [LibraryImport(Library, EntryPoint = "mirror_model_load", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ModelLoad(out ModelHandle model, string path, string? network);

    [LibraryImport(Library, EntryPoint = "mirror_model_destroy")]
    internal static partial void ModelDestroy(nint model);

    [LibraryImport(Library, EntryPoint = "mirror_model_get_info")]
    internal static partial int ModelGetInfo(ModelHandle model, NativeModelInfo* info);

    // ---- Extractor ----

    [LibraryImport(Library, EntryPoint = "mirror_extractor_options_init")]
    internal static partial void ExtractorOptionsInit(NativeExtractorOptions* options);

    [LibraryImport(Library, EntryPoint = "mirror_extractor_create")]
    internal static partial int ExtractorCreate(out ExtractorHandle extractor, DeviceHandle device, ModelHandle model, NativeExtractorOptions* options);

    [LibraryImport(Library, EntryPoint = "mirror_extractor_destroy")]
    internal static partial void ExtractorDestroy(nint extractor);

    [LibraryImport(Library, EntryPoint = "mirror_extractor_get_info")]
    internal static partial int ExtractorGetInfo(ExtractorHandle extractor, NativeExtractorInfo* info);

    [LibraryImport(Library, EntryPoint = "mirror_extractor_run")]
    internal static partial int ExtractorRun(ExtractorHandle extractor, NativeImage* images, long count, float* output, NativeProgress* progress);

    [LibraryImport(Library, EntryPoint = "mirror_extractor_run_input")]
    internal static partial int ExtractorRunInput(ExtractorHandle extractor, float* input, long count, float* output, NativeProgress* progress);

    [LibraryImport(Library, EntryPoint = "mirror_extractor_run_map")]
    internal static partial int ExtractorRunMap(ExtractorHandle extractor, float* input, long count, float* output, NativeProgress* progress);

    // ---- Whitening ----

    [LibraryImport(Library, EntryPoint = "mirror_whitening_options_init")]
    internal static partial void WhiteningOptionsInit(NativeWhiteningOptions* options);

    [LibraryImport(Library, EntryPoint = "mirror_whitening_fit")]
    internal static partial int WhiteningFit(out WhiteningHandle whitening, DeviceHandle device, float* rows, long count, int dim, NativeWhiteningOptions* options);

    [LibraryImport(Library, EntryPoint = "mirror_whitening_create")]
    internal static partial int WhiteningCreate(out WhiteningHandle whitening, double* mean, double* components, double* variances, int outputDim, int inputDim);

    [LibraryImport(Library, EntryPoint = "mirror_whitening_load", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int WhiteningLoad(out WhiteningHandle whitening, string path);

    [LibraryImport(Library, EntryPoint = "mirror_whitening_save", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int WhiteningSave(WhiteningHandle whitening, string path);

    [LibraryImport(Library, EntryPoint = "mirror_whitening_destroy")]
    internal static partial void WhiteningDestroy(nint whitening);

    [LibraryImport(Library, EntryPoint = "mirror_whitening_get_info")]
    internal static partial int WhiteningGetInfo(WhiteningHandle whitening, NativeWhiteningInfo* info);

    [LibraryImport(Library, EntryPoint = "mirror_whitening_get")]
    internal static partial int WhiteningGet(WhiteningHandle whitening, double* mean, double* components, double* variances);

    [LibraryImport(Library, EntryPoint = "mirror_whitening_apply")]
    internal static partial int WhiteningApply(WhiteningHandle whitening, DeviceHandle device, float* rows, long count, float* output);

    // ---- Index ----

    [LibraryImport(Library, EntryPoint = "mirror_search_options_init")]
    internal static partial void SearchOptionsInit(NativeSearchOptions* options);

    [LibraryImport(Library, EntryPoint = "mirror_index_create")]
    internal static partial int IndexCreate(out IndexHandle index, DeviceHandle device, int regions, int dim, int precision);

    [LibraryImport(Library, EntryPoint = "mirror_index_destroy")]
    internal static partial void IndexDestroy(nint index);

    [LibraryImport(Library, EntryPoint = "mirror_index_add")]
    internal static partial int IndexAdd(IndexHandle index, float* rows, long count);

    [LibraryImport(Library, EntryPoint = "mirror_index_size")]
    internal static partial int IndexSize(IndexHandle index, long* size);

    [LibraryImport(Library, EntryPoint = "mirror_index_search")]
    internal static partial int IndexSearch(IndexHandle index, float* queries, long count, NativeSearchOptions* options, int* ids, float* scores);

    [LibraryImport(Library, EntryPoint = "mirror_index_expand")]
    internal static partial int IndexExpand(IndexHandle index, float* queries, long count, int* ids, float* scores, int k, int neighbours, float* output);

    // ---- Single operations ----

    [LibraryImport(Library, EntryPoint = "mirror_preprocess")]
    internal static partial int Preprocess(DeviceHandle device, NativeImage* image, int height, int width, int fit, float* mean, float* output);

    [LibraryImport(Library, EntryPoint = "mirror_window_same")]
    internal static partial int WindowSame(NativeWindow* window, int height, int width);

    [LibraryImport(Library, EntryPoint = "mirror_conv2d")]
    internal static partial int Conv2d(DeviceHandle device, NativeWindow* window, float* x, int n, int h, int w, int inC, float* weights, int outC, float* bias, float* residual, int relu, int precision, float* y);

    [LibraryImport(Library, EntryPoint = "mirror_pool2d")]
    internal static partial int Pool2d(DeviceHandle device, NativeWindow* window, int pool, float* x, int n, int h, int w, int c, float* y);

    [LibraryImport(Library, EntryPoint = "mirror_lrn")]
    internal static partial int Lrn(DeviceHandle device, float* x, long rows, int c, int radius, float alpha, float beta, float bias, float* y);

    [LibraryImport(Library, EntryPoint = "mirror_region_layout")]
    internal static partial int RegionLayout(int mapHeight, int mapWidth, int fit, int* steps, int stepCount, NativeRegion* regions, long capacity, long* count);

    [LibraryImport(Library, EntryPoint = "mirror_region_pool")]
    internal static partial int RegionPool(DeviceHandle device, float* maps, int n, int h, int w, int c, int fit, int* steps, int stepCount, int pool, float gemP, float* output);

    [LibraryImport(Library, EntryPoint = "mirror_l2_normalize")]
    internal static partial int L2Normalize(DeviceHandle device, float* x, long count, int dim, float* y);

    [LibraryImport(Library, EntryPoint = "mirror_similarity")]
    internal static partial int Similarity(DeviceHandle device, float* queries, long nq, float* rows, long nd, int regions, int dim, int similarity, int metric, float* scores);

    [LibraryImport(Library, EntryPoint = "mirror_topk")]
    internal static partial int Topk(DeviceHandle device, float* scores, long rows, long n, int k, int smallest, int* ids, float* values);

    [LibraryImport(Library, EntryPoint = "mirror_gemm")]
    internal static partial int Gemm(DeviceHandle device, float* a, float* b, long m, long n, long k, int precision, float* c);
}
