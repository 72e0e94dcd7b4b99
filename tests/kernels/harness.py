"""What every kernel promises, read off the registry: a test class of a family derives from ``Contract`` and names the
family.

Compiled against twin in both precisions; 1, 2 and 3 threads; strided and read-only inputs; results prefilled with
NaN; inputs unchanged; the same bits at any thread count; one NaN at every place; arguments that must be refused.
"""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest

from fastnn import registry
from fastnn.registry import Case, Kernel, flat


def call(function, kernel: Kernel, case: Case, **extra) -> tuple:
    """Call on copies of the arrays updated in place; return the results and the updated arrays as one tuple."""
    args = [a.copy() if i in kernel.in_place and a is not None else a for i, a in enumerate(case.args)]
    result = function(*args, **case.kwargs, **extra)
    if kernel.in_place:
        assert result is None, f"{kernel.name} returns None"
        return tuple(args[i] for i in kernel.in_place if i < len(args))
    return result if isinstance(result, tuple) else (result,)


def in_double(case: Case) -> Case:
    """Return the case in float64, for the reference values."""
    double = case.mapped(lambda a: a.astype(np.float64) if a.dtype == np.float32 else a)
    return Case(tuple("float64" if isinstance(a, str) and a == "float32" else a for a in double.args), double.kwargs)


def strided(array: np.ndarray) -> np.ndarray:
    """Return the same numbers as every second element of a larger array, read-only."""
    if array.ndim == 0:
        spread = array.copy()
    else:
        room = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        spread = room[..., ::2]
        spread[...] = array
    spread.flags.writeable = False
    return spread


def fortran(array: np.ndarray) -> np.ndarray:
    """Return the same numbers in column-major order."""
    return array.copy(order="F")


def describe(kernel: Kernel, case: Case) -> str:
    def short(a):
        if isinstance(a, list):
            return f"[{', '.join(map(short, a))}]"
        return f"{a.dtype}{a.shape}" if isinstance(a, np.ndarray) else repr(a)

    parts = [*map(short, case.args), *(f"{name}={short(a)}" for name, a in case.kwargs.items())]
    return f"{kernel.name}({', '.join(parts)})"


def assert_equal(got, expected, message: str) -> None:
    """Assert equal dtypes, shapes and numbers, with NaN where NaN is expected."""
    assert len(got) == len(expected), message
    for one, other in zip(flat(got), flat(expected), strict=True):
        if one is None or other is None or isinstance(one, float):
            assert one == other, message
            continue
        assert one.dtype == other.dtype, f"{message}: {one.dtype} is not {other.dtype}"
        np.testing.assert_array_equal(one, other, err_msg=message, strict=True)


def assert_close(got, expected, allowed, message: str) -> None:
    """Assert |got − expected| ≤ allowed for every result that is compared."""
    assert len(got) == len(expected) == len(allowed), message
    for position, (one, other, bound) in enumerate(zip(flat(got), flat(expected), flat(allowed), strict=True)):
        assert (one is None) == (other is None), message
        if one is None or bound is None:
            continue
        one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
        assert one.shape == other.shape, message
        with np.errstate(invalid="ignore"):
            error = np.where(one == other, 0, np.abs(one - other))
        wrong = ~(error <= bound)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(np.atleast_1d(wrong))[0])
            with np.errstate(all="ignore"):
                share = np.max(error / bound)
            got_at, expected_at = np.atleast_1d(one)[at], np.atleast_1d(other)[at]
            where = f"{message}: result {position} at {at}"
            raise AssertionError(f"{where} is {got_at!r}, expected {expected_at!r}; {share:.3g} times the bound")


def against_truth(function, kernel: Kernel, case: Case, dtype) -> None:
    """Assert that results are within the row's tolerance of the twin in float64."""
    double = in_double(case)
    expected = call(kernel.twin(), kernel, double)
    allowed = kernel.tolerance(double, expected, float(np.finfo(dtype).eps))
    assert_close(call(function, kernel, case), expected, allowed, describe(kernel, case))


def written(kernel: Kernel, results) -> list[tuple[str, object]]:
    """Results by the name of the argument to write them into; the ids of embedding_backward's rows have none."""
    assert len(results) == len(kernel.results) + (kernel.name == "embedding_backward")
    return list(zip(kernel.results, results, strict=False))


def nan_results(kernel: Kernel, expected) -> dict:
    """Return arrays to write the results into, filled with NaN (or with the largest integer)."""

    def filled(result):
        if isinstance(result, list):
            return [None if entry is None else filled(entry) for entry in result]
        fill = np.nan if result.dtype.kind == "f" else np.iinfo(result.dtype).max
        return np.full(result.shape, fill, result.dtype)

    return {name: filled(result) for name, result in written(kernel, expected) if result is not None}


def small(kernel: Kernel, dtype, rng, limit: int = 300) -> list[Case]:
    """Return the cases whose arrays have at most `limit` numbers each, at least one case."""

    def size(case):
        return max((a.size for _, a in case.arrays()), default=1)

    return [case for case in kernel.cases(rng, dtype) if 0 < size(case) <= limit]


def ordinary(kernel: Kernel, rng) -> Case:
    """Return a case in float64 whose arguments and results all have several numbers."""
    for case in kernel.cases(rng, np.dtype(np.float64)):
        arrays = [a for a in flat((*case.args, *call(kernel.twin(), kernel, case))) if isinstance(a, np.ndarray)]
        if all(a.size > 1 and a.shape[-1] > 1 for a in arrays):
            return case
    raise LookupError(f"the registry has no ordinary case of {kernel.name}")


class Contract:
    """Tests of one family; a subclass sets `family`."""

    family: str

    def __init_subclass__(cls):
        """A family has the tests that apply to at least one of its kernels."""
        chosen = cls.chosen()
        for name, test in inspect.getmembers(Contract, inspect.isfunction):
            if any(not chosen.get(argument, True) for argument in inspect.signature(test).parameters):
                setattr(cls, name, None)

    def pytest_generate_tests(self, metafunc):
        chosen = self.chosen()
        for name in chosen.keys() & set(metafunc.fixturenames):
            metafunc.parametrize(name, chosen[name], ids=[row.name for row in chosen[name]])

    @classmethod
    def chosen(cls) -> dict[str, list[Kernel]]:
        """The kernels of the family, by the test argument that they are passed to."""
        rows = registry.kernels(cls.family)
        return {
            "kernel": rows,
            "exact_kernel": [row for row in rows if row.exact],
            "writing_kernel": [row for row in rows if row.results],
            "elementwise_kernel": [row for row in rows if row.elementwise],
            "sweeping_kernel": [row for row in rows if row.nan],
            "reading_kernel": [row for row in rows if not row.in_place],
            "in_place_kernel": [row for row in rows if row.in_place],
        }

    def test_both_backends_have_it(self, kernel, backend):
        assert callable(getattr(backend, kernel.name))

    def test_reals_are_within_bounds_of_the_twin(self, kernel, backend, dtype, rng):
        function = getattr(backend, kernel.name)
        for case in kernel.cases(rng, dtype):
            against_truth(function, kernel, case, dtype)

    def test_small_integers_are_exact(self, exact_kernel, compiled, dtype, rng):
        kernel = exact_kernel
        for case in kernel.exact(rng, dtype):
            expected = call(kernel.twin(), kernel, case)
            assert_equal(call(kernel.compiled(), kernel, case), expected, describe(kernel, case))

    def test_precisions_agree_on_small_integers(self, exact_kernel, dtype, rng):
        kernel = exact_kernel
        for case in kernel.exact(rng, dtype):
            truth, got = (flat(call(kernel.twin(), kernel, one)) for one in (in_double(case), case))
            assert_close(got, truth, [self.half_unit(t, dtype) for t in truth], "twin")

    @staticmethod
    def half_unit(truth, dtype):
        """Rounding the exact result once: for data that is only moved, and for a final division."""
        return None if truth is None else np.finfo(dtype).eps * np.abs(np.asarray(truth, np.float64))

    @pytest.mark.parametrize("count", [2, 3])
    def test_threads_change_no_bit(self, kernel, compiled, dtype, rng, threads, count):
        cases = list(kernel.cases(rng, dtype))
        threads(1)
        alone = [call(kernel.compiled(), kernel, case) for case in cases]
        threads(count)
        for case, expected in zip(cases, alone, strict=True):
            assert_equal(call(kernel.compiled(), kernel, case), expected, f"{count} threads: {describe(kernel, case)}")

    def test_same_bits_at_any_thread_count_on_real_sizes(self, kernel, compiled, rng, threads):
        for _, case in itertools.islice(kernel.bench(rng, np.dtype(np.float32)), 4):
            threads(1)
            alone = call(kernel.compiled(), kernel, case)
            for count in (2, 3, 5, 16):
                threads(count)
                assert_equal(call(kernel.compiled(), kernel, case), alone, f"{count} threads: {describe(kernel, case)}")

    def test_real_sizes_are_within_bounds_of_the_twin(self, kernel, compiled, rng):
        dtype = np.dtype(np.float32)
        for _, case in itertools.islice(kernel.bench(rng, dtype), 2):
            against_truth(kernel.compiled(), kernel, case, dtype)

    @pytest.mark.parametrize("layout", [strided, fortran])
    def test_layout_of_inputs_does_not_matter(self, reading_kernel, backend, dtype, rng, layout):
        kernel = reading_kernel
        function = getattr(backend, kernel.name)
        for case in kernel.cases(rng, dtype):
            expected = call(function, kernel, case)
            assert_equal(call(function, kernel, case.mapped(layout)), expected, describe(kernel, case))

    def test_strided_arrays_are_not_changed_in_place(self, in_place_kernel, backend, rng):
        kernel = in_place_kernel
        case = next(case for case in kernel.cases(rng, np.dtype(np.float32)) if case.args[0].size > 1)
        args = [np.repeat(a, 2)[::2] if isinstance(a, np.ndarray) else a for a in case.args]
        before = [np.copy(a) for a in args]
        with pytest.raises(ValueError, match="contiguous"):
            getattr(backend, kernel.name)(*args, **case.kwargs)
        for now, then in zip(args, before, strict=True):
            np.testing.assert_array_equal(now, then)

    def test_inputs_are_unchanged(self, kernel, backend, dtype, rng):
        function = getattr(backend, kernel.name)
        for case in kernel.cases(rng, dtype):
            copies = case.mapped(np.copy)
            function(*copies.args, **copies.kwargs)
            for ((position, *_), now), (_, before) in zip(copies.arrays(), case.arrays(), strict=True):
                if position not in kernel.in_place:
                    np.testing.assert_array_equal(now, before, strict=True)

    def test_results_may_be_given_and_are_assigned(self, writing_kernel, backend, dtype, rng):
        kernel = writing_kernel
        function = getattr(backend, kernel.name)
        for case in kernel.cases(rng, dtype):
            expected = call(function, kernel, case)
            given = nan_results(kernel, expected)
            returned = call(function, kernel, case, **given)
            assert_equal(returned, expected, describe(kernel, case))
            for name, result in written(kernel, returned):
                for one, other in zip(flat([result]), flat([given.get(name)]), strict=True):
                    assert one is other, f"{kernel.name} returns the array given as {name}="

    def test_elementwise_results_may_overwrite_the_input(self, elementwise_kernel, backend, dtype, rng):
        kernel = elementwise_kernel
        function = getattr(backend, kernel.name)
        for case in kernel.cases(rng, dtype):
            expected = call(function, kernel, case)
            case = case.mapped(np.copy)
            result = call(function, kernel, case, **{kernel.results[0]: case.arrays()[0][1]})
            assert_equal(result, expected, describe(kernel, case))

    def test_a_nan_in_any_position_propagates(self, sweeping_kernel, compiled, dtype, rng):
        kernel = sweeping_kernel
        swept = [(case, *found) for case in small(kernel, dtype, rng) for found in case.arrays()]
        for case, position, array in swept:
            if position[0] not in kernel.nan or array.dtype.kind != "f":
                continue
            for place in range(array.size):
                sick = array.copy()
                sick.flat[place] = np.nan
                sick_case = case.replaced(position, sick)
                expected, got = (flat(call(f, kernel, sick_case)) for f in (kernel.twin(), kernel.compiled()))
                for one, other in zip(got, expected, strict=True):
                    if one is None or np.asarray(other).dtype.kind != "f":
                        continue
                    if not np.array_equal(np.isnan(one), np.isnan(other)):
                        pytest.fail(f"NaN at {place} of argument {position}: {describe(kernel, case)}")

    def test_wrong_dtypes_are_refused(self, kernel, backend, rng):
        case = ordinary(kernel, rng)
        function = getattr(backend, kernel.name)
        reals = [(place, a) for place, a in case.arrays() if a.dtype.kind == "f"]
        for (place, array), change in itertools.product(
            reals, (np.float16, np.complex128, "O", ">f8", np.longdouble, "U8")
        ):
            with np.errstate(all="ignore"):
                changed = array.astype(change)
            self.refused(function, kernel, case, place, changed, TypeError)
        for place, array in reals if len(reals) > 1 else ():
            self.refused(function, kernel, case, place, array.astype(np.float32), TypeError)

    def test_wrong_ranks_and_shapes_are_refused(self, kernel, backend, rng):
        case = ordinary(kernel, rng)
        function = getattr(backend, kernel.name)
        arrays = case.arrays()
        any_rank = kernel.elementwise and len(arrays) == 1
        if any_rank or kernel.name in ("gather_rows", "sum_of_squares", "embedding_forward"):
            return
        for place, array in arrays:
            error = ValueError if array.dtype.kind == "f" else (TypeError, ValueError)  # labels, or rows of targets
            self.refused(function, kernel, case, place, array[None], error)

    def test_wrong_output_arrays_are_refused(self, writing_kernel, backend, rng):
        kernel = writing_kernel
        case = ordinary(kernel, rng)
        function = getattr(backend, kernel.name)
        expected = call(function, kernel, case)
        for name, result in written(kernel, expected):
            if result is None:
                continue
            result, *rest = flat([result])
            several = isinstance(dict(written(kernel, expected))[name], list)
            frozen = np.empty_like(result)
            frozen.flags.writeable = False
            wrong = [
                (TypeError, np.empty(result.shape, np.float16)),
                (TypeError, result.tolist()),
                (ValueError, np.empty((*result.shape, 1), result.dtype)),
                (ValueError, np.empty((*result.shape, 2), result.dtype)[..., 0]),
                (ValueError, frozen),
            ]
            for error, array in wrong:
                with pytest.raises(error, match=name):
                    function(*case.args, **case.kwargs, **{name: [array, *rest] if several else array})

    def test_results_that_overlap_an_input_are_refused(self, writing_kernel, backend, rng):
        kernel = writing_kernel
        case = ordinary(kernel, rng)
        function = getattr(backend, kernel.name)
        expected = call(function, kernel, case)
        for name, result in written(kernel, expected):
            several, (result, *rest) = isinstance(result, list), flat([result])
            for place, original in case.arrays() if result is not None else ():
                memory = np.zeros(original.nbytes + result.nbytes + 64, np.uint8)
                array = np.frombuffer(memory.data, original.dtype, original.size).reshape(original.shape)
                array[...] = original
                itemsize = max(array.itemsize, result.itemsize)
                if array.nbytes <= itemsize:
                    continue  # nothing to overlap in part
                out = np.frombuffer(memory.data, result.dtype, result.size, offset=itemsize).reshape(result.shape)
                given = {name: [out, *rest] if several else out}
                self.refused(function, kernel, case, place, array, ValueError, **given)

    @staticmethod
    def refused(function, kernel, case, place, argument, error, **extra):
        """Assert that the call with this array raises and changes nothing."""
        changed = case.mapped(np.copy).replaced(place, argument)
        before = changed.mapped(np.copy)
        try:
            function(*changed.args, **changed.kwargs, **extra)
        except error:
            pass
        else:
            received = f"{argument.dtype}{argument.shape}" if isinstance(argument, np.ndarray) else repr(argument)
            pytest.fail(f"{describe(kernel, case)} takes {received} at {place}; expected {error}")
        for (_, now), (_, then) in zip(changed.arrays(), before.arrays(), strict=True):
            if now.dtype != object:
                np.testing.assert_array_equal(now, then)
