"""Convolutions of images and sequences."""
