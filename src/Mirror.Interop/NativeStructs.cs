// The structs of mirror.h, field for field: name "mirror_a_b" is NativeAB here, field "c_d" is CD. A test compares
// names, types and offsets with the header. Structs that start with StructSize are refused where it is not sizeof.
using System.Runtime.InteropServices;

namespace Mirror.Interop;

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeProgress
{
    internal delegate* unmanaged[Cdecl]<long, long, void*, int> Callback;
    internal void* UserData;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeDeviceInfo
{
    internal uint StructSize;
    internal int Kind;
    internal int Threads;
    internal uint Precisions;
    internal uint NativeHalf;
    internal ulong MemoryBytes;
    internal fixed byte Name[128];
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeCudaOptions
{
    internal uint StructSize;
    internal int Ordinal;
    internal void* Context;
    internal void* Stream;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeTensorInfo
{
    internal uint StructSize;
    internal int Rank;
    internal fixed long Dims[4];
    internal fixed byte Name[200];
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeModelInfo
{
    internal uint StructSize;
    internal int Channels;
    internal int MinSize;
    internal int Tensors;
    internal long Parameters;
    internal fixed byte Network[32];
    internal fixed byte Origin[200];
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeImage
{
    internal byte* Data;
    internal int Width;
    internal int Height;
    internal long Stride;
    internal int Format;
    internal int Reserved;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeExtractorOptions
{
    internal uint StructSize;
    internal int Width;
    internal int Height;
    internal int Batch;
    internal int Precision;
    internal int Pool;
    internal int MultiScale;
    internal int Fit;
    internal float GemP;
    internal int StepCount;
    internal fixed int Steps[NativeConstants.MaxSteps];
    internal fixed float Mean[3];
    internal byte* Layer;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeExtractorInfo
{
    internal uint StructSize;
    internal int Regions;
    internal int Dim;
    internal int MapHeight;
    internal int MapWidth;
    internal int Scales;
    internal int Layers;
    internal int ImagesAtOnce;
    internal long ArenaBytes;
    internal long WeightBytes;
    internal double Flops;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeWhiteningOptions
{
    internal uint StructSize;
    internal int Dim;
    internal double Variance;
    internal NativeProgress* Progress;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeWhiteningInfo
{
    internal uint StructSize;
    internal int InputDim;
    internal int OutputDim;
    internal int Reserved;
    internal double Explained;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeSearchOptions
{
    internal uint StructSize;
    internal int Top;
    internal int Similarity;
    internal int Metric;
    internal NativeProgress* Progress;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeWindow
{
    internal uint StructSize;
    internal int KernelH;
    internal int KernelW;
    internal int StrideH;
    internal int StrideW;
    internal int PadTop;
    internal int PadLeft;
    internal int PadBottom;
    internal int PadRight;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeRegion
{
    internal int Step;
    internal int Y;
    internal int X;
    internal int Height;
    internal int Width;
}
