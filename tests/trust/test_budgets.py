"""Budgets: time of import, what import loads, overhead of a call and of a step, size of the wheel.

Times are processor time of the calling thread, each divided by the machine's slowdown right after it
(`tests.trust.pace`), and near the lowest of several: what other processes take does not count, nor that a shared
machine is slow today, or changes its speed between the two.
"""

import statistics
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

import fastnn
from fastnn import kernels, layers, utils
from tests.trust.children import python
from tests.trust.copies import copy_tree
from tests.trust.pace import slowdown

OPTIONAL = (
    "matplotlib",
    "tqdm",
    "h5py",
    "onnx",
    "sklearn",
    "mpi4py",
    "IPython",
    "pandas",
    "threadpoolctl",
    "hypothesis",
)


def microseconds(work, calls: int, tries: int = 15) -> float:
    """Of a call, at the full speed of the machine of the budgets: the third lowest of `tries` rounds of `calls`."""
    work()
    times = []
    for _ in range(tries):
        start = time.thread_time()
        for _ in range(calls):
            work()
        took = time.thread_time() - start
        times.append(took / slowdown())
    return sorted(times)[min(2, tries - 1)] / calls * 1e6


def test_import_takes_at_most_50_ms_beyond_numpy(tmp_path):
    """With compiled bytecode, as after an installation."""
    cached = {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    code = (
        "import numpy, time; start = time.process_time(); import fastnn; took = time.process_time() - start;"
        "from tests.trust.pace import slowdown; print(took / slowdown())"
    )
    took = statistics.median([float(python(code=code, **cached).stdout) for _ in range(7)])
    print(f"{took * 1e3:.1f} ms")
    assert took <= 0.050, f"{took * 1e3:.1f} ms"


def test_import_loads_numpy_and_the_kernels_only():
    done = python(code="import sys, fastnn; print(*sys.modules)")
    loaded = set(done.stdout.split())
    assert loaded >= {"fastnn", "numpy", "fastnn.kernels.dense"}, done.stderr
    assert not loaded & {
        f"fastnn.{part}" for part in ("layers", "models", "optimizers", "cli", "datasets", "reference")
    }
    assert not loaded & set(OPTIONAL)


def test_training_loads_no_optional_library():
    """Not even tqdm where no bar is asked for."""
    code = "import sys; from tests.trust.work import result; result('cnn'); print(*sys.modules)"
    done = python(code=code)
    loaded = set(done.stdout.split())
    assert "fastnn.models" in loaded, done.stderr
    assert not loaded & set(OPTIONAL)


X, W, B = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32), np.ones(4, np.float32)
Y, FLAT, GRADIENT = np.empty((2, 4), np.float32), np.ones(8, np.float32), np.ones(8, np.float32)


@pytest.mark.parametrize(
    "call",
    [
        lambda: kernels.exp(X),
        lambda: kernels.gemm_nn(X, W),
        lambda: kernels.dense_forward(X, W, B, "relu", y=Y),
        lambda: kernels.softmax_forward(X),
        lambda: kernels.sgd_step(FLAT, GRADIENT, learning_rate=0.0),
    ],
    ids=["exp", "gemm_nn", "dense_forward", "softmax_forward", "sgd_step"],
)
def test_a_kernel_call_costs_at_most_2_microseconds(call):
    """The smallest arrays, so that nearly all of it is the wrapper; the loop and the lambda are in it too."""
    took = microseconds(call, 2000)
    print(f"{took:.2f} µs")
    assert took <= 2.0, f"{took:.2f} µs"


def test_a_training_step_costs_at_most_40_microseconds():
    """An MLP so small that its arithmetic does not count, in `fit` and batch by batch."""
    utils.set_random_seed(1)
    model = fastnn.Sequential([layers.Input((4,)), layers.Dense(3, "relu"), layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2000, 4), dtype=np.float32), rng.integers(0, 2, 2000)
    model.fit(x, y, batch_size=4, verbose=0)
    start_up = microseconds(lambda: model.fit(x[:4], y[:4], batch_size=4, verbose=0), 20)
    in_fit = (microseconds(lambda: model.fit(x, y, batch_size=4, verbose=0), 1) - start_up) / 499
    print(f"{in_fit:.1f} µs")
    assert in_fit <= 40, f"{in_fit:.1f} µs in fit"
    alone = microseconds(lambda: model.train_on_batch(x[:4], y[:4]), 500)
    print(f"{alone:.1f} µs")
    assert alone <= 75, f"{alone:.1f} µs by train_on_batch, which also checks what it is given"


@pytest.mark.slow
def test_the_wheel_is_at_most_3_mb(tmp_path):
    """With all tiers, as it would be shipped; it holds no C sources and no tests."""
    pytest.importorskip("build", reason="pip install build")
    tree = copy_tree(tmp_path / "tree")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(tree)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (wheel,) = tmp_path.glob("*.whl")
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.2f} MB")
    assert wheel.stat().st_size <= 3e6
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.startswith("fastnn/kernels/_core") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "src_c/")) or name.endswith((".c", ".o"))]
