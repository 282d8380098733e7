"""A charging station management system: the daemon, its rules and its borders."""

__version__ = "0.1.0"
