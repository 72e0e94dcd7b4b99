"""Shape formulas against counting, and the errors that teach."""

import itertools

import pytest

from fastnn import shapes


def count(length, window, stride, before, after, dilation):
    """Windows counted one by one."""
    span = dilation * (window - 1) + 1
    return sum(1 for start in range(0, length + before + after, stride) if start + span <= length + before + after)


GRID = list(itertools.product([1, 2, 7, 8, 17], [1, 2, 3, 5], [1, 2, 3], [1, 2]))


@pytest.mark.parametrize(("length", "window", "stride", "dilation"), GRID)
def test_lengths_are_the_windows_that_fit(length, window, stride, dilation):
    assert shapes.output_length(length, window, stride, "same", dilation) == -(-length // stride)
    for padding in ("valid", "same", (0, 3), (2, 1)):
        before, after = shapes.padding_amounts(length, window, stride, padding, dilation)
        expected = count(length, window, stride, before, after, dilation)
        if expected:
            assert shapes.output_length(length, window, stride, padding, dilation) == expected
        else:
            with pytest.raises(ValueError, match="does not fit"):
                shapes.output_length(length, window, stride, padding, dilation)


def test_the_extra_cell_of_same_goes_after():
    assert shapes.padding_amounts(4, 2, 1, "same") == (0, 1)
    assert shapes.padding_amounts(28, 3, 2, "same") == (0, 1)
    assert shapes.padding_amounts(28, 5, 1, "same") == (2, 2)


def test_the_cnn_of_the_notes():
    """28 → 26 → 13 → 11 → 5 → 3 → 1."""
    shape = (None, 28, 28, 1)
    for channels, filters in ((1, 32), (32, 64), (64, 64)):
        shape = shapes.conv2d_output_shape(shape, (3, 3, channels, filters))
        shape = shapes.pool2d_output_shape(shape)
    assert shape == (None, 1, 1, 64)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (ValueError, lambda: shapes.output_length(0, 1)),
        (ValueError, lambda: shapes.output_length(3, 0)),
        (ValueError, lambda: shapes.output_length(3, 2, 0)),
        (ValueError, lambda: shapes.output_length(3, 2, dilation=0)),
        (ValueError, lambda: shapes.output_length(3, 4)),
        (ValueError, lambda: shapes.output_length(3, 2, padding="causal")),
        (ValueError, lambda: shapes.output_length(3, 2, padding=(-1, 0))),
        (ValueError, lambda: shapes.pair("strides", (1, 2, 3))),
        (TypeError, lambda: shapes.pair("strides", 1.5)),
        (TypeError, lambda: shapes.pair("strides", "12")),
        (TypeError, lambda: shapes.pair("strides", (1, None))),
        (ValueError, lambda: shapes.conv2d_output_shape((1, 5, 5), (3, 3, 1, 1))),
        (ValueError, lambda: shapes.conv2d_output_shape((1, 5, 5, 4), (3, 3, 2, 6), groups=3)),
        (ValueError, lambda: shapes.conv2d_output_shape((1, 5, 5, 4), (3, 3, 2, 5), groups=2)),
        (ValueError, lambda: shapes.conv2d_output_shape((1, 5, 5, 1), (3, 3, 1, 1), padding=((1, 1),))),
        (ValueError, lambda: shapes.pool2d_output_shape((1, 5, 5, 1), padding=((1, 1), (1, 1)))),
        (ValueError, lambda: shapes.pool2d_output_shape((1, 1, 5, 1))),
    ],
)
def test_errors_say_what_came(error, call):
    with pytest.raises(error, match="Received"):
        call()
