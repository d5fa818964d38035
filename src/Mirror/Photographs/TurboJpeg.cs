// The system's libturbojpeg (TurboJPEG API 2), loaded at first use: the only decoder at hand with JDCT_IFAST.

using System.Runtime.InteropServices;

namespace Mirror.Photographs;

/// <summary>Decodes JPEG files as TensorFlow 1 did.</summary>
internal static unsafe class TurboJpeg
{
    private const string Name = "libjpeg-turbo";
    private const int PixelRgb = 0;
    private const int PixelGray = 6;
    private const int PixelCmyk = 11;
    private const int ColorspaceGray = 2;
    private const int ColorspaceCmyk = 3;
    private const int ColorspaceYcck = 4;
    private const int FastTransform = 2048;
    private const int StopOnWarning = 8192;

    private static readonly string[] Files = OperatingSystem.IsWindows() ? ["turbojpeg.dll", "libturbojpeg.dll"]
        : OperatingSystem.IsMacOS() ? ["libturbojpeg.0.dylib", "libturbojpeg.dylib"]
        : ["libturbojpeg.so.0"];

    private static readonly Lazy<Functions?> Library = new(Load);

    /// <summary>Refuses, naming the remedy, where the library is not installed.</summary>
    /// <exception cref="DllNotFoundException">It is not.</exception>
    internal static void Require() => _ = Loaded;

    /// <summary>Decodes a file as stored: <see cref="PixelFormat.Gray8"/> for grey files, else <see cref="PixelFormat.Rgb8"/>; CMYK by the original's rule.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="file">Its bytes.</param>
    /// <param name="hasAdobeMarker">Whether CMYK values are stored inverted.</param>
    /// <exception cref="PhotoException">The file is damaged, truncated or too large.</exception>
    /// <exception cref="DllNotFoundException">The library is not installed.</exception>
    internal static Stored Decode(string path, ReadOnlySpan<byte> file, bool hasAdobeMarker)
    {
        var library = Loaded;
        var handle = library.InitDecompress();
        if (handle == 0)
        {
            throw new InsufficientMemoryException($"{path}: libturbojpeg could not start: out of memory");
        }

        try
        {
            fixed (byte* bytes = file)
            {
                int width, height, subsampling, colorspace;
                var length = new CULong((uint)file.Length);
                if (library.DecompressHeader(handle, bytes, length, &width, &height, &subsampling, &colorspace) != 0)
                {
                    throw Refused(library, handle, path);
                }

                PhotoDecoder.CheckSize(path, width, height, file.Length);
                var cmyk = colorspace is ColorspaceCmyk or ColorspaceYcck;
                var (format, layout) = cmyk ? (PixelFormat.Rgba8, PixelCmyk) : colorspace == ColorspaceGray ? (PixelFormat.Gray8, PixelGray) : (PixelFormat.Rgb8, PixelRgb);
                var image = new PixelImage(width, height, format);
                int failed;
                fixed (byte* pixels = image.Pixels)
                {
                    failed = library.Decompress(handle, bytes, length, pixels, width, image.Stride, height, layout, FastTransform | StopOnWarning);
                }

                if (failed != 0)
                {
                    image.Dispose();
                    throw Refused(library, handle, path);
                }

                if (cmyk)
                {
                    CmykRule.ToRgba(image.Pixels, hasAdobeMarker);
                }

                return new Stored(image, width, height, 1, Name);
            }
        }
        finally
        {
            library.Destroy(handle);
        }
    }

    private static Functions Loaded => Library.Value ?? throw new DllNotFoundException(
        $"decoding as the original did (--compat mirror) needs libjpeg-turbo's {Files[0]}, which is not installed: apt-get install libturbojpeg0 (Debian) or libturbojpeg (Ubuntu), or the libjpeg-turbo of your system");

    private static PhotoException Refused(Functions library, nint handle, string path) =>
        new(path, $"corrupt or truncated Jpeg file: {Marshal.PtrToStringUTF8((nint)library.ErrorText(handle))}");

    private static Functions? Load()
    {
        foreach (var file in Files)
        {
            if (NativeLibrary.TryLoad(file, out var library))
            {
                return new Functions(library);
            }
        }

        return null;
    }

    private sealed class Functions(nint library)
    {
        public readonly delegate* unmanaged[Cdecl]<nint> InitDecompress = (delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, "tjInitDecompress");

        public readonly delegate* unmanaged[Cdecl]<nint, byte*, CULong, int*, int*, int*, int*, int> DecompressHeader =
            (delegate* unmanaged[Cdecl]<nint, byte*, CULong, int*, int*, int*, int*, int>)NativeLibrary.GetExport(library, "tjDecompressHeader3");

        public readonly delegate* unmanaged[Cdecl]<nint, byte*, CULong, byte*, int, int, int, int, int, int> Decompress =
            (delegate* unmanaged[Cdecl]<nint, byte*, CULong, byte*, int, int, int, int, int, int>)NativeLibrary.GetExport(library, "tjDecompress2");

        public readonly delegate* unmanaged[Cdecl]<nint, byte*> ErrorText = (delegate* unmanaged[Cdecl]<nint, byte*>)NativeLibrary.GetExport(library, "tjGetErrorStr2");

        public readonly delegate* unmanaged[Cdecl]<nint, int> Destroy = (delegate* unmanaged[Cdecl]<nint, int>)NativeLibrary.GetExport(library, "tjDestroy");
    }
}
