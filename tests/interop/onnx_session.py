"""Running ONNX files in onnxruntime, for the tests that compare them with models."""

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is not installed here; an extra of the package")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed here; it runs the files")

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
"""Sums of at most a few hundred products of numbers around 1, in float32, added in another order."""


def listed(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def run(file, inputs):
    """The outputs of a ModelProto for these inputs, in their order."""
    session = onnxruntime.InferenceSession(file.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {spec.name: np.asarray(x) for spec, x in zip(session.get_inputs(), listed(inputs), strict=True)}
    return session.run(None, feeds)


def shuffled(model, seed=0):
    """Weights that leave nothing at its start: no zeros, no ones."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        low = 0.2 if "variance" in weight.name else -0.6
        weight.assign(rng.uniform(low, 0.8, weight.shape))
    return model


def same(model, inputs, export, **options):
    """Check that the file of a model gives what the model gives, for all rows and for the first alone."""
    file = export(model, **options)
    for xs in (listed(inputs), [x[:1] for x in listed(inputs)]):
        expected = listed(model(xs if len(xs) > 1 else xs[0]))
        found = run(file, xs)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, **CLOSE)
    return file
