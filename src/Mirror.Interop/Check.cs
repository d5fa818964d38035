// The one place where a status of the native core becomes a .NET exception. The text comes from mirror_last_error, read
// on the same thread directly after the call that failed.
using System.Runtime.InteropServices;

namespace Mirror.Interop;

internal static unsafe class Check
{
    /// <summary>Returns where status is success, throws its exception where it is not.</summary>
    internal static void Ok(int status)
    {
        if (status != (int)MirrorStatus.Ok)
            throw ToException((MirrorStatus)status, LastError());
    }

    /// <summary>Message of the last failure on this thread; only meaningful directly after a failure.</summary>
    internal static string LastError() => Text(NativeMethods.LastError());

    /// <summary>A borrowed C string as UTF-16; empty for NULL.</summary>
    internal static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    /// <summary>The exception that stands for a failure.</summary>
    internal static Exception ToException(MirrorStatus status, string message)
    {
        string text = message.Length > 0 ? message : $"The native core failed with status {(int)status} and gave no reason.";
        return status switch
        {
            MirrorStatus.InvalidArgument => new ArgumentException(text),
            MirrorStatus.NotFound => new FileNotFoundException(text),
            MirrorStatus.IO => new IOException(text),
            MirrorStatus.Format => new InvalidDataException(text),
            MirrorStatus.OutOfMemory => new InsufficientMemoryException(text),
            MirrorStatus.Cancelled => new OperationCanceledException(text),
            _ => new MirrorException(status, text),
        };
    }
}
