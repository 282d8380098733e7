"""One file per place of the console."""
