"""Another thread writes into an array while a kernel reads it: any numbers may come out, but nothing else is touched.

Kernels check indices, then use them without the GIL. Each child lets one thread change indices between the two, at its
last places, which are checked last and used last; before indices were checked where they are used, it ended in SIGSEGV.
"""

import textwrap

import pytest

from tests.trust.children import python

RACE = """
import threading
import numpy as np
from fastnn import kernels as K

def race(array, places, bad, call, times=200):
    good, over, refused = array[places].copy(), threading.Event(), 0
    def write():
        while not over.is_set():
            for _ in range(100):
                array[places] = bad
                array[places] = good
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(times):
            try:
                call()
            except (IndexError, ValueError):  # ValueError: by rows that do not ascend
                refused += 1
    finally:
        over.set()
        writer.join()
    array[places] = good
    call()
    print("alive")

FAR = 1 << 40
"""

KERNELS = {
    "embedding_forward": """
        ids, w = np.zeros(20000, np.int64), np.zeros((100, 8), np.float32)
        race(ids, slice(-64, None), FAR, lambda: K.embedding_forward(ids, w))
    """,
    "embedding_backward": """
        ids, dy, dw = np.zeros(20000, np.int64), np.ones((20000, 8), np.float32), np.zeros((100, 8), np.float32)
        def call():
            rows = K.embedding_backward(dy, ids, 100, dw=dw)[1]
            assert rows.tolist() == [0], rows
            assert not dw[1:].any()
        race(ids, slice(-64, None), FAR, call)
    """,
    "embedding_backward, stale": """
        ids, dy, dw = np.zeros(1, np.int64), np.ones((1, 8), np.float32), np.zeros((20000, 8), np.float32)
        stale = np.arange(20000)
        race(stale, slice(-64, None), FAR, lambda: K.embedding_backward(dy, ids, 20000, stale, dw=dw))
    """,
    "gather_rows": """
        index, source = np.zeros(20000, np.int64), np.zeros((100, 8), np.uint8)
        race(index, slice(-64, None), FAR, lambda: K.gather_rows(source, index))
    """,
    "sgd_step": """
        rows, w, g = np.arange(20000), np.zeros((20000, 8), np.float32), np.zeros((20000, 8), np.float32)
        far = np.arange(64) - FAR
        race(rows, slice(-64, None), far, lambda: K.sgd_step(w, g, learning_rate=0.1, rows=rows))
    """,
    "adam_step": """
        rows, (w, g, m, v) = np.arange(20000), np.zeros((4, 20000, 8), np.float32)
        far = np.arange(64) - FAR
        race(rows, slice(-64, None), far, lambda: K.adam_step(w, g, m, v, learning_rate=0.1, step=1, rows=rows))
    """,
    "max_pool2d_backward": """
        x = np.zeros((1, 36, 6, 2000), np.float32)
        y, argmax = K.max_pool2d_forward(x, (36, 6))
        last = argmax.reshape(-1)
        race(last, slice(-64, None), 1 << 30, lambda: K.max_pool2d_backward(y, argmax, x.shape, (36, 6)))
    """,
}


@pytest.mark.parametrize("kernel", KERNELS)
def test_indices_that_change_while_they_are_used(kernel):
    done = python(code=RACE + textwrap.dedent(KERNELS[kernel]))
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-2000:]


def test_bytes_of_a_mask_beyond_one_are_true():
    """A mask may be a view of bytes, which NumPy takes for True unless they are 0."""
    done = python(
        code="""
        import numpy as np
        from fastnn import kernels as K
        rng = np.random.default_rng(0)
        q, k, v = (rng.standard_normal((1, 40, 8)).astype(np.float32) for _ in range(3))
        true = np.ones((40, 40), bool)
        true[:, ::3] = False
        odd = (true * np.uint8(255)).view(bool)
        few = (true * np.uint8(2)).view(bool)
        scale = np.ones(8, np.float32)
        for mask in (odd, few):
            for causal in (False, True):
                ours = K.additive_attention_forward(q, k, v, scale, mask=mask, causal=causal)
                assert (ours[0] == K.additive_attention_forward(q, k, v, scale, mask=true, causal=causal)[0]).all()
        q, k, v = (a.reshape(1, 40, 1, 8) for a in (q, k, v))
        for mask in (odd, few):
            ours = K.attention_forward(q, k, v, mask=mask)
            assert (ours[0] == K.attention_forward(q, k, v, mask=true)[0]).all()
        print("alive")
        """
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-2000:]
