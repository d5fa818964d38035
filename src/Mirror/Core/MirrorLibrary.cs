// The native library as such: version, build facts, live handles, log. Everything that belongs to no object.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Mirror.Interop;

namespace Mirror;

/// <summary>
/// The native core. It is loaded at first use, from the folder in the environment variable MIRROR_NATIVE_DIR where that is set, else
/// from beside Mirror.Interop.dll or runtimes/&lt;rid&gt;/native under it; every member of Mirror that needs it throws
/// <see cref="DllNotFoundException"/>, with each path tried and the reason, when that fails.
/// </summary>
public static unsafe class MirrorLibrary
{
    private static volatile Sink? s_sink;

    /// <summary>Version of the native core, e.g. "0.1.0".</summary>
    public static string Version => Check.Text(NativeMethods.Version());

    /// <summary>ABI number of the native core; loading has checked that it is the one this assembly was written for.</summary>
    public static uint AbiVersion => NativeMethods.AbiVersion();

    /// <summary>
    /// One JSON object: version, git_hash, compiler, cpu, instruction_sets, libraries (name, version or null, detail), backends.
    /// </summary>
    public static string SystemInfoJson
    {
        get
        {
            byte* json;
            Check.Ok(NativeMethods.SystemInfo(&json));
            return Check.Text(json);
        }
    }

    /// <summary>Native objects created and not yet destroyed, over all threads: for leak tests.</summary>
    public static long LiveObjects => NativeMethods.LiveObjects();

    /// <summary>
    /// The exception that the current log callback threw, or null. A callback that throws is not called again: its exception cannot
    /// pass through native code and is kept here until the next <see cref="SetLog"/>.
    /// </summary>
    public static Exception? LogFailure => s_sink?.Failure;

    /// <summary>Sends the log of the native core to a callback, or nowhere (the start state).</summary>
    /// <param name="callback">
    /// Gets level and message; null for silence. Called from any thread, several at a time; must not call Mirror and should not throw
    /// (see <see cref="LogFailure"/>).
    /// </param>
    public static void SetLog(Action<LogLevel, string>? callback)
    {
        s_sink = callback is null ? null : new Sink(callback);
        NativeMethods.SetLog(callback is null ? null : &OnLog, null);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(int level, byte* message, void* userData)
    {
        // Null where SetLog(null) came between the native core's decision to log and this line.
        Sink? sink = s_sink;
        if (sink is null || sink.Failure is not null)
            return;
        try
        {
            sink.Callback((LogLevel)level, Check.Text(message));
        }
        catch (Exception e)
        {
            sink.Failure = e;
        }
    }

    private sealed class Sink(Action<LogLevel, string> callback)
    {
        internal readonly Action<LogLevel, string> Callback = callback;
        internal volatile Exception? Failure;
    }
}
