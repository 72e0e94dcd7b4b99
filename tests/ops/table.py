"""Every function of ``fastnn.ops`` on arrays, beside what NumPy gives."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastnn import ops
from tests.ops.harness import apart, bools, integers, positive, reals, shares

__all__ = ["CASES", "UNTRACED", "Case"]


@dataclass(frozen=True)
class Case:
    """A call of one function.

    Attributes
    ----------
    name : str
    ours, numpy : callable of arrays
    draws : tuple of Draw
    slope : bool
        Whether gradients are compared with finite differences; without, they must be none or zero.
    """

    name: str
    ours: Callable
    numpy: Callable
    draws: tuple
    slope: bool = True

    def __repr__(self):
        return f"{self.name}-{'-'.join(map(repr, self.draws))}"


CASES = []
UNTRACED = {  # functions that make arrays of known shapes, or give no arrays: tests of their own
    *("zeros", "ones", "full", "eye", "identity", "tri", "arange", "linspace"),
    *("convert_to_numpy", "is_tensor", "shape", "ndim", "size", "dtype", "TopK", "OPERATORS", "random"),
}


def add(name, numpy, *draws, ours=None, slope=True):
    CASES.append(Case(name, ours or getattr(ops, name), numpy, draws, slope))


def steps(name, numpy, *draws, ours=None):
    add(name, numpy, *draws, ours=ours, slope=False)


# Two operands: equal shapes, stretched on either side, numbers on either side.

PAIRS = [((3, 4), (3, 4)), ((2, 3, 4), (4,)), ((3, 1), (1, 4)), ((), (3,)), ((0, 4), (4,)), ((5, 1, 2), (3, 1))]
for name, function, second in [
    ("add", np.add, reals),
    ("subtract", np.subtract, reals),
    ("multiply", np.multiply, reals),
    ("divide", np.divide, positive),
    ("true_divide", np.divide, positive),
    ("maximum", np.maximum, reals),
    ("minimum", np.minimum, reals),
]:
    for a, b in PAIRS:
        add(name, function, reals(*a), second(*b))
        add(name, function, second(*b), second(*a))
    add(name, lambda x, f=function: f(x, 3), positive(3, 4), ours=lambda x, n=name: getattr(ops, n)(x, 3))
    add(name, lambda x, f=function: f(2.5, x), positive(3, 4), ours=lambda x, n=name: getattr(ops, n)(2.5, x))
    add(name, function, integers(3, 4), integers(4, low=1))
for a, b in PAIRS:
    add("power", np.power, positive(*a), reals(*b))
    steps("floor_divide", np.floor_divide, apart(*a), positive(*b))
    steps("equal", np.equal, integers(*a), integers(*b))
    steps("not_equal", np.not_equal, integers(*a), integers(*b))
    for name in ("greater", "greater_equal", "less", "less_equal"):
        steps(name, getattr(np, name), integers(*a), integers(*b))
    for name in ("logical_and", "logical_or", "logical_xor"):
        steps(name, getattr(np, name), bools(*a), bools(*b))
add("power", lambda x: x**2, reals(3, 4), ours=lambda x: ops.power(x, 2))
add("power", lambda x: x**0.5, positive(3, 4), ours=lambda x: ops.power(x, 0.5))
add("power", lambda x: x**3, reals(3, 4), ours=lambda x: ops.power(x, 3))
add("power", lambda x: 1 / x, reals(3, 4), ours=lambda x: ops.power(x, -1))
add("power", lambda x: 2.0**x, reals(3, 4), ours=lambda x: ops.power(2.0, x))
add("mod", np.mod, apart(3, 4), positive(3, 4), ours=lambda a, b: ops.mod(a, b + 5))
CASES[-1] = Case("mod", CASES[-1].ours, lambda a, b: np.mod(a, b + 5), CASES[-1].draws)
steps("mod", np.mod, integers(3, 4, low=-9, high=9), integers(4, low=1))
steps("greater", lambda x: x > 0.5, reals(3, 4), ours=lambda x: ops.greater(x, 0.5))
steps("less", lambda x: x > 0.5, reals(3, 4), ours=lambda x: ops.less(0.5, x))

# One operand.

sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
softplus = lambda x: np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)  # noqa: E731
erf = np.vectorize(math.erf, otypes=[np.float64])
gelu = lambda x: x * (1 + erf(x / math.sqrt(2))) / 2  # noqa: E731
gelu_tanh = lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))  # noqa: E731
elu = lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))  # noqa: E731
for shape in [(), (7,), (3, 4), (2, 0, 3), (2, 3, 4)]:
    add("negative", np.negative, reals(*shape))
    add("abs", np.abs, apart(*shape))
    add("absolute", np.abs, apart(*shape))
    add("square", np.square, reals(*shape))
    add("sqrt", np.sqrt, positive(*shape))
    add("rsqrt", lambda x: 1 / np.sqrt(x), positive(*shape))
    add("reciprocal", lambda x: 1 / x, positive(*shape))
    for name in ("exp", "expm1", "sin", "cos", "tan", "tanh"):
        add(name, getattr(np, name), reals(*shape, scale=0.7))
    for name in ("log", "log1p", "log2", "log10"):
        add(name, getattr(np, name), positive(*shape))
    add("erf", erf, reals(*shape, scale=2))
    add("relu", lambda x: np.maximum(x, 0), apart(*shape))
    add("relu6", lambda x: np.clip(x, 0, 6), apart(*shape))
    add("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x), apart(*shape))
    add("elu", elu, apart(*shape))
    add("selu", lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772), apart(*shape))
    add("gelu", gelu_tanh, reals(*shape))
    add("gelu", gelu, reals(*shape), ours=lambda x: ops.gelu(x, approximate=False))
    add("silu", lambda x: x * sigmoid(x), reals(*shape))
    add("swish", lambda x: x * sigmoid(x), reals(*shape))
    add("softplus", softplus, reals(*shape))
    add("softsign", lambda x: x / (1 + np.abs(x)), apart(*shape))
    add("sigmoid", sigmoid, reals(*shape))
    add("log_sigmoid", lambda x: -softplus(-x), reals(*shape))
    add("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), reals(*shape))
    for name in ("hard_silu", "hard_swish"):
        add(name, lambda x: x * np.clip(x / 6 + 0.5, 0, 1), reals(*shape))
    add("hard_tanh", lambda x: np.clip(x, -1, 1), reals(*shape))
    add("celu", lambda x: elu(x), apart(*shape))
    add("squareplus", lambda x: (x + np.sqrt(x * x + 4)) / 2, reals(*shape))
    add("sparse_plus", lambda x: np.where(x < -1, 0, np.where(x > 1, x, (x + 1) ** 2 / 4)), reals(*shape))
    add("sparse_sigmoid", lambda x: np.clip((x + 1) / 2, 0, 1), reals(*shape))
    add("tanh_shrink", lambda x: x - np.tanh(x), reals(*shape))
    add("soft_shrink", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0), apart(*shape))
    add("hard_shrink", lambda x: np.where(np.abs(x) > 0.5, x, 0), apart(*shape))
    add("threshold", lambda x: np.where(x > 0.5, x, -1.0), apart(*shape), ours=lambda x: ops.threshold(x, 0.5, -1.0))
    add("stop_gradient", np.copy, reals(*shape), slope=False)
    add("convert_to_tensor", np.copy, reals(*shape))
    for name in ("floor", "ceil", "round", "sign"):
        steps(name, getattr(np, name), apart(*shape))
    for name in ("isnan", "isinf", "isfinite"):
        steps(name, getattr(np, name), reals(*shape))
    steps("logical_not", np.logical_not, bools(*shape))
    steps("zeros_like", np.zeros_like, reals(*shape))
    steps("ones_like", np.ones_like, reals(*shape))
    steps("full_like", lambda x: np.full_like(x, 3), reals(*shape), ours=lambda x: ops.full_like(x, 3))
add("full_like", lambda x, y: np.zeros_like(x) + y, reals(3, 4), reals(), ours=lambda x, y: ops.full_like(x, y))
steps("round", lambda x: np.round(x, 1), reals(3, 4), ours=lambda x: ops.round(x, 1))
add("leaky_relu", lambda x: np.where(x > 0, x, 0.1 * x), apart(3, 4), ours=lambda x: ops.leaky_relu(x, 0.1))
add("elu", lambda x: elu(x, 0.5), apart(3, 4), ours=lambda x: ops.elu(x, 0.5))
add("celu", lambda x: 0.5 * elu(2 * x), apart(3, 4), ours=lambda x: ops.celu(x, 0.5))
add("squareplus", lambda x: (x + np.sqrt(x * x + 1)) / 2, reals(3, 4), ours=lambda x: ops.squareplus(x, 1))
add("soft_shrink", lambda x: x - np.clip(x, -0.3, 0.3), apart(3, 4), ours=lambda x: ops.soft_shrink(x, 0.3))
add("hard_shrink", lambda x: x * (np.abs(x) > 0.3), apart(3, 4), ours=lambda x: ops.hard_shrink(x, 0.3))
for axis, size in ((-1, 2), (1, 3)):
    halves = lambda x, n=size, a=axis: (x.take(range(n), a), x.take(range(n, 2 * n), a))  # noqa: E731
    add(
        "glu",
        lambda x, split=halves: split(x)[0] * sigmoid(split(x)[1]),
        reals(2, 6, 4),
        ours=lambda x, a=axis: ops.glu(x, a),
    )
add("clip", lambda x: np.clip(x, -0.6, 0.7), apart(3, 4), ours=lambda x: ops.clip(x, -0.6, 0.7))
add("clip", lambda x: np.minimum(x, 0.7), apart(3, 4), ours=lambda x: ops.clip(x, None, 0.7))
add("clip", lambda x: np.maximum(x, 0.7), apart(3, 4), ours=lambda x: ops.clip(x, 0.7, None))
add("clip", lambda x, a, b: np.minimum(np.maximum(x, a), b + 3), apart(3, 4), reals(4), positive(3, 1),
    ours=lambda x, a, b: ops.clip(x, a, b + 3))  # fmt: skip
steps("clip", lambda x: np.clip(x, 1, 2), integers(3, 4), ours=lambda x: ops.clip(x, 1, 2))
for dtype in ("float32", "float64", "int64", "bool"):
    steps("cast", lambda x, d=dtype: x.astype(d), integers(3, 4), ours=lambda x, d=dtype: ops.cast(x, d))
add("cast", lambda x: x.astype("float64"), reals(3, 4), ours=lambda x: ops.cast(x, "float64"))
add("convert_to_tensor", lambda x: x * 1.0, reals(3, 4), ours=lambda x: ops.convert_to_tensor(x, "float64"))
for a, b, c in [((3, 4), (3, 4), (3, 4)), ((3, 1), (4,), (1, 4)), ((4,), (), (3, 4))]:
    add("where", np.where, bools(*a), reals(*b), reals(*c))
add("where", lambda c, x: np.where(c, x, -1.5), bools(3, 4), reals(3, 4), ours=lambda c, x: ops.where(c, x, -1.5))

# Reductions.

AXES = [None, 0, -1, 1, (0, 2), (-1, 0), (0, 1, 2), ()]
SHAPE = (2, 3, 4)
logsumexp = lambda x, axis=None, keepdims=False: np.log(np.exp(x).sum(axis, keepdims=keepdims))  # noqa: E731
for axis in AXES:
    for keepdims in (False, True):
        options = {"axis": axis, "keepdims": keepdims}
        for name, draw, function in [
            ("sum", reals, np.sum),
            ("mean", reals, np.mean),
            ("var", reals, np.var),
            ("std", reals, np.std),
            ("max", apart, np.max),
            ("min", apart, np.min),
            ("amax", apart, np.max),
            ("amin", apart, np.min),
            ("prod", reals, np.prod),
            ("logsumexp", reals, logsumexp),
            ("norm", reals, lambda x, axis, keepdims: np.sqrt(np.square(x).sum(axis, keepdims=keepdims))),
        ]:
            slope = not (name == "std" and axis == ())  # each is its own mean: a root at 0
            add(name, lambda x, f=function, o=options: f(x, **o), draw(*SHAPE), slope=slope,
                ours=lambda x, n=name, o=options: getattr(ops, n)(x, **o))  # fmt: skip
        steps("any", lambda x, o=options: np.any(x, **o), bools(*SHAPE), ours=lambda x, o=options: ops.any(x, **o))
        steps("all", lambda x, o=options: np.all(x, **o), bools(*SHAPE), ours=lambda x, o=options: ops.all(x, **o))
    steps("sum", lambda x, a=axis: np.sum(x, a), integers(*SHAPE), ours=lambda x, a=axis: ops.sum(x, a))
    steps("sum", lambda x, a=axis: np.sum(x, a), bools(*SHAPE), ours=lambda x, a=axis: ops.sum(x, a))
    steps("count_nonzero", lambda x, a=axis: np.count_nonzero(x, a) if a != () else (x != 0) * 1, integers(*SHAPE),
          ours=lambda x, a=axis: ops.count_nonzero(x, a))  # fmt: skip
for axis in (None, 0, -1):
    add("cumsum", lambda x, a=axis: np.cumsum(x, a), reals(*SHAPE), ours=lambda x, a=axis: ops.cumsum(x, a))
    for name in ("argmax", "argmin"):
        for keepdims in (False, True):
            steps(name, lambda x, n=name, a=axis, k=keepdims: getattr(np, n)(x, a, keepdims=k), apart(*SHAPE),
                  ours=lambda x, n=name, a=axis, k=keepdims: getattr(ops, n)(x, a, keepdims=k))  # fmt: skip
add("max", lambda x: np.max(x, 0, initial=0.05), apart(3, 4), ours=lambda x: ops.max(x, 0, initial=0.05))
add("min", lambda x: np.min(x, 0, initial=0.05), apart(3, 4), ours=lambda x: ops.min(x, 0, initial=0.05))
for order in (1, 2, 3, np.inf, -np.inf):
    add("norm", lambda x, o=order: np.linalg.norm(x, o, axis=1), apart(3, 4),
        ours=lambda x, o=order: ops.norm(x, o, axis=1))  # fmt: skip
add("norm", lambda x: np.linalg.norm(x, "fro"), reals(3, 4), ours=lambda x: ops.norm(x, "fro"))
add("moments", lambda x: (x.mean((0, 1)), x.var((0, 1))), reals(*SHAPE), ours=lambda x: ops.moments(x, (0, 1)))

# Products.

for a, b in [
    *[((3, 4), (4, 5)), ((3, 4), (4,)), ((4,), (4, 5)), ((4,), (4,)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (4,))],
    *[((2, 3, 4), (2, 4, 5)), ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((4,), (2, 4, 5)), ((0, 4), (4, 5))],
    *[((3, 0), (0, 5)), ((2, 17, 18), (2, 18, 19)), ((2, 1, 17, 18), (3, 18, 19)), ((1, 1), (1, 1)), ((31, 7), (7, 9))],
]:
    add("matmul", np.matmul, reals(*a), reals(*b))
add("matmul", lambda a, b: a @ np.swapaxes(b, -1, -2), reals(2, 3, 17, 18), reals(2, 3, 19, 18),
    ours=lambda a, b: ops.matmul(a, ops.swapaxes(b, -1, -2)))  # fmt: skip
add("matmul", lambda a, b: a.T @ b, reals(9, 8), reals(9, 7), ours=lambda a, b: ops.matmul(ops.transpose(a), b))
add("matmul", lambda a, b: a @ b.T, reals(8, 9), reals(7, 9), ours=lambda a, b: ops.matmul(a, ops.transpose(b)))
large = [reals(2, 66, 64, scale=0.3), reals(2, 64, 65, scale=0.3)]  # these take the kernel, one pair at a time
add("matmul", np.matmul, *large)
add("matmul", lambda a, b: a @ np.swapaxes(b, -1, -2), large[0], reals(3, 1, 65, 64, scale=0.3),
    ours=lambda a, b: ops.matmul(a, ops.swapaxes(b, -1, -2)))  # fmt: skip
add("einsum", lambda a, b: a @ b, *large, ours=lambda a, b: ops.einsum("bij,bjk->bik", a, b))
steps("matmul", np.matmul, integers(3, 4), integers(4, 5))
for a, b in [((4,), (4,)), ((3, 4), (4,)), ((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (5, 4, 6)), ((), (3,))]:
    add("dot", np.dot, reals(*a), reals(*b))
for a, b, axes in [
    *[((2, 3, 4), (3, 4, 5), 2), ((2, 3), (3, 4), 1), ((2, 3), (4,), 0), ((2, 3, 4), (4, 3, 5), ([1, 2], [1, 0]))],
    ((2, 3), (5, 3), (-1, 1)),
]:
    add("tensordot", lambda a, b, x=axes: np.tensordot(a, b, x), reals(*a), reals(*b),
        ours=lambda a, b, x=axes: ops.tensordot(a, b, x))  # fmt: skip
add("outer", np.outer, reals(3), reals(4))
add("outer", np.outer, reals(2, 3), reals(4))
for subscripts, *shapes in [
    ("ij,jk->ik", (3, 4), (4, 5)),
    ("ij,jk", (3, 4), (4, 5)),
    ("bqd,bkd->bqk", (2, 3, 4), (2, 5, 4)),
    ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
    ("bhqk,bkhd->bqhd", (2, 2, 3, 5), (2, 5, 2, 4)),
    ("abc,cd->abd", (2, 3, 4), (4, 5)),
    ("abc,cde->abde", (2, 3, 4), (4, 2, 3)),
    ("ab,abc->bc", (2, 3), (2, 3, 4)),
    ("i,j->ij", (3,), (4,)),
    ("bi,bi->b", (3, 4), (3, 4)),
    ("bi,bj->bij", (3, 4), (3, 5)),
    ("ij,ij->", (3, 4), (3, 4)),
    ("ij,j->j", (3, 4), (4,)),
    ("ij,k->", (3, 4), (2,)),
    ("ij->ji", (3, 4)),
    ("ij->", (3, 4)),
    ("ij->j", (3, 4)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iij,j->i", (3, 3, 4), (4,)),
    ("...d,de->...e", (2, 3, 4), (4, 5)),
    ("...ij,...jk->...ik", (2, 3, 4), (4, 5)),
    ("...ij,...jk", (2, 1, 3, 4), (5, 4, 2)),
    ("b...,b...->...", (2, 3, 4), (2, 3, 4)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("ij,j,j->i", (2, 3), (3,), (3,)),
    ("a,ab,abc->", (2,), (2, 3), (2, 3, 4)),
    ("ij,jk->ik", (0, 4), (4, 5)),
    ("ij,jk->ik", (17, 18), (18, 19)),
    ("bij,bjk->bki", (2, 17, 18), (2, 18, 19)),
]:
    add("einsum", lambda *xs, s=subscripts: np.einsum(s, *xs), *(reals(*shape) for shape in shapes),
        ours=lambda *xs, s=subscripts: ops.einsum(s, *xs))  # fmt: skip
steps("einsum", lambda a, b: a @ b, integers(3, 4), integers(4, 5), ours=lambda a, b: ops.einsum("ij,jk->ik", a, b))

# Shapes.

for shape, new in [((3, 4), (4, 3)), ((3, 4), (-1,)), ((2, 3, 4), (2, -1)), ((3, 4), 12), ((0, 4), (0, 2, 2))]:
    add("reshape", lambda x, n=new: x.reshape(n), reals(*shape), ours=lambda x, n=new: ops.reshape(x, n))
add("reshape", lambda x: x.reshape(2, 12), reals(2, 3, 4), ours=lambda x: ops.reshape(x, (None, -1)))
add("reshape", lambda x: x.reshape(2, 3, 2, 2), reals(2, 3, 4), ours=lambda x: ops.reshape(x, (None, None, 2, 2)))
add("ravel", np.ravel, reals(2, 3, 4))
for axes in (None, (1, 0, 2), (-1, 0, 1)):
    add("transpose", lambda x, a=axes: x.transpose(a), reals(2, 3, 4), ours=lambda x, a=axes: ops.transpose(x, a))
add("swapaxes", lambda x: x.swapaxes(0, -1), reals(2, 3, 4), ours=lambda x: ops.swapaxes(x, 0, -1))
for source, target in [(0, -1), (2, 0), ((0, 1), (1, 2)), ((-1, 0), (0, 2))]:
    add("moveaxis", lambda x, s=source, t=target: np.moveaxis(x, s, t), reals(2, 3, 4),
        ours=lambda x, s=source, t=target: ops.moveaxis(x, s, t))  # fmt: skip
for axis in (0, 1, -1, (0, -1)):
    add(
        "expand_dims", lambda x, a=axis: np.expand_dims(x, a), reals(2, 3), ours=lambda x, a=axis: ops.expand_dims(x, a)
    )
for axis in (None, 0, -1, (0, 2)):
    add("squeeze", lambda x, a=axis: np.squeeze(x, a), reals(1, 3, 1), ours=lambda x, a=axis: ops.squeeze(x, a))
for axis in (None, 0, -1, (0, 1)):
    add("flip", lambda x, a=axis: np.flip(x, a), reals(2, 3), ours=lambda x, a=axis: ops.flip(x, a))
add("roll", lambda x: np.roll(x, 2), reals(2, 3), ours=lambda x: ops.roll(x, 2))
add("roll", lambda x: np.roll(x, (1, -1), (0, 1)), reals(2, 3), ours=lambda x: ops.roll(x, (1, -1), (0, 1)))
for shape, new in [((3, 1), (3, 4)), ((4,), (3, 4)), ((), (2, 2)), ((1, 4), (2, 3, 4))]:
    add(
        "broadcast_to",
        lambda x, n=new: np.broadcast_to(x, n),
        reals(*shape),
        ours=lambda x, n=new: ops.broadcast_to(x, n),
    )
add("broadcast_to", lambda x: np.broadcast_to(x, (3, 4)), reals(3, 1), ours=lambda x: ops.broadcast_to(x, (None, 4)))
for repeats, axis in [(2, None), (3, 0), (2, -1), ([1, 2, 0], 1), ([2], 0)]:
    add("repeat", lambda x, r=repeats, a=axis: np.repeat(x, r, a), reals(2, 3),
        ours=lambda x, r=repeats, a=axis: ops.repeat(x, r, a))  # fmt: skip
for repeats in (2, (2, 3), (2, 1, 3)):
    add("tile", lambda x, r=repeats: np.tile(x, r), reals(2, 3), ours=lambda x, r=repeats: ops.tile(x, r))
for widths in (1, (1, 2), ((0, 1), (2, 0))):
    for mode in ("constant", "reflect", "symmetric", "edge", "wrap"):
        add("pad", lambda x, w=widths, m=mode: np.pad(x, w, m), reals(3, 4),
            ours=lambda x, w=widths, m=mode: ops.pad(x, w, m))  # fmt: skip
add("pad", lambda x: np.pad(x, 1, constant_values=7), reals(3, 4), ours=lambda x: ops.pad(x, 1, constant_values=7))

# Several arrays as one, one as several.

for axis in (0, 1, -1):
    add("concatenate", lambda *xs, a=axis: np.concatenate(xs, a), reals(2, 3), reals(2, 3), reals(2, 3),
        ours=lambda *xs, a=axis: ops.concatenate(xs, a))  # fmt: skip
    add("stack", lambda *xs, a=axis: np.stack(xs, a), reals(2, 3), reals(2, 3),
        ours=lambda *xs, a=axis: ops.stack(xs, a))  # fmt: skip
    add("split", lambda x, a=axis: np.split(x, 2, a), reals(4, 6), ours=lambda x, a=axis: ops.split(x, 2, a))
    add("split", lambda x, a=axis: np.split(x, [1, 3], a), reals(4, 6), ours=lambda x, a=axis: ops.split(x, [1, 3], a))
    add(
        "unstack", lambda x, a=axis: [*np.moveaxis(x, a, 0)], reals(3, 3), ours=lambda x, a=axis: ops.unstack(x, axis=a)
    )
add("concatenate", lambda a, b: np.concatenate([a, b], 1), reals(2, 3), reals(2, 1),
    ours=lambda a, b: ops.concatenate([a, b], 1))  # fmt: skip
add("unstack", lambda x: [x[:, 0], x[:, 1]], reals(3, 2), ours=lambda x: ops.unstack(x, 2, -1))
add("append", lambda a, b: np.append(a, b), reals(2, 3), reals(2))
add("append", lambda a, b: np.append(a, b, 0), reals(2, 3), reals(1, 3), ours=lambda a, b: ops.append(a, b, 0))
add("hstack", lambda a, b: np.hstack([a, b]), reals(2, 3), reals(2, 2), ours=lambda a, b: ops.hstack([a, b]))
add("hstack", lambda a, b: np.hstack([a, b]), reals(3), reals(2), ours=lambda a, b: ops.hstack([a, b]))
add("vstack", lambda a, b: np.vstack([a, b]), reals(2, 3), reals(1, 3), ours=lambda a, b: ops.vstack([a, b]))
add("vstack", lambda a, b: np.vstack([a, b]), reals(3), reals(3), ours=lambda a, b: ops.vstack([a, b]))

# Parts.

KEYS = [
    *[0, -1, slice(1, None), slice(None, None, 2), slice(None, None, -1), None, Ellipsis, (slice(None), -1), (0, 1, 2)],
    *[(Ellipsis, 0), (Ellipsis, None), (None, Ellipsis, slice(1, 3)), (0, slice(None), [0, 2]), [1, 1, 0]],
    *[(slice(None), [0, 1, 1], None, [1, 1, 3]), (slice(None), [0, 1], [1, 1])],
    *[(slice(None), [0, 2, 2]), ([0, 1], [1, 1]), ([0, 1], slice(None), [1, 1]), (0, Ellipsis, [3, 0, 3])],
    *[(slice(None), [[0, 1], [2, 2]]), ([1, 1], None, 0), np.array([[0], [1]]), slice(5, 9), (1, slice(2, 0, -1))],
]
for key in KEYS:
    add("getitem", lambda x, k=key: x[k], reals(2, 3, 4), ours=lambda x, k=key: ops.getitem(x, k))
add("getitem", lambda x, i: x[:, i], reals(2, 3), integers(5, high=3),
    ours=lambda x, i: ops.getitem(x, (slice(None), i)))  # fmt: skip
add("getitem", lambda x, i: x[i], reals(4, 3), integers(2, 5, low=-4), ours=lambda x, i: ops.getitem(x, i))
add("get_item", lambda x: x[1], reals(4, 3), ours=lambda x: ops.get_item(x, 1))
add("slice", lambda x: x[1:3, 0:2], reals(4, 3), ours=lambda x: ops.slice(x, (1, 0), (2, 2)))
for axis in (None, 0, 1, -1):
    add("take", lambda x, i, a=axis: np.take(x, i, a), reals(4, 5, 4), integers(2, 3, low=-4),
        ours=lambda x, i, a=axis: ops.take(x, i, a))  # fmt: skip
add("take", lambda x: np.take(x, 1, 0), reals(4, 5), ours=lambda x: ops.take(x, 1, 0))
for shape, indices, axis in [((4, 5), (4, 2), 1), ((4, 5), (3, 5), 0), ((4, 5, 2), (4, 1, 2), -2), ((1, 4), (3, 2), 1)]:
    add("take_along_axis", lambda x, i, a=axis: np.take_along_axis(x, i, a), reals(*shape), integers(*indices),
        ours=lambda x, i, a=axis: ops.take_along_axis(x, i, a))  # fmt: skip
add("take_along_axis", lambda x, i: np.take_along_axis(x, i, None), reals(2, 3), integers(5),
    ours=lambda x, i: ops.take_along_axis(x, i))  # fmt: skip


def one_hot(x, classes, axis):
    return np.moveaxis((x[..., None] == np.arange(classes)) * 1.0, -1, axis)


for axis in (-1, 0, 1):
    steps("one_hot", lambda x, a=axis: one_hot(x, 5, a), integers(3, 4, low=-1, high=7),
          ours=lambda x, a=axis: ops.one_hot(x, 5, a, dtype="float64"))  # fmt: skip
steps("one_hot", lambda x: one_hot(x, 3, -1) == 1, integers(), ours=lambda x: ops.one_hot(x, 3, dtype="bool"))


def top_k(x, k):
    order = np.argsort(-x, -1)[..., :k]
    return np.take_along_axis(x, order, -1), order


for k in (0, 1, 3):
    add("top_k", lambda x, k=k: top_k(x, k), apart(3, 4), ours=lambda x, k=k: ops.top_k(x, k))
for k in (-1, 0, 1):
    add("tril", lambda x, k=k: np.tril(x, k), reals(2, 3, 4), ours=lambda x, k=k: ops.tril(x, k))
    add("triu", lambda x, k=k: np.triu(x, k), reals(3, 3), ours=lambda x, k=k: ops.triu(x, k))

# Softmax and the losses.


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


for axis in (-1, 0, 1, (1, 2)):
    add("softmax", lambda x, a=axis: softmax(x, a), reals(2, 3, 4), ours=lambda x, a=axis: ops.softmax(x, a))
    add("log_softmax", lambda x, a=axis: np.log(softmax(x, a)), reals(2, 3, 4),
        ours=lambda x, a=axis: ops.log_softmax(x, a))  # fmt: skip


def sparsemax(x, axis):
    """Over each row: τ by bisection."""
    low, high = x.min(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(100):
        middle = (low + high) / 2
        more = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return np.maximum(x - low, 0)


for axis in (-1, 0, (1, 2)):
    add("sparsemax", lambda x, a=axis: sparsemax(x, a), reals(2, 3, 4), ours=lambda x, a=axis: ops.sparsemax(x, a))
for axis in (-1, 0):
    for logits in (False, True):
        p = (lambda y, a: softmax(y, a)) if logits else (lambda y, a: y / y.sum(a, keepdims=True))
        turned = np.transpose if axis == 0 else np.copy  # rows that sum to 1, along the axis

        def turned_too(x, axis=axis):
            return ops.transpose(x) if axis == 0 else x

        add("categorical_crossentropy",
            lambda t, y, a=axis, p=p, f=turned: -(f(t) * np.log(p(f(y), a))).sum(a),
            shares(3, 4), (reals if logits else positive)(3, 4),
            ours=lambda t, y, a=axis, z=logits, f=turned_too: ops.categorical_crossentropy(f(t), f(y), z, a),
        )  # fmt: skip
        add("sparse_categorical_crossentropy",
            lambda t, y, a=axis, p=p, f=turned:
                -np.log(np.take_along_axis(p(f(y), a), np.expand_dims(t, a), a)).squeeze(a),
            integers(3), (reals if logits else shares)(3, 4),
            ours=lambda t, y, a=axis, z=logits, f=turned_too: ops.sparse_categorical_crossentropy(t, f(y), z, a),
        )  # fmt: skip
add("sparse_categorical_crossentropy", lambda t, y: -np.log(softmax(y)[np.arange(3), t[:, 0]]), integers(3, 1),
    reals(3, 4), ours=lambda t, y: ops.sparse_categorical_crossentropy(t, y, True))  # fmt: skip
add("binary_crossentropy", lambda t, p: -(t * np.log(p) + (1 - t) * np.log(1 - p)), shares(3, 4), shares(3, 4))
add("binary_crossentropy", lambda t, z: -(t * np.log(sigmoid(z)) + (1 - t) * np.log(1 - sigmoid(z))), shares(3, 4),
    reals(3, 4), ours=lambda t, z: ops.binary_crossentropy(t, z, from_logits=True))  # fmt: skip
for axis, order in [(-1, 2), (0, 2), (1, 1), (-1, 3)]:
    add("normalize", lambda x, a=axis, o=order: x / np.linalg.norm(x, o, axis=a, keepdims=True), apart(3, 4),
        ours=lambda x, a=axis, o=order: ops.normalize(x, a, o))  # fmt: skip
