"""The console: a Textual application that hangs on a running daemon."""
