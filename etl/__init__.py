"""The intake: sources, ledger, build, publish, export and the command line."""
