"""Fusion: neighbours in a graph that one kernel computes together.

    Conv2D(relu or linear) [+ relu] + MaxPooling2D   →  one pass, and only the outputs that pooling keeps
    Dense or convolution (linear) + an activation    →  the activation applied as the kernel stores
    BatchNormalization [+ residual] [+ ReLU]         →  one pass
    Dense or convolution + BatchNormalization        →  in inference the norm is folded into the weights
    sum of two + LayerNormalization, RMSNormalization  →  one pass, which gives the sum too where others read it
    x + PositionEmbedding(x), SinePositionEncoding(x)  →  one pass, and no array of vectors that repeat
    final softmax or sigmoid + its crossentropy      →  the loss starts from the logits (the head)
    TimeDistributed(Dense), (an activation)          →  the layer inside, which takes sequences itself

Two nodes join only where the edge between them has a single reader and is not an output of the model.  The user still
holds single layers; ``compile(fuse=False)`` runs them one by one (except the head, which also keeps saturated
predictions learning, as TensorFlow does).
"""

from .head import split_head
from .joining import fused

__all__ = ["fused", "split_head"]
