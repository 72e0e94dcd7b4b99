"""lstm."""

from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "lstm"
