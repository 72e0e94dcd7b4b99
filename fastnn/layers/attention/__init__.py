"""Attention: means of values, weighted by how well queries and keys match."""
