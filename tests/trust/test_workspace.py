"""Workspaces: memory that nobody holds is used again, what somebody holds is left alone, and no number changes."""

import ctypes
import gc
import textwrap
import threading
import tracemalloc
import weakref

import numpy as np
import pytest

import fastnn
from fastnn import kernels, layers
from tests.trust.children import python
from tests.trust.test_memory import LINUX, RESIDENT


def address(array):
    return array.__array_interface__["data"][0]


@pytest.fixture
def workspace():
    return kernels.Workspace()


# Memory is used again.


def test_a_chain_takes_an_input_and_an_output(workspace):
    with workspace:
        y = kernels.exp(np.zeros(1000))
        addresses = {address(y)}
        for _ in range(50):
            y = kernels.tanh(y)
            addresses.add(address(y))
    assert len(addresses) == 2
    assert workspace.nbytes <= 2 * (y.nbytes + 64)


def test_smaller_arrays_and_other_dtypes_share_memory(workspace):
    with workspace:
        first = address(kernels.exp(np.zeros((10, 100))))
        assert address(kernels.exp(np.zeros((30, 10)))) == first
        assert address(kernels.exp(np.zeros(1000, np.float32))) == first
        assert address(kernels.random_bits(500, 3, 0)) == first


def test_a_small_array_leaves_large_memory_to_large_ones(workspace):
    with workspace:
        large = address(kernels.exp(np.zeros(100_000)))
        small = kernels.exp(np.zeros(10))
        assert address(kernels.exp(np.zeros(100_000))) == large != address(small)


def test_arrays_begin_on_a_cache_line(workspace):
    with workspace:
        arrays = [kernels.exp(np.zeros(n, np.float32)) for n in (0, 1, 7, 8, 9, 17, 31)]
    assert [address(a) % 64 for a in arrays] == [0] * len(arrays)
    assert len({address(a) for a in arrays}) == len(arrays)


def test_a_step_that_repeats_gets_the_same_arrays(workspace):
    def step():
        with workspace:
            kept = kernels.exp(np.zeros((3, 5)))
            seen = [id(kept)]
            for _ in range(3):
                y = kernels.gemm_nt(kept, kept)
                seen.append(id(y))
                seen.append(id(kernels.exp(y)))
        return seen

    first = step()
    before = workspace.nbytes
    assert len(set(first)) == len(first)
    assert [step() for _ in range(20)] == [first] * 20
    assert workspace.nbytes == before


def test_a_steady_state_allocates_nothing():
    model = fastnn.Sequential([layers.Input((64,)), *(layers.Dense(64, "relu") for _ in range(6))])
    model.compile("sgd", "mse")
    x = np.ones((512, 64), np.float32)
    for _ in range(3):
        model.train_on_batch(x, x), model.predict_on_batch(x)
    tracemalloc.start()
    try:
        for call, own in ((lambda: model.predict_on_batch(x), x.nbytes), (lambda: model.train_on_batch(x, x), 0)):
            call()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            call()
            peak = tracemalloc.get_traced_memory()[1] - before
            # `own` is the copy that predict gives; looking for NaN among the targets takes a quarter of x.
            assert peak < own + x.nbytes // 2, f"{peak:,} bytes"
    finally:
        tracemalloc.stop()


def test_another_way_lets_go_of_what_it_does_not_use(workspace):
    def step(size, count):
        with workspace:
            kept = [kernels.exp(np.zeros(size)) for _ in range(count)]
        return sum(a.nbytes for a in kept)

    for size, count in ((100, 9), (5000, 3), (10, 4), (5000, 2), (100, 1)):
        held = step(size, count)
        assert held <= workspace.nbytes <= held + 64 * count
    longest = step(100, 6)
    assert step(100, 2) < longest <= workspace.nbytes  # the steps may well alternate


@LINUX
def test_inference_through_fifty_layers_holds_two_arrays():
    done = python(
        code=f"""{RESIDENT}
model = fastnn.Sequential([layers.Input((256,)), *(layers.Dense(256, "relu") for _ in range(50))])
x = np.ones((4096, 256), np.float32)
model.predict_on_batch(x[:8])
before = resident()
result = model.predict_on_batch(x)
print((resident() - before) / x.nbytes, model._workspaces.of(x.shape, False).nbytes / x.nbytes)
"""
    )
    assert done.returncode == 0, done.stderr
    resident, kept = map(float, done.stdout.split())
    assert kept < 2.01  # one array a layer would be 50
    assert resident < 4  # these two, and the result


def test_a_shape_beyond_all_memory_is_an_error(workspace):
    x = np.zeros((1 << 40, 0), np.float32)
    with workspace, pytest.raises((MemoryError, ValueError)):
        kernels.gemm_nt(x, x)
    with workspace:
        assert kernels.exp(np.zeros(3)).tolist() == [1, 1, 1]


# What somebody holds is left alone.

HOLDERS = {
    "the array": lambda a: a,
    "a view": lambda a: a.reshape(-1)[1:],
    "a view of a view": lambda a: a.T[::-1][:, 1:].T,
    "other numbers": lambda a: a.view(np.uint8),
    "another class": lambda a: a.view(np.recarray),
    "strides": lambda a: np.lib.stride_tricks.as_strided(a, (2, 2), (8, 8)),
    "broadcast": lambda a: np.broadcast_to(a, (3, *a.shape)),
    "flat": lambda a: a.flat,
    "memoryview": memoryview,
    "bytes of C": lambda a: ctypes.c_char.from_buffer(memoryview(a).cast("B")),
    "pointer": lambda a: a.ctypes.data_as(ctypes.POINTER(ctypes.c_double)),
    "interface": lambda a: np.asarray(type("Wrapped", (), {"__array_interface__": a.__array_interface__, "a": a})()),
    "dlpack": np.from_dlpack,
    "list": lambda a: [{"deep": (a,)}],
    "weak reference": weakref.ref,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_held_memory_is_not_handed_out(workspace, holder):
    with workspace:
        y = kernels.exp(np.zeros((4, 5)))
        where = address(y)
        held = HOLDERS[holder](y)
        if holder != "weak reference":
            del y
        for _ in range(3):
            assert address(kernels.exp(np.ones((4, 5)))) != where
    for _ in range(3):
        with workspace:
            assert address(kernels.exp(np.ones((4, 5)))) != where
    del held


@pytest.mark.parametrize("holder", HOLDERS)
def test_memory_is_used_again_when_the_holder_is_gone(workspace, holder):
    with workspace:
        y = kernels.exp(np.zeros((4, 5)))
        where = address(y)
        held = HOLDERS[holder](y)
        del y, held
        gc.collect()
        assert address(kernels.exp(np.ones((4, 5)))) == where


def test_a_weak_reference_does_not_see_other_numbers(workspace):
    with workspace:
        weak = weakref.ref(kernels.exp(np.zeros(4)))
        kernels.exp(np.ones(4))
        found = weak()
        assert found is None or (found == 1).all()


def test_what_is_kept_from_step_to_step_stays(workspace):
    kept = []
    for step in range(6):
        with workspace:
            y = kernels.exp(np.full(8, float(step)))
            z = kernels.tanh(y)
            kept.append((y, z[2:5]) if step % 2 else (y.copy(), z))
    for step, (y, z) in enumerate(kept):
        np.testing.assert_array_equal(y, kernels.exp(np.full(8, float(step))))
        np.testing.assert_array_equal(z, kernels.tanh(kernels.exp(np.full(8, float(step))))[: len(z)])
    del kept, y, z
    with workspace:
        kernels.tanh(kernels.exp(np.zeros(8)))
    assert workspace.nbytes == 128  # what was kept went with those who kept it


def test_an_error_in_a_step_keeps_its_arrays(workspace):
    """The frames of an exception hold the arrays of the step that it ended."""

    def step():
        with workspace:
            y = kernels.exp(np.zeros(100))
            z = kernels.exp(y)
            raise ZeroDivisionError(z)

    with pytest.raises(ZeroDivisionError) as caught:
        step()
    with workspace:
        kernels.exp(np.ones(100)), kernels.exp(np.ones(100))
    np.testing.assert_array_equal(caught.value.args[0], kernels.exp(np.ones(100)))
    assert (caught.tb.tb_next.tb_frame.f_locals["y"] == 1).all()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: a.setflags(write=False),
        lambda a: setattr(a, "shape", (6, 1)),
        lambda a: setattr(a, "dtype", np.float32),
        lambda a: setattr(a, "dtype", np.int64),
    ],
    ids=["read-only", "shape", "width", "kind"],
)
def test_an_array_that_was_changed_in_place_is_made_anew(workspace, spoil):
    with workspace:
        spoil(kernels.exp(np.zeros((2, 3))))
    with workspace:
        y = kernels.exp(np.zeros((2, 3)))
    np.testing.assert_array_equal(y, np.ones((2, 3)), strict=True)
    assert y.flags.carray


# Workspaces within workspaces, and threads.


def test_a_workspace_within_another(workspace):
    other = kernels.Workspace()

    def step():
        with workspace:
            first = kernels.exp(np.zeros(9))
            with other:
                second = kernels.exp(np.zeros(9))
            third = kernels.exp(np.zeros(9))
        return [id(a) for a in (first, second, third)], len({address(a) for a in (first, second, third)})

    assert step() == step()
    assert step()[1] == 3
    assert (workspace.nbytes, other.nbytes) == (256, 128)


def test_a_workspace_within_itself(workspace):
    """A metric that predicts with the model under test, for instance."""

    def step(depth):
        with workspace:
            y = kernels.exp(np.full(9, float(depth)))
            inner = step(depth - 1) if depth else []
            z = kernels.exp(np.full(9, -float(depth)))
            np.testing.assert_array_equal(y, kernels.exp(np.full(9, float(depth))))
        return [id(y), *inner, id(z)]

    assert len({tuple(step(3)) for _ in range(5)}) == 1
    assert len(set(step(3))) == 8
    fresh = [kernels.exp(np.zeros(9)) for _ in range(2)]
    assert fresh[0] is not fresh[1]
    assert workspace.nbytes == 4 * 3 * 128  # the exp that checks y takes a third array


def test_threads_in_one_workspace(workspace):
    """Each step has numbers of its own, whoever else is inside."""
    start, failures = threading.Barrier(4), []

    def work(number):
        start.wait()
        for i in range(200):
            value = np.full(50 + i % 3, number + i / 100)
            with workspace:
                y = kernels.exp(value)
                z = kernels.tanh(y)
                z2 = kernels.exp(kernels.tanh(y))
            if not ((y == kernels.exp(value)).all() and (z2 == kernels.exp(z)).all()):
                failures.append((number, i))

    threads = [threading.Thread(target=work, args=(float(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_blocks_left_in_another_order_are_refused(workspace):
    other = kernels.Workspace()
    workspace.__enter__()
    other.__enter__()
    with pytest.raises(RuntimeError, match="reverse of the order"):
        workspace.__exit__(None, None, None)
    other.__exit__(None, None, None)
    workspace.__exit__(None, None, None)


# Workspaces that nobody holds, and blocks that another thread leaves.

LOST = {
    "never left": """
        kernels.Workspace().__enter__()
    """,
    "within another": """
        kernels.Workspace().__enter__()
        kernels.Workspace().__enter__()
    """,
    "closed in another thread": """
        import threading
        def inside():
            with kernels.Workspace():
                yield
        generator = inside()
        next(generator)
        closing = threading.Thread(target=generator.close)
        closing.start()
        closing.join()
        del generator
    """,
    "entered in another thread": """
        import threading
        def inside():
            with kernels.Workspace():
                yield
        generator = inside()
        entering = threading.Thread(target=next, args=(generator,))
        entering.start()
        entering.join()
        generator.close()
    """,
}


@pytest.mark.parametrize("lost", LOST)
def test_a_workspace_outlives_its_last_name(lost):
    done = python(
        "-X",
        "dev",
        code="import gc\nimport numpy as np\nfrom fastnn import kernels\n"
        + textwrap.dedent(LOST[lost])
        + textwrap.dedent("""
        gc.collect()
        filler = [bytearray(128) for _ in range(1000)]
        for i in range(200):
            y = kernels.exp(np.full(3, float(i % 5)))
            assert (y == np.exp(np.full(3, float(i % 5)))).all() or abs(y / np.exp(float(i % 5)) - 1).max() < 1e-15
        print("alive")
        """),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


def in_another_thread(call):
    """What a call raises in another thread, or None."""
    raised = []

    def run():
        try:
            call()
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised[0] if raised else None


def leave(space):
    return lambda: space.__exit__(None, None, None)


def test_a_block_that_another_thread_leaves_is_over_for_the_first(workspace):
    outer = kernels.Workspace()
    with outer:
        workspace.__enter__()
        kept = kernels.exp(np.zeros(9))
        assert in_another_thread(leave(workspace)) is None
        assert workspace.nbytes == 0
        assert kernels.exp(np.zeros(9)) is not kept
        assert (outer.nbytes, workspace.nbytes) == (128, 0)  # the outer block goes on
        assert (kept == 1).all()
    with workspace:  # free again
        kernels.exp(np.zeros(9))
    assert workspace.nbytes == 128


def test_it_is_over_beneath_the_block_that_was_entered_since(workspace):
    inner = kernels.Workspace()
    workspace.__enter__()
    with inner:
        assert in_another_thread(leave(workspace)) is None
        kernels.exp(np.zeros(9))
    assert inner.nbytes == 128
    fresh = [kernels.exp(np.zeros(9)) for _ in range(2)]
    assert fresh[0] is not fresh[1]
    assert workspace.nbytes == 0


def test_a_block_that_is_not_open_cannot_be_left(workspace):
    with pytest.raises(RuntimeError, match=r"the thread that entered it\. Received: a workspace that is not in use"):
        workspace.__exit__(None, None, None)
    with workspace:
        pass
    with pytest.raises(RuntimeError, match="not in use"):
        workspace.__exit__(None, None, None)


def test_which_of_two_blocks_another_thread_leaves_cannot_be_told(workspace):
    with workspace, workspace:
        y = kernels.exp(np.zeros(9))
        error = in_another_thread(leave(workspace))
        assert isinstance(error, RuntimeError)
        assert "2 uses of it by other threads" in str(error)
        assert kernels.exp(np.zeros(9)) is not y
    assert workspace.nbytes == 256  # nothing has changed


# Random programs.

LAYOUTS = ((), (1,), (7,), (8, 3), (3, 8), (24,), (1000,))


def random_program(seed, dtype, workspaces):
    """Kernel calls on held arrays, some let go at each call, some held beyond the step; all that is held, in order.

    The steps are mostly the same one, so that places are replayed; now and then a step goes another way, ends in the
    middle, runs within itself, or keeps more.
    """
    rng = np.random.default_rng(seed)
    held, found = [], []

    def check():
        for made, value in held:
            assert (made == value).all(), f"seed {seed}: a held array has changed"

    def hold(array):
        found.append(array.copy())
        held.append((array, array.copy()))

    def step(way, depth):
        inner = np.random.default_rng(way)
        with workspaces[way % len(workspaces)]:
            for _ in range(12):
                pool = [a for a, _ in held if a.size] or [np.ones(3, dtype)]
                x = pool[inner.integers(len(pool))] if inner.random() < 0.6 else None
                if x is None:
                    x = inner.standard_normal(LAYOUTS[inner.integers(len(LAYOUTS))]).astype(dtype)
                match inner.integers(5):
                    case 0:
                        hold(kernels.tanh(x))
                    case 1:
                        hold(kernels.sigmoid(kernels.tanh(x)).reshape(-1))
                    case 2:
                        m = np.ascontiguousarray(x.reshape(len(x) if x.ndim else 1, -1)[:20, :20])
                        hold(kernels.gemm_nt(m, m)[:, : 1 + inner.integers(3)])
                    case 3:
                        hold(kernels.dropout_forward(x, 0.5, 7, int(inner.integers(9))))
                    case 4 if depth:
                        step(way + 1, depth - 1)
                while len(held) > 6 or (held and rng.random() < 0.3):
                    del held[rng.integers(len(held))]
                check()
                if rng.random() < 0.01:
                    return

    for _ in range(30):
        step(int(rng.choice([0, 0, 0, 0, 1, 2])), 1)
        check()
        if rng.random() < 0.7:
            held.clear()
    return found


class Nothing:
    """No workspace."""

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        pass


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed):
    dtype = np.dtype("float32" if seed % 2 else "float64")
    spaces = [kernels.Workspace() for _ in range(1 + seed % 3)]
    got = random_program(seed, dtype, spaces)
    expected = random_program(seed, dtype, [Nothing()])
    assert len(got) == len(expected) > 100
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)
