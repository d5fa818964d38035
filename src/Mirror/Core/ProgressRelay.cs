// Carries the progress callback and the cancellation token of one native call over the C ABI. The native core calls back on the
// calling thread between units of work; an exception of the callback stops the call and is rethrown when it has returned.
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Mirror.Interop;

namespace Mirror;

internal sealed unsafe class ProgressRelay : IDisposable
{
    private readonly Action<long, long>? _progress;
    private readonly CancellationToken _token;
    private GCHandle _self;
    private ExceptionDispatchInfo? _failure;

    /// <exception cref="OperationCanceledException">The token is cancelled already.</exception>
    internal ProgressRelay(Action<long, long>? progress, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        _progress = progress;
        _token = token;
        _self = GCHandle.Alloc(this);
    }

    /// <summary>What the native call gets; valid until <see cref="Dispose"/>.</summary>
    internal NativeProgress Native => new() { Callback = &OnProgress, UserData = (void*)GCHandle.ToIntPtr(_self) };

    /// <summary>Checks the status of the call; call it directly after, on the same thread.</summary>
    internal void Finish(int status)
    {
        _failure?.Throw();
        if (status == (int)MirrorStatus.Cancelled)
            throw new OperationCanceledException(Check.LastError(), _token);
        Check.Ok(status);
    }

    public void Dispose() => _self.Free();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnProgress(long done, long total, void* userData)
    {
        var relay = (ProgressRelay)GCHandle.FromIntPtr((nint)userData).Target!;
        try
        {
            relay._progress?.Invoke(done, total);
        }
        catch (Exception e)
        {
            // No exception may cross native frames: kept for Finish.
            relay._failure = ExceptionDispatchInfo.Capture(e);
            return 1;
        }

        return relay._token.IsCancellationRequested ? 1 : 0;
    }
}
