"""fastnn beside PyTorch, JAX, Keras and ONNX Runtime: same weights, same batches, alternating fresh processes.

``models`` says what is run, ``contenders`` who runs it, ``race`` how, ``table`` shows it; ``workers`` holds one script
a framework.
"""
