"""Models as ONNX files, and models from ONNX files."""

from .writing.model import export_onnx

__all__ = ["export_onnx"]
