"""Recurrent layers and cells, and the wrappers that run layers over time."""
