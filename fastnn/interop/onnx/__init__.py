"""Models as ONNX files, and models from ONNX files."""

from .reading.model import import_onnx
from .writing.model import export_onnx

__all__ = ["export_onnx", "import_onnx"]
