"""The promises of recurrent kernels beyond the contract of all kernels; a family's tests derive from ``SequenceTests``.

A ``Net`` gives the kernels of a family one form: arrays, results and gradients by name, so that each promise is written
once. Masks are shorter sequences, going backwards is a reversed sequence, two halves with a state between them are the
whole.
"""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import numpy as np
import pytest

from fastnn.inspect import check_gradients
from fastnn.reference.activations import FUSIBLE

BATCH, STEPS, INPUTS, UNITS, OUTPUTS = 3, 5, 2, 4, 3
DROPOUT = ("x_dropout", "h_dropout")
CROSSED = [  # dropout of x, dropout of the state, initial states
    pytest.param(x_sets, h_drop, start, id=f"x{x_sets}-h{int(h_drop)}-start{int(start)}")
    for x_sets, h_drop, start in itertools.product((0, 1, "gates"), (False, True), (False, True))
]


class Net:
    """The kernels `name`_forward and `name`_backward."""

    name, gates, states = "simple_rnn", 1, ("h0",)
    rest: tuple[str, ...] = ()  # results that backward needs, beside y
    activations: tuple[str, ...] = ("tanh",)
    fed = UNITS  # size of the fed-back state
    biases: ClassVar[dict[str, tuple]] = {"b": (UNITS,)}
    extra: tuple[Any, ...] = ()  # positional arguments after the activations

    def __repr__(self) -> str:
        return "-".join([self.name, *map(str, self.extra)])

    def weights(self, rng) -> dict[str, np.ndarray]:
        shapes = {"w": (INPUTS, self.gates * UNITS), "u": (self.fed, self.gates * UNITS), **self.biases}
        return {name: rng.standard_normal(shape) * 0.7 for name, shape in shapes.items()}

    def arrays(self, rng, start: bool = True, steps: int = STEPS, batch: int = BATCH) -> dict[str, np.ndarray]:
        """Random x and weights, and initial states if asked for."""
        a = {"x": rng.standard_normal((batch, steps, INPUTS)), **self.weights(rng)}
        return a | ({name: rng.standard_normal((batch, self.fed)) for name in self.states} if start else {})

    def dropout(self, rng, x_sets=1, h_drop=True, batch: int = BATCH) -> dict[str, np.ndarray]:
        options = {}
        if x_sets:
            sets = self.gates if x_sets == "gates" else 1
            options["x_dropout"] = (rng.random((sets, batch, INPUTS)) < 0.7) / 0.7
        if h_drop:
            options["h_dropout"] = (rng.random((self.gates, batch, self.fed)) < 0.7) / 0.7
        return options

    def _after(self, a, mask, activations) -> tuple:
        return (*(a.get(name) for name in self.states), mask, *(activations or self.activations), *self.extra)

    def forward(self, backend, a, mask=None, activations=None, **options) -> dict[str, Any]:
        """y, the final states by the names of the initial ones, and the rest."""
        function = getattr(backend, f"{self.name}_forward")
        results = function(a["x"], a["w"], a["u"], a.get("b"), *self._after(a, mask, activations), **options)
        return dict(zip(("y", *self.states, *self.rest), results, strict=True))

    def backward(self, backend, dy, dfinal, a, r, mask=None, activations=None, **options) -> dict[str, Any]:
        """Gradients by the names of the arrays; "states" is dstates."""
        function = getattr(backend, f"{self.name}_backward")
        needed = {"need_dstate0" if len(self.states) > 1 else f"need_d{self.states[0]}": True, "need_dstates": True}
        rest = [r[name] for name in ("y", *self.rest)]
        dfinal = [None] * len(self.states) if dfinal is None else [dfinal.get(name) for name in self.states]
        weights = [a["w"], a["u"], *([a["v"]] if "v" in a else [])]
        after = self._after(a, mask, activations)
        results = function(dy, *dfinal, a["x"], *weights, *rest, *after, **(needed | options))
        return dict(zip(("x", "w", "u", *self.biases, *self.states, "states"), results, strict=True))


class OutputRNN(Net):
    name, states, rest, fed = "output_rnn", ("y0",), ("hidden",), OUTPUTS
    activations = ("tanh", "linear")
    biases: ClassVar[dict[str, tuple]] = {"b": (UNITS,), "v": (UNITS, OUTPUTS), "c": (OUTPUTS,)}

    def forward(self, backend, a, mask=None, activations=None, **options):
        weights = (a["x"], a["w"], a["u"], a.get("b"), a["v"], a.get("c"))
        y, hidden = backend.output_rnn_forward(*weights, *self._after(a, mask, activations), **options)
        last = 0 if options.get("go_backwards") else -1
        start = a.get("y0", np.zeros((len(y), OUTPUTS), y.dtype))
        return {"y": y, "y0": y[:, last] if y.shape[1] else start, "hidden": hidden}


class LSTM(Net):
    name, gates, states, rest = "lstm", 4, ("h0", "c0"), ("gates", "cells")
    activations = ("tanh", "sigmoid")
    biases: ClassVar[dict[str, tuple]] = {"b": (4 * UNITS,)}


class GRU(Net):
    name, gates, rest = "gru", 3, ("gates", "inner")
    activations = ("tanh", "sigmoid")

    def __init__(self, reset_after: bool):
        self.extra = (reset_after,)
        self.biases = {"b": (2, 3 * UNITS) if reset_after else (3 * UNITS,)}


def close(one: np.ndarray, other: np.ndarray) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def all_close(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for name in one:
        close(one[name], other[name])


def pattern(rng, batch: int = BATCH, steps: int = STEPS) -> np.ndarray:
    """Return a mask with gaps; its last row is masked throughout, its first starts with a gap."""
    mask = rng.random((batch, steps)) < 0.6
    mask[0, :2], mask[-1] = (False, True), False
    return mask


def gradient_check(net: Net, backend, rng, a, **options):
    """Check all gradients of Σ r·y + Σ r·(final states) against central differences."""
    results = net.forward(backend, a, **options)
    looked_at = ("y", *(() if net.name == "output_rnn" else net.states))
    r = {name: rng.standard_normal(results[name].shape) for name in looked_at}
    final = {name: r[name] for name in net.states if name in r} or None
    found = net.backward(backend, r["y"], final, a, results, **options)

    def objective() -> float:
        now = net.forward(backend, a, **options)
        return sum(float((r[name] * now[name]).sum()) for name in r)

    result = check_gradients(objective, a, {name: found[name] for name in a}, samples=4, seed=int(rng.integers(100)))
    assert result, str(result)


class SequenceTests:
    """Tests of one family; a subclass sets `nets`."""

    nets: tuple[Net, ...]

    def pytest_generate_tests(self, metafunc):
        if "net" in metafunc.fixturenames:
            metafunc.parametrize("net", self.nets, ids=repr)

    @pytest.mark.parametrize("go_backwards", [False, True])
    @pytest.mark.parametrize("masked", [False, True])
    @pytest.mark.parametrize(("x_sets", "h_drop", "start"), CROSSED)
    def test_gradient_of_all_options_crossed(self, net, backend, rng, go_backwards, masked, x_sets, h_drop, start):
        a, options = net.arrays(rng, start), net.dropout(rng, x_sets, h_drop)
        mask = pattern(rng) if masked else None
        gradient_check(net, backend, rng, a, mask=mask, go_backwards=go_backwards, **options)

    @pytest.mark.parametrize("activation", FUSIBLE)
    def test_gradient_of_every_activation(self, net, backend, rng, activation):
        a = net.arrays(rng, steps=2 if activation == "exponential" else STEPS)  # it grows without bound
        a = {name: array * 0.4 for name, array in a.items()}
        for place in range(len(net.activations)):
            activations = (*net.activations[:place], activation, *net.activations[place + 1 :])
            gradient_check(net, backend, rng, a, activations=activations)

    def test_a_masked_sequence_is_a_shorter_one(self, net, backend, rng):
        """Row by row, whatever the pattern: the steps that count, alone. Masked steps repeat, and have no gradient."""
        a, mask = net.arrays(rng), pattern(rng)
        options = net.dropout(rng, "gates")
        r = net.forward(backend, a, mask, **options)
        dy, dfinal = (
            rng.standard_normal(r["y"].shape),
            {name: rng.standard_normal(r[name].shape) for name in net.states},
        )
        d = net.backward(backend, dy, dfinal, a, r, mask, **options)
        sums = {name: np.zeros_like(d[name]) for name in d if name in net.weights(rng)}
        for row, steps in enumerate(mask):
            one = slice(row, row + 1)
            short = a | {name: a[name][one] for name in net.states} | {"x": np.ascontiguousarray(a["x"][one, steps])}
            some = {name: factors[:, one] for name, factors in options.items()}
            s = net.forward(backend, short, **some)
            close(r["y"][one, steps], s["y"])
            for name in net.states:
                close(r[name][one], s[name])
            for name in net.rest:
                close(r[name][one, steps], s[name])
            given = self.held_gradients(dy[row], steps)
            ds = net.backward(backend, given[None, 1:], {n: dfinal[n][one] for n in net.states}, short, s, **some)
            close(d["x"][one, steps], ds["x"])
            close(d[net.states[0]][one] - given[0], ds[net.states[0]])
            for name in sums:
                sums[name] += ds[name]
        all_close({name: d[name] for name in sums}, sums)
        assert not d["x"][~mask].any()
        for name in net.rest:
            assert name == "cells" or not r[name][~mask].any()

    @staticmethod
    def held_gradients(dy: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """dy of the steps that count, each with those of the masked steps that repeat it; first the initial state's."""
        total = np.zeros((1 + steps.sum(), dy.shape[1]))
        np.add.at(total, np.cumsum(steps), dy)
        return total

    def test_masked_steps_repeat_the_state(self, net, backend, rng):
        a, mask = net.arrays(rng), pattern(rng)
        r = net.forward(backend, a, mask)
        before = a[net.states[0]]
        for t in range(STEPS):
            held = ~mask[:, t]
            np.testing.assert_array_equal(r["y"][held, t], before[held])
            before = r["y"][:, t]
        np.testing.assert_array_equal(r["y"][-1], np.repeat(a[net.states[0]][-1:], STEPS, axis=0))
        for name in net.states:
            np.testing.assert_array_equal(r[name][-1], a[name][-1], err_msg="a masked row ends as it starts")

    def test_values_at_masked_steps_do_not_matter(self, net, backend, dtype, rng):
        a = {name: array.astype(dtype) for name, array in net.arrays(rng).items()}
        mask = pattern(rng)
        dy = rng.standard_normal((BATCH, STEPS, net.fed)).astype(dtype)
        found = []
        for garbage in (0, np.nan, np.inf):
            b = a | {"x": np.where(mask[:, :, None], a["x"], garbage).astype(dtype)}
            r = net.forward(backend, b, mask)
            found.append(r | {f"d{name}": d for name, d in net.backward(backend, dy, None, b, r, mask).items()})
        for other in found[1:]:
            for name in other:
                np.testing.assert_array_equal(other[name], found[0][name], err_msg=name, strict=True)

    def test_a_mask_of_ones_has_no_effect(self, net, backend, rng):
        a, ones = net.arrays(rng), np.ones((BATCH, STEPS), bool)
        r, masked = net.forward(backend, a), net.forward(backend, a, ones)
        all_close(masked, r)
        dy = rng.standard_normal(r["y"].shape)
        all_close(net.backward(backend, dy, None, a, r, ones), net.backward(backend, dy, None, a, r))

    @pytest.mark.parametrize("masked", [False, True])
    def test_going_backwards_equals_reversing_the_sequence(self, net, backend, rng, masked):
        a, options = net.arrays(rng), net.dropout(rng, "gates")
        mask = pattern(rng) if masked else None
        flipped, mask_flipped = a | {"x": a["x"][:, ::-1]}, None if mask is None else mask[:, ::-1]
        sequences = ("y", "x", "states", *net.rest)

        def turned(found):
            return {name: array[:, ::-1] if name in sequences else array for name, array in found.items()}

        r = net.forward(backend, a, mask, go_backwards=True, **options)
        s = net.forward(backend, flipped, mask_flipped, **options)
        all_close(turned(s), r)
        dy, dfinal = (
            rng.standard_normal(r["y"].shape),
            {name: rng.standard_normal(r[name].shape) for name in net.states},
        )
        d = net.backward(backend, dy, dfinal, a, r, mask, go_backwards=True, **options)
        all_close(turned(net.backward(backend, dy[:, ::-1], dfinal, flipped, s, mask_flipped, **options)), d)

    def test_two_halves_that_pass_on_the_state_equal_the_whole(self, net, backend, rng):
        """Forward the final states of one start the other; back, the gradients of the initial states end the first."""
        a, options, cut = net.arrays(rng), net.dropout(rng, 1), 2
        r = net.forward(backend, a, **options)
        first = a | {"x": a["x"][:, :cut]}
        r1 = net.forward(backend, first, **options)
        second = a | {"x": a["x"][:, cut:]} | {name: r1[name] for name in net.states}
        r2 = net.forward(backend, second, **options)
        close(np.concatenate([r1["y"], r2["y"]], axis=1), r["y"])
        dy = rng.standard_normal(r["y"].shape)
        d = net.backward(backend, dy, None, a, r, **options)
        d2 = net.backward(backend, dy[:, cut:], None, second, r2, **options)
        d1 = net.backward(backend, dy[:, :cut], {name: d2[name] for name in net.states}, first, r1, **options)
        for name in ("x", "states"):
            close(np.concatenate([d1[name], d2[name]], axis=1), d[name])
        for name in d:
            if name not in ("x", "states"):
                close(d1[name] if name in net.states else d1[name] + d2[name], d[name])

    def test_the_gradient_of_a_state_includes_all_later_steps(self, net, backend, rng):
        """dstates[:, t] = dy[:, t] + the gradient of the initial state of all that follows."""
        a = net.arrays(rng)
        r = net.forward(backend, a)
        dy = rng.standard_normal(r["y"].shape)
        states = net.backward(backend, dy, None, a, r)["states"]
        close(states[:, -1], dy[:, -1])
        for t in range(STEPS - 1):
            head = net.forward(backend, a | {"x": a["x"][:, : t + 1]})
            tail = a | {"x": a["x"][:, t + 1 :]} | {name: head[name] for name in net.states}
            back = net.backward(backend, dy[:, t + 1 :], None, tail, net.forward(backend, tail))
            close(states[:, t], dy[:, t] + back[net.states[0]])

    def test_one_set_of_factors_for_all_gates(self, net, backend, rng):
        """It scales x, or stands for as many sets as there are gates."""
        a = net.arrays(rng)
        options = net.dropout(rng, 1, False)
        r = net.forward(backend, a, **options)
        all_close(net.forward(backend, a | {"x": a["x"] * options["x_dropout"][0][:, None]}), r)
        repeated = {"x_dropout": np.repeat(options["x_dropout"], net.gates, axis=0)}
        all_close(net.forward(backend, a, **repeated), r)
        dy = rng.standard_normal(r["y"].shape)
        all_close(net.backward(backend, dy, None, a, r, **repeated), net.backward(backend, dy, None, a, r, **options))

    def test_factors_of_one_change_nothing(self, net, backend, rng):
        a = net.arrays(rng)
        ones = {name: np.ones_like(factors) for name, factors in net.dropout(rng, "gates").items()}
        r = net.forward(backend, a)
        all_close(net.forward(backend, a, **ones), r)
        dy = rng.standard_normal(r["y"].shape)
        all_close(net.backward(backend, dy, None, a, r, **ones), net.backward(backend, dy, None, a, r))

    def test_missing_means_zero(self, net, backend, rng):
        """No initial states, no bias, no dy: as zeros of their shapes."""
        a = net.arrays(rng, start=False)
        zeros = {name: np.zeros((BATCH, net.fed)) for name in net.states} | {
            name: np.zeros(shape) for name, shape in net.biases.items() if name != "v"
        }
        bare = {name: array for name, array in a.items() if name not in zeros}
        r = net.forward(backend, bare)
        all_close(net.forward(backend, bare | zeros), r)
        dfinal = {name: rng.standard_normal((BATCH, net.fed)) for name in net.states}
        none, no_dy = np.zeros_like(dfinal[net.states[0]]), np.zeros_like(r["y"])
        d = net.backward(backend, None, dfinal, bare, r)
        all_close(net.backward(backend, no_dy, dfinal, bare | zeros, r), d)
        dy = rng.standard_normal(r["y"].shape)
        d = net.backward(backend, dy, None, bare, r)
        all_close(net.backward(backend, dy, dict.fromkeys(net.states, none), bare, r), d)

    @pytest.mark.parametrize(("batch", "steps"), [(0, 3), (2, 0), (0, 0)])
    def test_empty_sequences_end_as_they_start(self, net, backend, dtype, rng, batch, steps):
        a = {name: array.astype(dtype) for name, array in net.arrays(rng, True, steps, batch).items()}
        for b in (a, {name: array for name, array in a.items() if name not in net.states}):
            r = net.forward(backend, b)
            assert r["y"].shape == (batch, steps, net.fed)
            dfinal = {name: np.ones((batch, net.fed), dtype) for name in net.states}
            d = net.backward(backend, r["y"], dfinal, b, r)
            for name in net.states:
                start = b.get(name, np.zeros((batch, net.fed), dtype))
                np.testing.assert_array_equal(r[name], start, strict=True)
                np.testing.assert_array_equal(d[name], dfinal[name], strict=True)
            for name in ("w", "u", *net.biases):
                np.testing.assert_array_equal(d[name], np.zeros_like(a[name]), strict=True)

    def test_bad_shapes_and_dtypes_are_refused(self, net, backend, rng):
        """One argument at a time; each error names it."""
        a, options = net.arrays(rng), {**net.dropout(rng, "gates"), "mask": pattern(rng)}
        for name, array in (a | options).items():
            wrong = [(ValueError, array[None]), (TypeError, array.astype(np.int64))]
            if name != "x":  # where it is x, the others are wrong
                wrong += [
                    (TypeError, array.astype(np.float32)),
                    (ValueError, array[:-1]),
                    (ValueError, array[..., :-1]),
                ]
            named = "[wuv]" if name in ("w", "u", "v") else name
            for error, value in wrong:
                changed = {name: value}
                others = {} if named == "[wuv]" else options  # whose shapes follow from those of the weights
                with pytest.raises(error, match=rf"\b{named}\b"):
                    net.forward(
                        backend, a | (changed if name in a else {}), **(others | ({} if name in a else changed))
                    )

    def test_unknown_names_are_refused(self, net, backend, rng):
        a = net.arrays(rng)
        for place in range(len(net.activations)):
            for word in ("softmax", "gelu", None, 3):
                activations = (*net.activations[:place], word, *net.activations[place + 1 :])
                with pytest.raises(ValueError, match="activation"):
                    net.forward(backend, a, activations=activations)

    def test_backward_names_the_missing_forward_results(self, net, backend, rng):
        a = net.arrays(rng)
        r = net.forward(backend, a)
        for name in ("y", *net.rest):
            with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b"):
                net.backward(backend, r["y"], None, a, r | {name: None})
            with pytest.raises(ValueError, match=rf"\b{name}\b"):
                net.backward(backend, np.ones_like(r["y"]), None, a, r | {name: r[name][:, 1:]})
        for wrong in (r["y"][:, 1:], r["y"][..., :-1]):
            with pytest.raises(ValueError, match=r"\bdy\b"):
                net.backward(backend, wrong, None, a, r)

    def test_what_is_not_needed_is_none(self, net, backend, rng):
        a = net.arrays(rng)
        r = net.forward(backend, a)
        full = net.backward(backend, r["y"], None, a, r)
        lean = {"need_dx": False, "need_db": False, "need_dstates": False}
        lean["need_dstate0" if len(net.states) > 1 else f"need_d{net.states[0]}"] = False
        d = net.backward(backend, r["y"], None, a, r, **lean)
        kept = {"w", "u"} | ({"v"} & set(d))
        assert {name for name in d if d[name] is not None} == kept
        all_close({name: d[name] for name in kept}, {name: full[name] for name in kept})
