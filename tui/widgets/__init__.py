"""Widgets that paint by lines and send only what changed."""
