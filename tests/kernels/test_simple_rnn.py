"""simple_rnn."""

from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "simple_rnn"
