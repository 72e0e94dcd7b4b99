"""Fork, every start method of multiprocessing, imports in children, exit and Ctrl-C.

What may hang runs in a process of its own, and a time limit ends it.
"""

import multiprocessing
import signal
import subprocess
import sys
import textwrap

import pytest

from tests.trust.children import CLEAN, python
from tests.trust.copies import ROOT
from tests.trust.work import MODELS, build, digest, result, train

METHODS = multiprocessing.get_all_start_methods()
FORKS = pytest.mark.skipif("fork" not in METHODS, reason="this system has no fork")
# From 3.12 on Python itself warns of any fork beside threads.
QUIET = ("-W", "error", "-W", "ignore:This process:DeprecationWarning")
FORKED = """
import os, sys
from tests.trust.work import build, digest, train
model = build({kind!r})
train(model, {kind!r})

def in_child(work):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        work()
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0

def further():
    train(model, {kind!r}, shuffle=False)
    print(digest(model))

def twice():
    further()
    in_child(further)

in_child(twice)
in_child(further)
further()
"""


@FORKS
@pytest.mark.parametrize("kind", MODELS)
def test_train_fork_train(kind):
    """Child, its own child, second child and parent go on from the same weights to the same weights."""
    done = python(*QUIET, code=FORKED.format(kind=kind), FASTNN_NUM_THREADS="2")
    assert done.returncode == 0, done.stderr
    model = build(kind)
    expected = []
    train(model, kind)
    for _ in range(2):
        train(model, kind, shuffle=False)
        expected.append(digest(model))
    one, two = expected
    assert done.stdout.split() == [one, two, one, one]


@pytest.mark.parametrize("method", METHODS)
def test_training_in_children_of_multiprocessing(method):
    """The parent has trained before, so that its threads are there when it forks."""
    done = python(
        *QUIET,
        code=f"""
        import multiprocessing
        from tests.trust.work import result
        if __name__ == "__main__":
            print(result("cnn"))
            with multiprocessing.get_context({method!r}).Pool(2) as pool:
                for found in pool.map(result, ["cnn", "lstm", "mlp"], chunksize=1):
                    print(found)
        """,
        FASTNN_NUM_THREADS="2",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(result(kind)) for kind in ("cnn", "cnn", "lstm", "mlp")]


@FORKS
@pytest.mark.parametrize("first", ["pass", "import fastnn", "import fastnn; fastnn.kernels.exp([1.0])"])
def test_import_in_a_child(first):
    done = python(
        *QUIET,
        code=f"""
        import os
        {first}
        child = os.fork()
        if child == 0:
            from tests.trust.work import result
            result("mlp")
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
    )
    assert done.stdout == "7\n", done.stderr


@FORKS
def test_fork_while_another_thread_trains():
    """The child has only the forking thread; its kernels must not wait for workers or for a job that is gone."""
    done = python(
        *QUIET,
        code="""
        import os, threading
        from tests.trust.work import build, digest, train
        models = [build("cnn"), build("mlp")]
        stop = threading.Event()
        def busy():
            while not stop.is_set():
                train(models[0], "cnn", 1)
        other = threading.Thread(target=busy)
        other.start()
        for _ in range(10):
            child = os.fork()
            if child == 0:
                train(models[1], "mlp", shuffle=False)
                os._exit(int(digest(models[1]), 16) % 50)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        stop.set()
        other.join()
        """,
        FASTNN_NUM_THREADS="3",
    )
    assert done.returncode == 0, done.stderr
    model = build("mlp")
    train(model, "mlp", shuffle=False)
    assert done.stdout.split() == [str(int(digest(model), 16) % 50)] * 10


HELD = {
    "a model that another thread trains": """
        def hold(inside, over):
            say = LambdaCallback(on_train_batch_end=lambda batch, logs: (inside.set(), over.wait()))
            model.fit(x, t, verbose=0, callbacks=[say])
        def use():
            model.predict(x, verbose=0)
            model.fit(x, t, verbose=0)
        """,
    "the seed": """
        def hold(inside, over):
            with fastnn.seeds._lock:
                inside.set(), over.wait()
        use = fastnn.seeds.draw_key
        """,
    "the names of layers": """
        def hold(inside, over):
            with names._lock:
                inside.set(), over.wait()
        def use():
            fastnn.layers.Dense(2)
        """,
}


@FORKS
@pytest.mark.parametrize("held", HELD)
def test_fork_while_another_thread_holds(held):
    """The child has no thread that would let go of it."""
    done = python(
        *QUIET,
        code=f"""
        import os, signal, threading
        import numpy as np
        import fastnn
        from fastnn.callbacks import LambdaCallback
        from fastnn.utils import names
        model = fastnn.Sequential([fastnn.layers.Input((3,)), fastnn.layers.Dense(2)])
        model.compile("adam", "mse")
        x, t = np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)
{textwrap.indent(textwrap.dedent(HELD[held]), " " * 8)}
        inside, over = threading.Event(), threading.Event()
        other = threading.Thread(target=hold, args=(inside, over))
        other.start()
        inside.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            use()
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        over.set()
        other.join()
        use()
        """,
    )
    assert (done.returncode, done.stdout) == (0, "7\n"), done.stderr


@FORKS
def test_fork_in_a_callback():
    """What the forking thread holds it goes on to hold in the child."""
    done = python(
        *QUIET,
        code="""
        import os
        import numpy as np
        import fastnn
        from fastnn.callbacks import LambdaCallback
        model = fastnn.Sequential([fastnn.layers.Input((3,)), fastnn.layers.Dense(2)])
        model.compile("adam", "mse")
        x, t = np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)
        children = []
        fork = LambdaCallback(on_train_batch_end=lambda batch, logs: children.append(os.fork()))
        model.fit(x, t, verbose=0, callbacks=[fork])
        model.predict(x, verbose=0)
        if children == [0]:
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]))
        """,
    )
    assert (done.returncode, done.stdout) == (0, "7\n"), done.stderr


@pytest.mark.parametrize(
    "end",
    [
        "time.sleep(0.3)",  # the workers sleep
        "pass",  # the workers spin
        "threading.Thread(target=train, args=(model, 'cnn', 10**6), daemon=True).start(); time.sleep(0.3)",
    ],
)
def test_exit_while_threads_are_there(end):
    done = python(
        *QUIET,
        code=f"""
        import threading, time
        from tests.trust.work import build, train
        model = build("cnn")
        train(model, "cnn")
        print("trained", flush=True)
        {end}
        """,
        FASTNN_NUM_THREADS="3",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "trained\n", "")


INTERRUPTED = """
import signal
import sys
import numpy as np
from fastnn.callbacks import LambdaCallback
from tests.trust.work import build, digest, digits, train

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job of a shell ignores
x, y = digits("cnn")
model = build("cnn")
say = LambdaCallback(on_train_batch_end=lambda batch, logs: batch == 3 and print("go", flush=True))
try:
    model.fit(x, y, epochs=10**6, verbose={verbose}, callbacks=[say])
except KeyboardInterrupt:
    print("interrupted")
weights = model.get_weights()
assert all(np.isfinite(w).all() for w in weights)
twin = build("cnn")
twin.set_weights(weights)
assert (model.predict(x, verbose=0) == twin.predict(x, verbose=0)).all()
assert model.evaluate(x, y, verbose=0) == twin.evaluate(x, y, verbose=0)
before = model.evaluate(x, y, verbose=0)[0]
train(model, "cnn", 3)
assert model.evaluate(x, y, verbose=0)[0] < max(before, 0.1)
print("usable")
"""


@pytest.mark.parametrize("verbose", [0, 1])
def test_ctrl_c_leaves_a_usable_model(verbose):
    command = [sys.executable, "-c", INTERRUPTED.format(verbose=verbose)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=CLEAN, **pipes) as child:
        try:
            assert any(line.endswith("go\n") for line in child.stdout)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=120)
        finally:
            child.kill()
    assert child.returncode == 0, err
    words = [line for line in out.splitlines() if line in ("interrupted", "usable")]
    assert words == ["interrupted", "usable"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
def test_ctrl_c_at_any_moment():
    """150 interrupts after up to a few milliseconds, one after the other, on one model."""
    done = python(
        code="""
        import signal
        import numpy as np
        from fastnn import kernels
        from tests.trust.work import build, digits
        x, y = digits("mlp", 96)
        model, twin = build("mlp"), build("mlp")
        model.fit(x, y, verbose=0)
        rng = np.random.default_rng(2)
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        interrupts = 0
        for _ in range(150):
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 4e-3))
                model.fit(x, y, epochs=10**6, verbose=0)
            except KeyboardInterrupt:
                interrupts += 1
            weights = model.get_weights()
            assert all(np.isfinite(w).all() for w in weights)
            twin.set_weights(weights)
            assert (model.predict(x, verbose=0) == twin.predict(x, verbose=0)).all()
            fresh = [kernels.exp(np.zeros(3)) for _ in range(2)]
            assert fresh[0] is not fresh[1]  # no workspace was left in force
        print(interrupts)
        """
    )
    assert done.stdout == "150\n", done.stderr
