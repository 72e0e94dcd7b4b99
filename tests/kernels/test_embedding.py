"""embedding."""

from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "embedding"
