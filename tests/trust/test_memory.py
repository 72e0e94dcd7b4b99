"""No leak over thousands of steps, a small memory for training, and MemoryError where memory is out."""

import sys

import pytest

from tests.trust.children import python

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc here")
RESIDENT = """
import gc, mmap, resource
import numpy as np
import fastnn
from fastnn import kernels, layers, utils

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * mmap.PAGESIZE

def tiny():
    utils.set_random_seed(3)
    model = fastnn.Sequential([layers.Input((4,)), layers.Dense(3, "relu"), layers.Dropout(0.1)])
    model.add(layers.Dense(2, "softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

rng = np.random.default_rng(1)
"""


def grows(code, once, allowed):
    """Bytes of resident memory that `code` adds after it has run `once` and again; at most `allowed`."""
    lines = "\n    ".join(code.strip().splitlines())
    done = python(
        code=f"""{RESIDENT}
def work(count):
    {lines}

work({once})
gc.collect()
before = resident()
for _ in range(4):
    work({once})
gc.collect()
print(resident() - before)
"""
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= allowed, f"{int(done.stdout):,} bytes more"


@LINUX
def test_ten_thousand_steps_do_not_leak():
    """A leak of 100 bytes a step would be a megabyte."""
    grows(
        """
        model, x, y = tiny(), rng.standard_normal((2500 * 4, 4), dtype=np.float32), rng.integers(0, 2, 2500 * 4)
        model.fit(x, y, batch_size=4, verbose=0)
        """.replace("\n        ", "\n"),
        2500,
        500_000,
    )


@LINUX
@pytest.mark.parametrize(
    "code",
    [
        "for i in range(count): model.train_on_batch(x[:8], y[:8])",
        "for i in range(count): model.predict(x, verbose=0)",
        "for i in range(count): model.predict_on_batch(x[: 1 + i % 90])",
        "for i in range(count): model.fit(x[: 1 + i % 90], y[: 1 + i % 90], verbose=0)",
        "for i in range(count): model.evaluate(x, y, verbose=0)",
        "for i in range(count): model.set_weights(model.get_weights())",
        "for i in range(count): tiny().fit(x, y, verbose=0)",
        "for i in range(count): kernels.conv2d_forward(image, filters)",
        "for i in range(count): refused(lambda: kernels.gemm_nn(x, x))",
        "for i in range(count // 5): alone(lambda: kernels.conv2d_backward(result, image, filters))",
    ],
)
def test_repeated_calls_do_not_grow(code):
    grows(
        """
global model, x, y, image, filters, result
if "model" not in globals():
    model, x, y = tiny(), rng.standard_normal((90, 4), dtype=np.float32), rng.integers(0, 2, 90)
    image, filters = np.ones((2, 20, 20, 8), np.float32), np.ones((3, 3, 8, 16), np.float32)
    result = kernels.conv2d_forward(image, filters)
def refused(call):
    try:
        call()
    except ValueError:
        return
    raise AssertionError
def alone(call):
    import threading
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
"""
        + code,
        300,
        700_000,
    )


def test_python_objects_do_not_pile_up():
    """tracemalloc sees what a step keeps: nothing."""
    done = python(
        code=f"""{RESIDENT}
import tracemalloc
model, x, y = tiny(), rng.standard_normal((4, 4), dtype=np.float32), rng.integers(0, 2, 4)
for _ in range(300):
    model.train_on_batch(x, y), model.predict(x, verbose=0)
tracemalloc.start()
sizes = []
for _ in range(4):
    for _ in range(500):
        model.train_on_batch(x, y), model.predict(x, verbose=0)
    gc.collect()
    sizes.append(tracemalloc.get_traced_memory()[0])
print(max(sizes) - sizes[0])
"""
    )
    assert done.returncode == 0, done.stderr
    smallest_object = 24
    assert int(done.stdout) < 1500 * smallest_object  # one object kept a step would be more


@LINUX
def test_memory_of_training_the_cnn():
    """The CNN of the notes at batch 32, beyond `import fastnn` and the user's arrays: at most 60 MB."""
    done = python(
        code=f"""{RESIDENT}
x, y = rng.integers(0, 256, (4096, 28, 28, 1)).astype(np.uint8), rng.integers(0, 10, 4096)
before = resident()
model = fastnn.Sequential([
    layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)), layers.MaxPooling2D((2, 2)),
    layers.Conv2D(64, (3, 3), activation="relu"), layers.MaxPooling2D((2, 2)),
    layers.Conv2D(64, (3, 3), activation="relu"), layers.MaxPooling2D((2, 2)),
    layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=32, validation_split=0.25, verbose=0)
# the high-water mark of this program: ru_maxrss would be that of pytest, from before exec
with open("/proc/self/status") as file:
    peak = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
print(peak - before)
""",
        FASTNN_NUM_THREADS="2",
    )
    assert done.returncode == 0, done.stderr
    print(f"{int(done.stdout) / 1e6:.1f} MB")
    assert int(done.stdout) <= 60e6


OUT_OF_MEMORY = """
def limit(more):
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * mmap.PAGESIZE
    resource.setrlimit(resource.RLIMIT_AS, (now + more, resource.RLIM_INFINITY))

def out_of_memory(call):
    try:
        call()
    except MemoryError as error:
        print("MemoryError", error)
    else:
        raise AssertionError("no MemoryError")
"""


@LINUX
def test_scratch_memory_that_is_refused_is_a_memory_error():
    """A matrix of patches nine times the image does not fit; afterwards the same kernels work."""
    done = python(
        code=f"""{RESIDENT}{OUT_OF_MEMORY}
image, filters = np.ones((1, 1500, 1500, 8), np.float32), np.ones((3, 3, 8, 2), np.float32)
kernels.conv2d_forward(image[:, :50, :50], filters, algorithm="im2col")
y = np.empty((1, 1498, 1498, 2), np.float32)
limit(300 << 20)
out_of_memory(lambda: kernels.conv2d_forward(image, filters, algorithm="im2col", y=y))
out_of_memory(lambda: kernels.conv2d_backward(y, image, filters, algorithm="im2col"))
got = kernels.conv2d_forward(image[:, :50, :50], filters, algorithm="im2col")
assert (got == 72).all()
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("MemoryError") == 2


@LINUX
def test_a_step_without_memory_leaves_the_model_as_it_was():
    done = python(
        code=f"""{RESIDENT}{OUT_OF_MEMORY}
utils.set_random_seed(3)
model = fastnn.Sequential([layers.Input((28, 28, 1)), layers.Conv2D(32, 3), layers.Flatten()])
model.add(layers.Dense(10, "softmax"))
model.compile("adam", "sparse_categorical_crossentropy")
x, y = np.ones((4000, 28, 28, 1), np.float32), np.zeros(4000, int)
model.fit(x[:64], y[:64], verbose=0)
weights = model.get_weights()
limit(200 << 20)
out_of_memory(lambda: model.train_on_batch(x, y))
out_of_memory(lambda: model.predict_on_batch(x))
assert all((now == before).all() for now, before in zip(model.get_weights(), weights))
model.fit(x[:64], y[:64], verbose=0)
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("MemoryError") == 2


@pytest.mark.parametrize("algorithm", ["auto", "direct", "im2col"])
@pytest.mark.parametrize("power", [48, 55, 61, 62, 63])
def test_sizes_of_scratch_memory_cannot_overflow(algorithm, power):
    """A few outputs, far apart on an image padded beyond all memory."""
    done = python(
        code=f"""
import numpy as np
from fastnn import kernels
padding, stride = (({2**power} - 1, 0), (0, 0)), ({2 ** (power - 1)}, 1)
x, w = np.ones((2, 3, 3, 5), np.float32), np.ones((3, 3, 5, 10), np.float32)
dy = np.ones((2, 2, 1, 10), np.float32)
for call in (
    lambda: kernels.conv2d_forward(x, w, None, stride, padding, algorithm={algorithm!r}),
    lambda: kernels.conv2d_backward(dy, x, w, None, stride, padding, algorithm={algorithm!r}),
    lambda: kernels.conv2d_pool_forward(x, w, None, (1, 1), stride, padding),
    lambda: kernels.conv2d_forward(x, w[..., :1, :], None, stride, padding, groups=5, algorithm={algorithm!r}),
    lambda: kernels.im2col(x, 3, 3, stride[0], padding[0][0]),
    lambda: kernels.col2im(np.ones((2, 27), np.float32), (2, 3, 3, 3), 3, 3, stride[0], padding[0][0]),
    lambda: kernels.max_pool2d_forward(x, stride, stride, "same"),
    lambda: kernels.average_pool2d_forward(x, stride, None, "same"),
):
    try:
        call()
    except (MemoryError, ValueError, OverflowError) as error:
        assert str(error), type(error)
    else:
        raise AssertionError("no error")
"""
    )
    assert done.returncode == 0, done.stderr
