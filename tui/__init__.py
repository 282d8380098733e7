"""The terminal console: a present picture of the daemon, drawn with Textual."""
