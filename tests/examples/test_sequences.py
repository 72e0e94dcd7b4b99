"""The sequence examples on real text and real series: small runs here, larger ones in the slow tests."""

import re

import pytest

from fastnn.datasets import korsts, nsmc, pollution, sst2, temperature, tiny_shakespeare
from tests.examples.test_examples import accuracy, run

needs_korsts = pytest.mark.skipif(korsts.find() is None, reason="KorSTS is not here; set FASTNN_DATA")
needs_nsmc = pytest.mark.skipif(nsmc.find() is None, reason="NSMC is not here; set FASTNN_DATA")
needs_sst2 = pytest.mark.skipif(sst2.find() is None, reason="SST-2 is not here; set FASTNN_DATA")
needs_shakespeare = pytest.mark.skipif(tiny_shakespeare.find() is None, reason="the text is not here; set FASTNN_DATA")
needs_series = pytest.mark.skipif(
    pollution.find() is None or temperature.find() is None, reason="the series are not here; set FASTNN_DATA"
)


def bits(printed: str) -> float:
    return float(re.search(r"bits per character on the validation tenth: (\d+\.\d+)", printed)[1])


def errors(printed: str) -> list[tuple[float, float]]:
    """Return the mean absolute errors of the networks, each with that of the naive forecast."""
    return [(float(a), float(b)) for a, b in re.findall(r"error ([\d.]+), naive ([\d.]+)", printed)]


@needs_korsts
def test_bilstm_korsts(tmp_path):
    printed = run(tmp_path, "bilstm_korsts", epochs=2, samples=320)
    for parameters in ("66,048", "41,216", "4,160"):
        assert parameters in printed
    assert "20/20" in printed
    assert "majority class alone: 0.5120" in printed
    assert 0.35 < accuracy(printed) < 0.65


@needs_shakespeare
def test_char_rnn(tmp_path):
    printed = run(tmp_path, "char_rnn_shakespeare", epochs=1, samples=30000, units=32, length=50)
    assert 4 < bits(printed) < 6.1  # a uniform guess needs 6.02
    assert "ROMEO:" in printed


def accuracies(printed: str) -> dict[str, float]:
    return {name: float(a) for name, a in re.findall(r"(\w+): test accuracy ([\d.]+)", printed)}


@needs_sst2
def test_transformer_sentiment(tmp_path):
    """Measured after this run: Transformer 0.70, GRU 0.65."""
    found = accuracies(run(tmp_path, "transformer_sentiment", epochs=3, samples=1500))
    assert set(found) == {"Transformer", "GRU"}
    assert min(found.values()) > 0.58


@needs_shakespeare
def test_char_gpt(tmp_path):
    printed = run(tmp_path, "char_gpt_shakespeare", epochs=2, samples=60000, width=32, blocks=1, context=32, length=50)
    assert 3 < bits(printed) < 4.6  # the frequencies of the characters alone need 4.8; measured: 3.97
    assert printed.count("ROMEO:") == 2


def test_seq2seq(tmp_path):
    """Measured after this run: 0.31 and 0.42 of the characters of new dates."""
    printed = run(tmp_path, "seq2seq_attention", epochs=2, samples=1500, units=16)
    assert len(re.findall(r"\S -> [-\d]{10}\n", printed)) == 5
    alone, attention = (float(a) for a in re.findall(r" val_accuracy: ([\d.]+)", printed)[1::2])
    assert alone > 0.27
    assert attention > 0.35


@needs_series
def test_forecast(tmp_path):
    printed = run(tmp_path, "forecast", epochs=1, samples=1000)
    assert len(errors(printed)) == 4


@needs_korsts
@pytest.mark.slow
def test_bilstm_korsts_memorises_its_pairs(tmp_path):
    """Measured after the third epoch: 0.93 of the training pairs."""
    printed = run(tmp_path, "bilstm_korsts", epochs=3)
    last = [float(a) for a in re.findall(r" accuracy: ([\d.]+).*val_accuracy", printed)][-1]
    assert last > 0.85
    assert 0.52 < accuracy(printed) < 0.7


@needs_nsmc
@pytest.mark.slow
def test_nsmc(tmp_path):
    """Measured after this run: GRU 0.774, LSTM 0.783, MLP 0.792."""
    printed = run(tmp_path, "nsmc_lstm_gru", epochs=2, samples=30000)
    found = accuracies(printed)
    assert set(found) == {"GRU", "LSTM", "MLP"}
    assert min(found.values()) > 0.75


@needs_sst2
@pytest.mark.slow
def test_the_transformer_is_as_good_as_the_gru(tmp_path):
    """Measured after this run: 0.789 both."""
    found = accuracies(run(tmp_path, "transformer_sentiment"))
    assert min(found.values()) > 0.76


@needs_nsmc
@pytest.mark.slow
def test_the_transformer_reads_korean(tmp_path):
    """Measured after this run: 0.783."""
    found = accuracies(
        run(tmp_path, "transformer_sentiment", data="nsmc", models="Transformer", epochs=2, samples=30000)
    )
    assert found["Transformer"] > 0.75


@needs_shakespeare
@pytest.mark.slow
def test_char_rnn_beats_pairs_of_characters(tmp_path):
    """Counting pairs of characters gives about 3.6 bits; measured here: 2.98."""
    assert bits(run(tmp_path, "char_rnn_shakespeare", epochs=1, units=128, length=20)) < 3.3


@needs_shakespeare
@pytest.mark.slow
def test_char_gpt_beats_pairs_of_characters(tmp_path):
    """Counting pairs of characters gives about 3.6 bits; measured here: 3.18."""
    printed = run(tmp_path, "char_gpt_shakespeare", epochs=1, width=64, blocks=2, length=20)
    assert bits(printed) < 3.4


@pytest.mark.slow
def test_attention_finds_the_dates(tmp_path):
    """Measured after this run: 1.00 with attention, 0.80 without."""
    printed = run(tmp_path, "seq2seq_attention")
    right = {name: float(a) for name, a in re.findall(r"(alone|attention): ([\d.]+) of the test", printed)}
    assert right["attention"] > 0.95 > right["alone"]


@needs_series
@pytest.mark.slow
def test_forecasts_beat_the_naive_one(tmp_path):
    printed = run(tmp_path, "forecast", epochs=8)
    assert all(error < 0.93 * naive for error, naive in errors(printed))
