"""The examples run as a newcomer runs them: on real data, in a separate process; here on few images."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fastnn.datasets import fashion_mnist, mnist

EXAMPLES = Path(__file__).parents[2] / "examples"
HAS_MATPLOTLIB = importlib.util.find_spec("matplotlib") is not None

needs_mnist = pytest.mark.skipif(mnist.find() is None, reason="MNIST is not here; set FASTNN_DATA")
needs_fashion = pytest.mark.skipif(fashion_mnist.find() is None, reason="Fashion-MNIST is not here; set FASTNN_DATA")


def run(tmp_path, name: str, **options: int | str) -> str:
    """Run an example and return what it printed."""
    picture = tmp_path / "curves.png"
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *words, "--output", str(picture)]
    env = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert picture.exists() == HAS_MATPLOTLIB
    return done.stdout


def accuracy(printed: str) -> float:
    return float(re.search(r"test accuracy (\d\.\d+)", printed)[1])


def test_every_example_is_tested():
    scripts = {path.stem for path in EXAMPLES.glob("*.py")} - {"common"}
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert scripts == set(re.findall(r'run\(\s*tmp_path,\s*"(\w+)"', tests))


@needs_mnist
def test_mlp_mnist(tmp_path):
    printed = run(tmp_path, "mlp_mnist", epochs=2, samples=3000)
    assert "203,530" in printed
    assert "predicted [" in printed
    assert accuracy(printed) > 0.80


@needs_mnist
def test_mlp_dropout_mnist(tmp_path):
    printed = run(tmp_path, "mlp_dropout_mnist", epochs=2, samples=3000)
    assert "101,770" in printed
    assert accuracy(printed) > 0.85


@needs_fashion
def test_cnn_fashion(tmp_path):
    printed = run(tmp_path, "cnn_fashion", epochs=2, samples=640)
    assert "60,554" in printed
    assert "looks like a" in printed
    assert accuracy(printed) > 0.4


@needs_fashion
def test_residual_fashion(tmp_path):
    """Three steps: enough to see that images are read, shifted, learned from and shown."""
    printed = run(tmp_path, "residual_fashion", epochs=1, samples=192)
    assert "309,418" in printed
    assert "looks like a" in printed
    assert 0 < accuracy(printed) < 1


@needs_fashion
@pytest.mark.slow
def test_residual_fashion_learns(tmp_path):
    """Twenty steps: too few for the moving averages of the test, enough for the training images."""
    printed = run(tmp_path, "residual_fashion", epochs=2, samples=1280)
    first, second = (float(a) for a in re.findall(r"- accuracy: (\d\.\d+) .*val_accuracy", printed))
    assert second > max(first, 0.4)


@needs_fashion
def test_validation_curves(tmp_path):
    printed = run(tmp_path, "validation_curves", epochs=2, samples=1500)
    assert [line.split("  ")[0] for line in printed.splitlines()[:4]] == [
        "too small",
        "too large",
        "L2",
        "early stopping",
    ]


def test_vanishing_gradient(tmp_path):
    """Before training: the fraction of the last step's gradient that reaches the first step."""
    printed = run(tmp_path, "vanishing_gradient", epochs=1, samples=320)
    shares = {}
    for line in printed.splitlines():
        name, *numbers = re.split(r"\s{2,}", line.strip())
        if len(numbers) == 6 and "e" in numbers[0]:
            shares[name] = float(numbers[0]) / float(numbers[-1])
    assert shares["LSTM"] < 1e-3 < shares["SimpleRNN"] < 0.2 < shares["LSTM, long memory"]
    assert printed.count("test accuracy") == 3


def figures(printed: str) -> dict[str, list[float]]:
    """The table of methods: for each space the tree's accuracy, three Rand indices, and what follows."""
    rows = re.findall(r"(?m)^(pixels|code|features) +([\d. -]+)$", printed)
    return {name: [float(number) for number in row.split()] for name, row in rows}


@needs_mnist
def test_learned_features(tmp_path):
    """Measured: tree 0.58, 0.51, 0.70; k-means 0.42, 0.31, 0.56; hierarchical 0.36, 0.34, 0.54."""
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    found = figures(run(tmp_path, "learned_features", epochs=2, samples=3000, images=800))
    assert list(found) == ["pixels", "code", "features"]
    for place in range(3):
        assert found["features"][place] > 0.05 + max(found["pixels"][place], found["code"][place])
    assert min(found["code"][:3]) > 0.15


@needs_mnist
@pytest.mark.slow
def test_learned_features_in_full(tmp_path):
    """Measured: k-means 0.40, 0.38, 0.87; the tree 0.68, 0.69, 0.87."""
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    found = figures(run(tmp_path, "learned_features", epochs=3))
    assert min(found["features"][:3]) > 0.7
    assert max(found["pixels"][1:3] + found["code"][1:3]) < 0.55


@needs_mnist
@pytest.mark.slow
def test_mlp_mnist_in_full(tmp_path):
    printed = run(tmp_path, "mlp_mnist", epochs=1)
    assert "1875/1875" in printed
    assert accuracy(printed) > 0.88


@needs_fashion
@pytest.mark.slow
def test_cnn_fashion_in_full_for_three_epochs(tmp_path):
    """Measured after three epochs: 0.862 to 0.869 over seeds 0, 1 and 2."""
    assert accuracy(run(tmp_path, "cnn_fashion", epochs=3)) > 0.85


@needs_fashion
@pytest.mark.slow
def test_curves_show_over_and_underfitting(tmp_path):
    printed = run(tmp_path, "validation_curves")
    rows = {
        m[1].strip(): m
        for m in re.finditer(
            r"^(.{15}) +(\d+) epochs.*?loss ([\d.]+).*?loss ([\d.]+) \(at best ([\d.]+)\)", printed, re.M
        )
    }
    training, last, best = ({name: float(row[column]) for name, row in rows.items()} for column in (3, 4, 5))
    assert training["too small"] > 3 * training["too large"]  # cannot learn it
    assert last["too large"] > 1.15 * best["too large"]  # the validation loss has turned
    assert last["too large"] - training["too large"] > 1.5 * (
        last["L2"] - training["L2"]
    )  # L2 keeps the curves together
    assert int(rows["early stopping"][2]) < int(rows["too large"][2])
