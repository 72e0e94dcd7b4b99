"""Data and calls of random programs, hostile ones among them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from fastnn.models import Sequential

from .models import Models, listed
from .words import ENDLESS, HOSTILE

__all__ = ["Calls"]

LOSSES = (
    "'mse'", "'mae'", "'huber'", "'log_cosh'", "'mape'", "'msle'", "'poisson'", "'hinge'", "'squared_hinge'",
    "'kl_divergence'", "'cosine_similarity'", "'binary_crossentropy'", "'categorical_crossentropy'",
    "'sparse_categorical_crossentropy'", "losses.Huber(0.5)", "losses.BinaryCrossentropy(label_smoothing=0.1)",
    "losses.CategoricalCrossentropy(from_logits=True)", "losses.MeanSquaredError(reduction='sum')", "None",
    "losses.SparseCategoricalCrossentropy(from_logits=True)", "'categorical_hinge'",
)  # fmt: skip
OPTIMIZERS = (
    "'sgd'", "'adam'", "'rmsprop'", "'adagrad'", "'adadelta'", "'adamax'", "'nadam'", "'adamw'",
    "optimizers.SGD(0.01, momentum=0.9, nesterov=True)", "optimizers.Adam(0.01, amsgrad=True, clipnorm=1.0)",
    "optimizers.RMSprop(0.01, centered=True, momentum=0.5)", "optimizers.SGD(0.1, weight_decay=0.01, clipvalue=0.5)",
    "optimizers.Adam(optimizers.schedules.ExponentialDecay(0.01, 2, 0.5), use_ema=True)",
    "optimizers.SGD(0.01, gradient_accumulation_steps=2, global_clipnorm=1.0)",
)  # fmt: skip
METRICS = (
    "'accuracy'", "'mae'", "'mse'", "metrics.AUC()", "metrics.Precision()", "metrics.F1Score()", "metrics.R2Score()",
    "metrics.TopKCategoricalAccuracy(2)", "metrics.RootMeanSquaredError()", "metrics.CosineSimilarity()",
)  # fmt: skip
CALLBACKS = (
    "callbacks.EarlyStopping('loss', patience=0)", "callbacks.TerminateOnNaN()",
    "callbacks.EarlyStopping('loss', restore_best_weights=True)",
    "callbacks.GradientFlow()", "callbacks.History()",
)  # fmt: skip
STRANGE = (
    "[::-1]", ".copy(order='F')", ".repeat(2, axis=-1)[..., ::2]", ".astype('>f8')", ".astype('>f4')", ".tolist()",
    ".astype('int32')", ".astype(bool)", ".astype('float16')", ".astype(complex)", ".astype(object)", ".astype(str)",
    "[..., None]", "[..., 0]", ".T", ".astype('uint8')", "[:0]", " * 1e30", " * 0", " * -1e300", ".astype('uint64')",
    " * 1e-40", ".astype('longdouble')", ".astype('int8')", "[:1]", "[..., :0]",
)  # fmt: skip
"""What becomes of an array now and then."""
CALLS = (
    "fit", "fit", "fit", "evaluate", "predict", "predict", "train_on_batch", "test_on_batch", "predict_on_batch",
    "other", "other",
)  # fmt: skip


class Calls(Models):
    """The part of a writer that makes data and calls a model."""

    # Data.

    def array(self, shape: tuple[int, ...], dtype: str, strange: bool = True) -> str:
        """An array under a name of its own."""
        name, seed = self.name("a"), self.rng.randrange(1000)
        if dtype.startswith("int"):
            text = f"np.random.default_rng({seed}).integers(0, {self.rng.choice((2, 6, 6))}, {shape})"
        else:
            text = f"np.random.default_rng({seed}).standard_normal({shape})"
            text += self.rng.choice((f".astype({dtype!r})", f".astype({dtype!r})", "", ".astype('float32')"))
        if strange and self.hostile():
            text += self.rng.choice(STRANGE)
        if not self.do(f"{name} = {text}"):
            return name
        made = self.session.names[name]
        if strange and self.chance(0.08) and isinstance(made, np.ndarray) and made.size and made.dtype.kind == "f":
            value = self.rng.choice(("np.nan", "np.inf", "-np.inf", "1e38"))
            self.do(f"{name}.flat[{self.rng.randrange(3)} % {name}.size] = {value}")
        if strange and self.chance(0.04) and isinstance(made, np.ndarray):
            self.do(f"{name}.setflags(write=False)")
        return name

    def batch(self) -> int:
        """How many examples; 300 put a pool of threads to work."""
        return self.rng.choice((4, 4, 4, 3, 1, 8)) if self.chance(0.95) else self.rng.choice((0, 300))

    def inputs_of(self, model: Any, rows: int, strange: bool = True) -> str | None:
        """Arrays that suit the inputs of a model, if those are known."""
        if isinstance(model, Sequential) and not model.built:
            found = [((None, *self.shape(self.rng.choice((1, 2, 2, 3)))), self.dtype)]
        elif getattr(model, "inputs", None) is None:
            return None
        else:
            found = [(symbol.shape, symbol.dtype) for symbol in model.inputs]
        time = self.rng.choice((5, 5, 3, 1))
        names = [self.array((rows, *(n or time for n in shape[1:])), dtype, strange) for shape, dtype in found]
        return listed(names + names[:1] if strange and self.chance(0.02) else names)

    def targets_of(self, model: Any, rows: int) -> str:
        """Targets that suit the losses of a model, as far as they are known."""
        shapes = model.output_shape if getattr(model, "outputs", None) is not None else (None, 3)
        shapes = shapes if isinstance(shapes, list) else [shapes]
        losses = model.loss if isinstance(model.loss, (list, tuple)) else [model.loss] * len(shapes)
        pairs = itertools.zip_longest(shapes, losses[: len(shapes)])
        return listed([self.target((rows, *(n or 5 for n in shape[1:])), loss) for shape, loss in pairs])

    def target(self, shape: tuple[int, ...], loss: Any) -> str:
        word = str(getattr(loss, "name", loss))
        classes = max(1, shape[-1])
        if "sparse" in word:
            return self.changed(self.array(shape[:-1], "int64"), f"np.asarray({{}}) % {classes}")
        if "cross" in word or self.chance(0.1):
            return self.changed(self.array(shape, "int64"), "np.asarray({}) % 2")
        return self.array(shape, self.dtype)

    def changed(self, name: str, text: str) -> str:
        """The array, mostly made such as is wanted."""
        if self.chance(0.9):
            self.do(f"{name} = {text.format(name)}")
        return name

    # Calls.

    def compile(self, model: str) -> None:
        outputs = len(getattr(self.session.names[model], "outputs", None) or [0])
        loss = self.rng.choice(LOSSES) if self.chance(0.5) else self.rng.choice(LOSSES[:3])
        if outputs > 1 and self.chance(0.7):
            loss = f"[{', '.join(self.rng.choice(LOSSES) for _ in range(outputs))}]"
        options = {"optimizer": self.rng.choice(OPTIMIZERS), "loss": loss}
        if self.chance(0.4):
            options["metrics"] = f"[{self.rng.choice(METRICS)}]"
        if self.chance(0.1):
            options["weighted_metrics"] = f"[{self.rng.choice(METRICS)}]"
        if self.chance(0.1):
            options["fuse"] = "False"
        if self.chance(0.05):
            options["loss_weights"] = self.rng.choice(("0.5", "[0.5, 2.0]", "[1.0]"))
        if self.hostile():
            options[self.rng.choice((*options, "metrics", "loss_weights", "run_eagerly", "nonsense"))] = (
                self.rng.choice(HOSTILE)
            )
        self.do(f"{model}.compile({written_out(options)})")

    def call(self, model: str) -> None:
        thing, rows, kind = self.session.names[model], self.batch(), self.rng.choice(CALLS)
        if kind == "other":
            self.other(model)
            return
        x = self.inputs_of(thing, rows)
        if x is None:
            return
        arguments = [x] if "predict" in kind else [x, self.targets_of(thing, rows)]
        options = self.options_of(kind, arguments, rows)
        if self.hostile():
            if self.chance(0.3):
                arguments[self.rng.randrange(len(arguments))] = self.rng.choice(HOSTILE)
            else:
                option = self.rng.choice([*options, "nonsense", "callbacks", "batch_size"])
                options[option] = self.rng.choice(HOSTILE)
                if option == "epochs" and options[option] in ENDLESS:
                    options[option] = "0"
        self.do(f"{model}.{kind}({', '.join(arguments)}{', ' if options else ''}{written_out(options)})")

    def options_of(self, kind: str, arguments: list[str], rows: int) -> dict[str, str]:
        """Arguments by name, for a call of this kind."""
        options = {} if "batch" in kind else {"verbose": "0"}
        if kind in ("fit", "evaluate", "predict") and self.chance(0.4):
            options["batch_size"] = self.rng.choice(("1", "2", "3", "100"))
        if kind == "fit":
            more = {
                "callbacks": f"[{self.rng.choice(CALLBACKS)}]",
                "class_weight": "{0: 1.0, 1: 2.0}",
                "epochs": "2",
                "initial_epoch": "1",
                "shuffle": "False",
                "steps_per_epoch": "1",
                "validation_batch_size": "2",
                "validation_data": f"({', '.join(arguments)})",
                "validation_freq": "2",
                "validation_split": "0.5",
            }
            options |= {k: more[k] for k in self.rng.sample(list(more), self.rng.choice((0, 0, 1, 1, 2)))}
        if "predict" not in kind and self.chance(0.15):
            options["sample_weight"] = self.changed(self.array((rows,), self.dtype), "abs(np.asarray({}))")
        return options

    def other(self, model: str) -> None:
        """Anything else that one may do with a model."""
        thing, hostile = self.session.names[model], self.rng.choice(HOSTILE)
        lines = [
            *(
                "{m}.summary(print_fn=len)",
                "{m}.get_config()",
                "{m}.to_json()",
                "{m}.count_params()",
                "{m}.reset_state()",
            ),
            *("{m}.trainable = False", "{m}.trainable = True", "models.clone_model({m})", "{m}.build({h})"),
            *(
                "{m}.get_layer(index={h})",
                "{m}.get_layer({h})",
                "models.model_from_json({m}.to_json())",
                "{m}.save({h})",
            ),
            *("{m}.load_weights({h})", "{m}({h})", "{m}.compute_output_shape({h})", "{m}.set_weights({h})"),
            *("{m}.set_weights({m}.get_weights())", "{m}.set_weights({m}.get_weights()[1:])"),
            "{m}.set_weights([w * 0.5 for w in {m}.get_weights()])",
            "{m}.set_weights([w[..., None] for w in {m}.get_weights()])",
        ]
        if thing.compiled:
            lines += ["{m}.optimizer.learning_rate = {h}", "{m}.optimizer.learning_rate = 0.001"]
        if thing.layers:
            layer = f"{model}.layers[{self.rng.randrange(len(thing.layers))}]"
            lines += [f"{layer}.trainable = False", f"{layer}.set_weights({{h}})", f"{layer}(np.ones((2, 3)))"]
            lines += [f"{layer}.get_config()", f"type({layer}).from_config({layer}.get_config())"]
        if isinstance(thing, Sequential):
            lines += ["{m}.pop()", "{m}.add({h})", "{m}.build((None, 4))", "{m}.build((None, 5, 3))"]
        if self.chance(0.1):
            self.compile(model)
        else:
            self.do(self.rng.choice(lines).replace("{m}", model).replace("{h}", hostile))


def written_out(options: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items())
