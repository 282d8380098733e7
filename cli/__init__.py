"""The command line: one file per noun, each a thin asker of the control API."""
