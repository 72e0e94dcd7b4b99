"""Pooling over windows, and over all of an image or sequence."""
