"""Layers that bring data into the range that networks learn from."""
