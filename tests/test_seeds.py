"""Streams of keys beside that of the process."""

import threading

import numpy as np

import fastnn
from fastnn import layers, seeds
from fastnn.callbacks import BackupAndRestore
from fastnn.utils import set_random_seed


def test_a_block_draws_from_its_own_stream_and_leaves_that_of_the_process():
    set_random_seed(3)
    expected = [seeds.draw_key() for _ in range(4)]
    set_random_seed(3)
    found = [seeds.draw_key()]
    with seeds.drawing_from(seeds.Keys(3)) as keys:
        within = [seeds.draw_key(), seeds.draw_key()]
        with seeds.drawing_from(seeds.Keys(3)):
            assert seeds.draw_key() == expected[0]
        assert seeds.Stream().position() == (3, 2) == (keys.seed, keys.count)
    assert within == expected[:2]
    found += [seeds.draw_key() for _ in range(3)]
    assert found == expected


def test_a_seed_set_in_a_block_is_for_the_process():
    with seeds.drawing_from(seeds.Keys(1)):
        first = seeds.draw_key()
        set_random_seed(9)
        assert seeds.draw_key() == seeds.Keys(1, 1).draw_key() != first
    assert seeds.draw_key() == seeds.Keys(9).draw_key()


def test_other_threads_draw_from_the_process():
    set_random_seed(5)
    drawn = []
    with seeds.drawing_from(seeds.Keys(6)):
        thread = threading.Thread(target=lambda: drawn.append(seeds.draw_key()))
        thread.start()
        thread.join()
    assert drawn == [seeds.Keys(5).draw_key()]


def test_a_backup_of_a_block_goes_on_in_a_block(tmp_path):
    x = np.random.default_rng(0).random((40, 3)).astype(np.float32)

    def train(epochs, folder):
        with seeds.drawing_from(seeds.Keys(2)):
            model = fastnn.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dropout(0.5), layers.Dense(1)])
            model.compile("adam", "mse")
            model.fit(x, x[:, 0], 8, epochs, 0, callbacks=[BackupAndRestore(folder, delete_checkpoint=False)])
        return model.get_weights()

    expected = train(4, tmp_path / "whole")
    train(2, tmp_path / "parts")
    set_random_seed(0)
    before = seeds.Stream().position()
    for a, b in zip(train(4, tmp_path / "parts"), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert seeds.Stream().position() == before
