// What a person sees while a command runs: notices and progress on standard error, results on standard output. Progress
// appears only once something has taken two seconds: a bar with rate and remaining time on a terminal, a plain line every
// ten seconds elsewhere.

using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Mirror.Cli;

internal sealed class Terminal(bool json)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);

    private readonly IAnsiConsole error = CreateConsole();
    private readonly Lock gate = new();

    /// <summary>Whether standard output carries one JSON object and nothing else.</summary>
    public bool Json => json;

    /// <summary>One line for the person, on standard error.</summary>
    public void Notice(string line)
    {
        lock (gate)
        {
            error.WriteLine(line);
        }
    }

    /// <summary>One line of the result, on standard output; nothing with --json.</summary>
    public void Result(string line = "")
    {
        if (!json)
        {
            Console.Out.WriteLine(line);
        }
    }

    /// <summary>Runs work that reports (step, done, total) on another thread, and shows its progress.</summary>
    public T Run<T>(string unit, Func<Action<string, long, long>, T> work)
    {
        var state = new ProgressState();
        var task = Task.Factory.StartNew(() => work(state.Report), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (!WaitQuietly(task, Patience))
        {
            if (error.Profile.Out.IsTerminal)
            {
                ShowBar(task, state, unit);
            }
            else
            {
                ShowLines(task, state, unit);
            }
        }

        return task.GetAwaiter().GetResult();
    }

    private static IAnsiConsole CreateConsole()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        if (!console.Profile.Out.IsTerminal)
        {
            // Lines in a file or pipe stay lines: no wrapping at 80 columns.
            console.Profile.Width = int.MaxValue;
        }

        return console;
    }

    private static bool WaitQuietly(Task task, TimeSpan limit) => Task.WhenAny(task, Task.Delay(limit)).GetAwaiter().GetResult() == task;

    private void ShowBar(Task task, ProgressState state, string unit) => error.Progress()
        .AutoClear(true)
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RateColumn(state, unit), new RemainingTimeColumn())
        .Start(context =>
        {
            var bar = context.AddTask("starting");
            while (!WaitQuietly(task, TimeSpan.FromMilliseconds(100)))
            {
                var (step, done, total, _) = state.Read();
                bar.Description = Markup.Escape(step);
                bar.MaxValue = Math.Max(total, 1);
                bar.Value = done;
            }
        });

    private void ShowLines(Task task, ProgressState state, string unit)
    {
        do
        {
            var (step, done, total, rate) = state.Read();
            if (total > 0)
            {
                var left = rate > 0 ? TimeSpan.FromSeconds((total - done) / rate).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture) : "unknown";
                Notice(string.Create(CultureInfo.InvariantCulture, $"{step}: {done} of {total}, {rate:F1} {unit}/s, {left} left"));
            }
        }
        while (!WaitQuietly(task, PlainInterval));
    }

    private sealed class RateColumn(ProgressState state, string unit) : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(string.Create(CultureInfo.InvariantCulture, $"{state.Read().Rate:F1} {unit}/s"));
    }

    // Written by the working thread, read by the one that shows it.
    private sealed class ProgressState
    {
        private readonly Lock gate = new();
        private Stopwatch watch = Stopwatch.StartNew();
        private string step = "starting";
        private long start;
        private long done;
        private long total;

        public void Report(string name, long value, long all)
        {
            lock (gate)
            {
                if (name != step)
                {
                    (step, start, watch) = (name, value, Stopwatch.StartNew());
                }

                (done, total) = (value, all);
            }
        }

        public (string Step, long Done, long Total, double Rate) Read()
        {
            lock (gate)
            {
                var seconds = watch.Elapsed.TotalSeconds;
                return (step, done, total, seconds > 0 ? (done - start) / seconds : 0);
            }
        }
    }
}
