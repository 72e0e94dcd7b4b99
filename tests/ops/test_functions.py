"""Every function: on arrays as NumPy has it, in the call of a layer the same bits, gradients by finite differences."""

import numpy as np
import pytest

from fastnn import ops
from tests.backends import each_backend  # noqa: F401
from tests.ops.harness import check_gradient, several, traced
from tests.ops.table import CASES, UNTRACED

CASES_OF: dict[str, list] = {}
for _case in CASES:
    CASES_OF.setdefault(_case.name, []).append(_case)
every = pytest.mark.parametrize("name", CASES_OF)


def draw(case, dtype="float64"):
    rng = np.random.default_rng(7)
    return [draw(rng, dtype) for draw in case.draws]


def test_every_function_is_in_the_table():
    assert {case.name for case in CASES} == set(ops.__all__) - UNTRACED
    sloped = {case.name for case in CASES if case.slope}
    assert sloped == {case.name for case in CASES} - {
        *("floor_divide", "equal", "not_equal", "greater", "greater_equal", "less", "less_equal"),
        *("logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isinf", "isfinite"),
        *("floor", "ceil", "round", "sign", "stop_gradient", "zeros_like", "ones_like", "one_hot"),
        *("any", "all", "argmax", "argmin", "count_nonzero"),
    }


@every
@pytest.mark.usefixtures("each_backend")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(name, dtype):
    """float32 within 64 roundings of what NumPy gives in float64: sums here have up to 24 terms of size 1."""
    for case in CASES_OF[name]:
        arrays = draw(case, dtype)
        found = several(case.ours(*arrays))
        with np.errstate(all="ignore"):
            expected = several(case.numpy(*(a.astype("float64") if a.dtype.kind == "f" else a for a in arrays)))
        for y, e in zip(found, map(np.asarray, expected), strict=True):
            assert isinstance(y, np.ndarray), case
            assert y.shape == e.shape, case
            if e.dtype.kind != "f":
                assert y.dtype == e.dtype, case
                np.testing.assert_array_equal(y, e, err_msg=str(case))
                continue
            assert y.dtype.kind == "f", case
            eps = np.finfo(y.dtype if y.dtype == dtype else "float32").eps
            np.testing.assert_allclose(y, e, rtol=64 * eps, atol=64 * eps, err_msg=str(case))


@every
@pytest.mark.usefixtures("each_backend")
def test_a_traced_call_gives_the_same(name):
    for case in CASES_OF[name]:
        arrays = draw(case, "float32")
        expected = several(case.ours(*arrays))
        layer, found, _ = traced(case.ours, arrays)
        for symbol, y, e in zip(several(layer.outputs), found, expected, strict=True):
            assert symbol.shape == y.shape == e.shape, case
            assert symbol.dtype == y.dtype.name == e.dtype.name, case
            np.testing.assert_array_equal(y, e, err_msg=str(case))


@every
@pytest.mark.usefixtures("each_backend")
def test_gradient(name):
    for case in CASES_OF[name]:
        arrays = draw(case)
        if case.slope and any(a.dtype.kind == "f" for a in arrays):
            result = check_gradient(case.ours, arrays, samples=24)
            assert result, f"{case}: {result}"


def without_slope(case):
    """Whether no gradient must come out; that of a root at 0 is not finite."""
    return not case.slope and case.name != "std" and any(draw.kind.__name__ != "integers" for draw in case.draws)


@pytest.mark.parametrize("name", sorted({case.name for case in CASES if without_slope(case)}))
def test_functions_of_steps_have_no_gradient(name):
    for case in filter(without_slope, CASES_OF[name]):
        arrays = draw(case)
        layer, outputs, ctx = traced(case.ours, arrays)
        dx = layer.backward(np.ones_like(outputs[0][None], dtype="float64"), ctx)
        for part in dx if isinstance(dx, list) else [dx]:
            assert part is None or not part.any(), case


@every
def test_arrays_may_be_read_only_and_stay_as_they_are(name):
    for case in CASES_OF[name]:
        arrays = draw(case)
        for a in arrays:
            a.flags.writeable = False
        before = [a.copy() for a in arrays]
        case.ours(*arrays)
        layer, outputs, ctx = traced(case.ours, arrays)
        dy = [np.ones_like(y[None]) if y.dtype.kind == "f" else None for y in outputs]
        for part in dy:
            if part is not None:
                part.flags.writeable = False
        layer.backward(dy if ctx.found.gives_several else dy[0], ctx)
        for a, b in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=str(case))


@every
def test_strided_arrays(name):
    for case in CASES_OF[name]:
        arrays = draw(case)
        strided = [np.repeat(a[..., None], 2, -1)[..., 0] if a.ndim else a for a in arrays]
        for y, e in zip(several(case.ours(*strided)), several(case.ours(*arrays)), strict=True):
            np.testing.assert_array_equal(y, e, err_msg=str(case))
