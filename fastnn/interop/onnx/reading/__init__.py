"""From ONNX to models: a file read with care, its sizes worked out, and a table of one function an operator."""
