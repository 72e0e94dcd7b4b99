"""threadpoolctl sees the pool, limits it and puts it back, whichever is imported first."""

import importlib.util

import pytest

from tests.trust.children import python

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("threadpoolctl") is None, reason="pip install 'fastnn-kernels[test]'"
)
ORDERS = {
    "threadpoolctl first": "import threadpoolctl, fastnn",
    "fastnn first": "import fastnn, threadpoolctl; fastnn.utils.register_threadpoolctl()",
    "asked before it was registered": "import fastnn, threadpoolctl; threadpoolctl.threadpool_info(); "
    "fastnn.utils.register_threadpoolctl(); fastnn.utils.register_threadpoolctl()",
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_pool_is_seen_and_limited(order):
    done = python(
        code=f"""
        {ORDERS[order]}
        from fastnn import kernels
        (found,) = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "fastnn"]
        print(found["num_threads"], found["version"] == fastnn.__version__, found["filepath"] == kernels._core.__file__)
        with threadpoolctl.threadpool_limits(1):
            print(kernels.get_num_threads())
            with threadpoolctl.threadpool_limits(4, user_api="fastnn"):
                print(kernels.get_num_threads())
            print(kernels.get_num_threads())
        print(kernels.get_num_threads())
        with threadpoolctl.threadpool_limits(2, user_api="blas"):
            print(kernels.get_num_threads())
        """,
        FASTNN_NUM_THREADS="3",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["3", "True", "True", "1", "4", "1", "3", "3"]


def test_import_does_not_load_it():
    done = python(code="import sys, fastnn; print('threadpoolctl' in sys.modules, 'fastnn.utils' in sys.modules)")
    assert done.stdout == "False False\n", done.stderr


def test_without_it_the_error_says_what_to_type():
    """Absent, or older than what it needs; `import fastnn` goes on either way."""
    for stand_in in ("None", "type(sys)('threadpoolctl')"):
        done = python(
            code=f"""
            import sys
            sys.modules["threadpoolctl"] = {stand_in}
            import fastnn
            print("imported", flush=True)
            fastnn.utils.register_threadpoolctl()
            """
        )
        assert (done.returncode, done.stdout) == (1, "imported\n")
        assert "Run `pip install -U threadpoolctl`" in done.stderr
