"""From models to ONNX: a writer of graphs, a walk over the nodes of a model, and a table of one function a layer."""
