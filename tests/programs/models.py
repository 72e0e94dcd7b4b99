"""Models of random programs: graphs, stacks, models within models, and graphs of tests/models/random_graphs.py."""

from __future__ import annotations

from typing import Any

from fastnn.graph import Symbol
from tests.models.random_graphs import HEADS, INPUTS, Recipe, Step
from tests.models.random_operations import OPERATIONS

from .pen import Pen
from .words import CLASSES, HOSTILE, rank, written

__all__ = ["Models"]

LARGEST = 400  # numbers of an example that later layers may take
MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot")


class Models(Pen):
    """The part of a writer that makes a model."""

    def shape(self, ndim: int) -> tuple[Any, ...]:
        sizes = {
            1: [(4,), (6,), (1,)],
            2: [(5, 3), (6, 2), (1, 4), (None, 3), (9, 1)],
            3: [(6, 5, 2), (5, 7, 4), (1, 3, 2), (4, 4, 1)],
        }
        return self.rng.choice(sizes[ndim])

    def input(self) -> str:
        name = self.name("x")
        if self.chance(0.2):
            shape, dtype = self.rng.choice([(5,), (None,), (3,)]), "int64"
        else:
            shape, dtype = self.shape(self.rng.choice((1, 2, 2, 3, 3))), self.dtype
        text = f"{shape}" if not self.hostile() else self.rng.choice((f"{shape}", *HOSTILE, "(0,)", "(4, 0)", "(-3,)"))
        if not self.do(f"{name} = Input({text}, dtype={dtype!r})"):
            return self.input()
        return name

    def symbols(self, name: str) -> list[str]:
        """What a class can take, if anything: names of symbols, the newest last."""
        wanted = rank(name)
        if self.chance(0.04):
            wanted = None

        def fits(s: Symbol) -> bool:
            if wanted == "ids":
                return s.dtype == "int64"
            if not s.dtype.startswith("float") and not self.hostile():
                return False
            size = 1
            for n in s.shape[1:]:
                size *= n or 5
            return size <= LARGEST and (wanted is None or len(s.shape) == wanted)

        return self.found(Symbol, fits)

    def step(self) -> None:
        """One layer more, on symbols that it can take, or on one more input."""
        name = self.rng.choice(CLASSES)
        if (name == "InputLayer" or "Cell" in name) and self.chance(0.9):
            return
        choices = self.symbols(name)
        if not choices:
            return
        x = choices[-1] if self.chance(0.6) else self.rng.choice(choices)
        x, options = self.arguments(name, x, choices)
        if self.chance(0.05):
            options += self.rng.choice((", training=True", ", training=False", ", mask=None", ", nonsense=1"))
        layer = written(self.rng, name, self.dtype, self.hostility)
        made, out = self.name("l"), self.name("y")
        if not self.do(f"{made} = {layer}"):
            return
        self.take(out, f"{made}({x}{options})")
        if self.chance(0.1) and choices:  # a shared layer
            self.take(self.name("y"), f"{made}({self.rng.choice(choices)}{options})")

    def arguments(self, name: str, x: str, choices: list[str]) -> tuple[str, str]:
        """What a layer of a class is called on, beginning with x, and options of the call."""
        shape = self.session.names[x].shape
        if name in MERGING:
            same = [y for y in choices if self.session.names[y].shape == shape or self.chance(0.05)]
            others = self.rng.choices(same or [x], k=1 if name in ("Dot", "Subtract") else self.rng.choice((1, 2)))
            return f"[{', '.join([x, *others])}]", ""
        if "Attention" in name:
            others = [y for y in choices if len(self.session.names[y].shape) == len(shape)] or [x]
            inputs = [x, *self.rng.choices([x, *others], k=self.rng.choice((1, 2)))]
            options = self.rng.choice(("", "", ", use_causal_mask=True", ", return_attention_scores=True"))
            listed = name in ("Attention", "AdditiveAttention")
            return f"[{', '.join(inputs)}]" if listed else ", ".join(inputs), options
        return x, ""

    def take(self, out: str, call: str) -> None:
        if self.do(f"{out} = {call}") and isinstance(self.session.names[out], (list, tuple)):
            for i in range(len(self.session.names[out])):
                self.do(f"{out}_{i} = {out}[{i}]")

    def expression(self) -> None:
        """Operators and functions between layers."""
        choices = self.symbols("Activation")
        if not choices:
            return
        x = self.rng.choice(choices)
        shape = self.session.names[x].shape
        y = self.rng.choice([name for name in choices if self.session.names[name].shape == shape])
        self.do(f"{self.name('y')} = " + self.rng.choice((
            f"{x} + {y}", f"{x} - 0.7 * {y}", f"{x} * {y}", f"{x}[:, :1]",
            f"ops.where({x} > 0, {x}, 0.1 * {y})", f"ops.mean({x}, axis=1)", f"ops.concatenate([{x}, {y}], axis=-1)",
            f"ops.softmax({x})", f"{x} / (1 + ops.square({y}))", f"{x}[:, ::-1]",
            f"ops.expand_dims({x}, 1)", f"ops.stack([{x}, {y}], axis=1)", f"ops.max({x}, axis=-1, keepdims=True)",
        )))  # fmt: skip

    def functional(self) -> str | None:
        inputs = [self.input() for _ in range(self.rng.choice((1, 1, 2, 3)))]
        for _ in range(self.rng.choice((2, 4, 6, 10))):
            self.expression() if self.chance(0.1) else self.step()
            if self.chance(0.08):
                self.nested()
        return self.model(inputs)

    def nested(self) -> None:
        """What was made so far, as a model within the model, called on another input of the shape."""
        ends = [name for name in self.found(Symbol, lambda s: s.dtype.startswith("float")) if name[0] == "y"]
        starts = [name for name in self.found(Symbol) if name[0] == "x"]
        if not ends or not starts:
            return
        within, start = self.name("inner"), self.rng.choice(starts)
        symbol = self.session.names[start]
        if self.do(f"{within} = Model({start}, {self.rng.choice(ends)})"):
            same = self.found(Symbol, lambda s: s.shape == symbol.shape and s.dtype == symbol.dtype)
            self.take(self.name("y"), f"{within}({self.rng.choice(same)})")

    def model(self, inputs: list[str]) -> str | None:
        real = self.found(Symbol, lambda s: s.dtype.startswith("float") and len(s.shape) > 1)
        ends = [name for name in real if name[0] == "y"]
        if not ends:
            return None
        outputs = ends[-1:] if self.chance(0.7) else list(dict.fromkeys([ends[-1], self.rng.choice(ends)]))
        if self.chance(0.5):
            outputs = [self.head(y) for y in outputs]
        given, name = self.needed(inputs, outputs), self.name("model")
        return name if self.do(f"{name} = Model({listed(given)}, {listed(outputs)})") else None

    def needed(self, inputs: list[str], outputs: list[str]) -> list[str]:
        """The inputs that the outputs depend on; all of them now and then."""
        if self.chance(0.05):
            return inputs
        seen: set[int] = set()
        todo = [self.session.names[y] for y in outputs]
        while todo:
            symbol = todo.pop()
            if id(symbol) not in seen:
                seen.add(id(symbol))
                todo += symbol.node.inputs if symbol.node else ()
        return [x for x in inputs if id(self.session.names[x]) in seen] or inputs[:1]

    def head(self, y: str) -> str:
        symbol = self.session.names[y]
        dtype = "" if self.dtype == "float32" else f", dtype={self.dtype!r}"
        if len(symbol.shape) > 2 and None not in symbol.shape[1:] and self.chance(0.7):
            flat = self.name("y")
            if self.do(f"{flat} = layers.Flatten({dtype[2:]})({y})"):
                y = flat
        activation = self.rng.choice(("None", "None", "'softmax'", "'sigmoid'", "'softplus'"))
        out = self.name("y")
        units = 1 if activation == "'sigmoid'" else self.rng.choice((1, 3))
        return out if self.do(f"{out} = layers.Dense({units}, {activation}{dtype})({y})") else y

    def sequential(self) -> str | None:
        name = self.name("model")
        ndim = self.rng.choice((2, 3, 3, 4, 4))
        first = []
        ids = self.chance(0.15)
        if self.chance(0.7):
            shape = "(5,)" if ids else repr(self.shape(ndim - 1))
            first = [f"Input({shape}, dtype={'int64' if ids else self.dtype!r})"]
        stack = []
        for _ in range(self.rng.choice((1, 2, 3, 5))):
            fits = [c for c in CLASSES if "Cell" not in c and c != "InputLayer" and rank(c) in (None, ndim)]
            if ids and not stack:
                fits = ["Embedding", "TokenAndPositionEmbedding"]
            cls = self.rng.choice(fits)
            stack.append(written(self.rng, cls, self.dtype, self.hostility))
            ndim = 3 if ids and len(stack) == 1 else ndim
            if cls == "RepeatVector":
                ndim = 3
            elif cls in ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"):
                ndim = 3 if "return_sequences=True" in stack[-1] else 2
            elif cls == "Flatten" or cls.startswith("Global"):
                ndim = 2
        if self.chance(0.5) and self.do(f"{name} = Sequential([{', '.join(first + stack)}])"):
            return name
        if not self.do(f"{name} = Sequential()"):
            return None
        for layer in first + stack:
            if self.do(f"{name}.add({layer})") and self.chance(0.03):
                self.do(f"{name}.pop()")
        if self.chance(0.6):
            dtype = "" if self.dtype == "float32" else f", dtype={self.dtype!r}"
            self.do(f"{name}.add(layers.Dense({self.rng.choice((1, 3))}{dtype}))")
        return name

    def recipe(self) -> str | None:
        """A graph of tests/models/random_graphs.py: layers and models written by a ``call``, sharing, draws."""

        def steps(most: int, inner: bool = True) -> tuple[Step, ...]:
            names = [name for name in OPERATIONS if inner or name != "inner"]
            found = []
            for _ in range(self.rng.randint(1, most)):
                name = self.rng.choice(names)
                inside = steps(3, False) if name == "inner" else ()
                found.append(Step(name, self.rng.choice((0, 0, 1, 2)), self.rng.randrange(8), inside))
            return tuple(found)

        inputs = tuple(self.rng.choice(sorted(INPUTS)) for _ in range(self.rng.choice((1, 2))))
        found = Recipe(inputs, steps(10), (self.rng.choice(sorted(HEADS)),))
        built, name = self.name("built"), self.name("model")
        self.do(f"{built} = made({found!r}, {self.dtype!r})")
        if self.session.names[built] is None:
            return None
        self.do(f"{name} = {built}.model")
        return name


def listed(names: list[str]) -> str:
    """One name as it is, several as a list."""
    return f"[{', '.join(names)}]" if len(names) > 1 else names[0]
