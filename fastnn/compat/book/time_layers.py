"""The layers of the second book's ``common/time_layers.py``: ``from fastnn.compat.book.time_layers import *``."""

from . import layers
from ._affine import TimeAffine
from ._dropout import TimeDropout
from ._embedding import TimeEmbedding
from ._gru import GRU, TimeGRU
from ._lstm import LSTM, TimeBiLSTM, TimeLSTM
from ._rnn import RNN, TimeRNN
from ._time_losses import TimeSigmoidWithLoss, TimeSoftmaxWithLoss
from .layers import *  # noqa: F403  (as in the book: who imports these has the other layers too)

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "TimeAffine",
    "TimeBiLSTM",
    "TimeDropout",
    "TimeEmbedding",
    "TimeGRU",
    "TimeLSTM",
    "TimeRNN",
    "TimeSigmoidWithLoss",
    "TimeSoftmaxWithLoss",
]
__all__ += layers.__all__
