"""Threats, each with a test that fails when the defence is taken away."""
