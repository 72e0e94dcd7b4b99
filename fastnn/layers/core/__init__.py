"""Core layers: dense, embedding, activations, input and masking."""
