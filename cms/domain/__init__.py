"""Decisions. Pure: no await, no I/O, no clock, nothing from outside the standard library."""
