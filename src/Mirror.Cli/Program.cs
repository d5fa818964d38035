return await Mirror.Cli.CommandRunner.RunAsync(args).ConfigureAwait(false);
