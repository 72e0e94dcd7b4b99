"""``tf.config``: which devices there are.  One: the CPU."""

from __future__ import annotations

from typing import Any, NamedTuple

from ... import absent, kernels

__all__ = [
    "PhysicalDevice",
    "experimental",
    "experimental_run_functions_eagerly",
    "functions_run_eagerly",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "run_functions_eagerly",
    "set_visible_devices",
    "threading",
]

_ALL = kernels.get_num_threads()


class PhysicalDevice(NamedTuple):
    """A device, by name and kind."""

    name: str
    device_type: str


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices of a kind; there is no GPU.

    Examples
    --------
    >>> list_physical_devices("GPU"), len(list_physical_devices("CPU"))
    ([], 1)
    """
    return [PhysicalDevice("/physical_device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


def list_logical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The same devices, as programs see them."""
    return [PhysicalDevice("/device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that are used: all there are."""
    return list_physical_devices(device_type)


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Accepted for no GPU, of which there is none to hide; the CPU stays."""


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Accepted: functions run eagerly anyway."""


experimental_run_functions_eagerly = run_functions_eagerly


def functions_run_eagerly() -> bool:
    """True: functions always run eagerly."""
    return True


class threading:
    """``tf.config.threading``: the pool of the kernels is the only one."""

    @staticmethod
    def set_intra_op_parallelism_threads(num_threads: int) -> None:
        """The threads of a kernel; 0 for all there are."""
        kernels.set_num_threads(num_threads or _ALL)

    @staticmethod
    def get_intra_op_parallelism_threads() -> int:
        """The threads of a kernel."""
        return kernels.get_num_threads()

    @staticmethod
    def set_inter_op_parallelism_threads(num_threads: int) -> None:
        """Accepted: one operation runs at a time."""

    @staticmethod
    def get_inter_op_parallelism_threads() -> int:
        """1: one operation runs at a time."""
        return 1


class experimental:
    """The older place of some of these names."""

    list_physical_devices = staticmethod(list_physical_devices)
    list_logical_devices = staticmethod(list_logical_devices)
    get_visible_devices = staticmethod(get_visible_devices)
    set_visible_devices = staticmethod(set_visible_devices)

    @staticmethod
    def set_memory_growth(device: Any, enable: bool) -> None:
        """Accepted: memory of a GPU is meant, and there is none."""

    @staticmethod
    def enable_op_determinism() -> None:
        """Accepted: results are the same bits in every run with the same seed, at any number of threads."""


enable_op_determinism = experimental.enable_op_determinism

__getattr__ = absent.answer(__name__)
