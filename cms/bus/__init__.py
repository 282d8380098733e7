"""Between daemons, and between the core and whoever listens."""
