"""Make fastnn's threads visible to threadpoolctl."""

from __future__ import annotations

__all__ = ["register_threadpoolctl"]


def register_threadpoolctl() -> None:
    """Make fastnn's threads visible to threadpoolctl, under the user API ``"fastnn"``.

    ``import fastnn`` calls this if threadpoolctl has already been imported. Afterwards ``threadpool_info()`` lists the
    pool, and ``with threadpool_limits(1):`` limits it. Calling it again has no effect.

    Raises
    ------
    ImportError
        If threadpoolctl is not installed, or older than 3.2.

    Examples
    --------
    >>> import threadpoolctl
    >>> from fastnn import kernels
    >>> register_threadpoolctl()
    >>> with threadpoolctl.threadpool_limits(1, user_api="fastnn"):
    ...     kernels.get_num_threads()
    1
    """
    try:
        from threadpoolctl import LibController, register  # noqa: F401
    except ImportError:
        raise ImportError("threadpoolctl 3.2 or newer is needed. Run `pip install -U threadpoolctl`.") from None
    from .._threadpoolctl import register_once

    register_once()
