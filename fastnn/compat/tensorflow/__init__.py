"""TensorFlow's words: ``import fastnn.compat.tensorflow as tf`` where a script has ``import tensorflow as tf``.

``tf.keras`` is ``fastnn.keras`` itself, and a tensor a NumPy array with ``.numpy()``.

>>> import fastnn
>>> import fastnn.compat.tensorflow as tf
>>> from fastnn.compat.tensorflow.keras.layers import Dense
>>> tf.keras.layers.Dense is Dense is fastnn.layers.Dense
True
>>> x = tf.Variable(3.0)
>>> with tf.GradientTape() as tape:
...     y = x**2
>>> tape.gradient(y, x).numpy()
np.float32(6.0)
"""

import sys
from typing import TYPE_CHECKING

from ... import absent, keras
from ..._version import __version__ as _version
from ...data import TensorSpec
from ...graph import GradientTape, Tensor
from ...layers.variable import Variable
from . import compat, config, data, debugging, image, io, linalg, math, nn, random, strings
from . import debugging as test
from .compat import get_logger
from .functions import UnconnectedGradients, autograph, custom_gradient, function, group, no_op
from .linalg import einsum, matmul, norm, tensordot
from .math import (
    abs,
    acos,
    add,
    add_n,
    argmax,
    argmin,
    asin,
    atan,
    atan2,
    cos,
    cosh,
    cumsum,
    divide,
    equal,
    exp,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    pow,
    reduce_all,
    reduce_any,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_sum,
    round,
    scalar_mul,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    truediv,
)
from .shaping import (
    argsort,
    boolean_mask,
    broadcast_to,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    concat,
    expand_dims,
    gather,
    gather_nd,
    meshgrid,
    one_hot,
    pad,
    repeat,
    reshape,
    reverse,
    roll,
    scatter_nd,
    searchsorted,
    sequence_mask,
    slice,
    sort,
    split,
    squeeze,
    stack,
    stop_gradient,
    tensor_scatter_nd_add,
    tensor_scatter_nd_update,
    tile,
    transpose,
    unique,
    unique_with_counts,
    unstack,
    where,
)
from .tensors import (
    DType,
    TensorShape,
    as_dtype,
    bool,
    cast,
    constant,
    convert_to_tensor,
    eye,
    fill,
    float16,
    float32,
    float64,
    identity,
    int8,
    int16,
    int32,
    int64,
    is_tensor,
    linspace,
    ones,
    ones_like,
    range,
    rank,
    shape,
    size,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
    zeros,
    zeros_like,
)
from .words import INSTEAD

initializers, losses, metrics, optimizers = keras.initializers, keras.losses, keras.metrics, keras.optimizers
random_normal_initializer, random_uniform_initializer = initializers.RandomNormal, initializers.RandomUniform
zeros_initializer, ones_initializer = initializers.Zeros, initializers.Ones
constant_initializer = initializers.Constant
executing_eagerly = config.functions_run_eagerly
newaxis = None

__all__ = [
    "DType", "GradientTape", "Tensor", "TensorShape", "TensorSpec", "UnconnectedGradients", "Variable", "__version__",
    "abs", "acos", "add", "add_n", "argmax", "argmin", "argsort", "as_dtype", "asin", "atan", "atan2", "autograph",
    "bool", "boolean_mask", "broadcast_to", "cast", "clip_by_global_norm", "clip_by_norm", "clip_by_value", "compat",
    "concat", "config", "constant", "constant_initializer", "convert_to_tensor", "cos", "cosh", "cumsum",
    "custom_gradient", "data", "debugging", "divide", "einsum", "equal", "executing_eagerly", "exp", "expand_dims",
    "eye", "fill", "float16", "float32", "float64", "floor", "function", "gather", "gather_nd", "get_logger",
    "greater", "greater_equal", "group", "identity", "image", "initializers", "int16", "int32", "int64", "int8", "io",
    "is_tensor", "keras", "less", "less_equal", "linalg", "linspace", "logical_and", "logical_not", "logical_or",
    "losses", "math", "matmul", "maximum", "meshgrid", "metrics", "minimum", "multiply", "negative", "nn", "no_op",
    "norm", "not_equal", "one_hot", "ones", "ones_initializer", "ones_like", "optimizers", "pad", "pow", "newaxis",
    "random", "random_normal_initializer", "random_uniform_initializer", "range", "rank", "reduce_all", "reduce_any",
    "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum", "repeat", "reshape",
    "reverse", "roll", "round", "scalar_mul", "scatter_nd", "searchsorted", "sequence_mask", "shape", "sigmoid",
    "sign", "sin", "sinh", "size", "slice", "sort", "split", "sqrt", "square", "squeeze", "stack", "stop_gradient",
    "string", "strings", "subtract", "tan", "tanh", "tensor_scatter_nd_add", "tensor_scatter_nd_update", "tensordot",
    "test", "tile", "transpose", "truediv", "uint16", "uint32", "uint64", "uint8", "unique", "unique_with_counts",
    "unstack", "where", "zeros", "zeros_initializer", "zeros_like",
]  # fmt: skip
__version__ = f"2.21.0+fastnn.{_version}"
"""The TensorFlow whose words these are, for scripts that compare; then that of fastnn."""

for _name in [name for name in sys.modules if name == keras.__name__ or name.startswith(f"{keras.__name__}.")]:
    sys.modules[__name__ + _name.removeprefix("fastnn")] = sys.modules[_name]  # so that import finds them below tf

absent.INSTEAD.update(INSTEAD)

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)
