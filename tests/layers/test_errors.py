"""Layers refuse what they cannot do, before anything changes, and say what to type."""

import numpy as np
import pytest

from fastnn import layers


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: layers.Dense(0), ValueError, "units of Dense must be a positive integer. Received: units=0"),
        (lambda: layers.Dense(2.5), ValueError, "units=2.5"),
        (lambda: layers.Dense(True), ValueError, "units=True"),
        (lambda: layers.Dense(3, activation="rellu"), ValueError, "relu"),
        (lambda: layers.Dense(3, units_=3), TypeError, "Did you mean units="),
        (lambda: layers.Dense(3, dtype="int32"), ValueError, "float32"),
        (lambda: layers.Dense(3, algorithm="fast"), ValueError, "algorithm='fast'"),
        (lambda: layers.Dropout(1.5), ValueError, "rate=1.5"),
        (lambda: layers.Dropout("0.5"), ValueError, "rate='0.5'"),
        (lambda: layers.Conv2D(3, (3, 0)), ValueError, "kernel_size"),
        (lambda: layers.Conv2D(3, (3, 3, 3)), ValueError, "Conv2D: kernel_size"),
        (lambda: layers.Conv2D(3, 3, strides=-1), ValueError, "strides"),
        (lambda: layers.Conv2D(3, 3, padding="full"), ValueError, "padding='full'"),
        (lambda: layers.Conv2D(3, 3, groups=2), ValueError, "multiple of groups"),
        (lambda: layers.Conv2D(3, 3, data_format="NCHW"), ValueError, "channels_first"),
        (lambda: layers.Conv2DTranspose(3, 3, padding="full"), ValueError, "padding='full'"),
        (lambda: layers.Conv2DTranspose(0, 3), ValueError, "filters"),
        (lambda: layers.Conv2DTranspose(3, 3, 2, output_padding=2), ValueError, "from 0 to its stride - 1"),
        (lambda: layers.Conv2DTranspose(3, 3, 2, output_padding=(1, 1, 1)), ValueError, r"\(1, 1, 1\)"),
        (lambda: layers.Conv1DTranspose(3, 3, 2, output_padding="1"), ValueError, "output_padding='1'"),
        (lambda: layers.Conv1DTranspose(3, 3, padding="causal"), ValueError, "Conv1DTranspose"),
        (lambda: layers.Conv1DTranspose(3, 3, kernel_constraint="max"), ValueError, "kernel_constraint"),
        (lambda: layers.Conv2D(3, 3, algorithm="fft"), ValueError, '"im2col" or "winograd"'),
        (lambda: layers.Conv2D(3, 3, strides=2, algorithm="winograd"), ValueError, r"strides=\(2, 2\)"),
        (lambda: layers.DepthwiseConv2D(3, algorithm="winograd"), ValueError, '"direct" or "im2col"'),
        (lambda: layers.AveragePooling2D(), TypeError, "pool_size"),
        (lambda: layers.MaxPooling2D(0), ValueError, "pool_size"),
        (lambda: layers.MaxPooling2D(padding="x"), ValueError, "padding='x'"),
        (lambda: layers.ZeroPadding2D(-1), ValueError, "padding=-1"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), ValueError, "ZeroPadding2D"),
        (lambda: layers.Cropping2D(-1), ValueError, "cropping=-1"),
        (lambda: layers.Cropping2D(((1, 2), (1, -2))), ValueError, "cropping of Cropping2D"),
        (lambda: layers.Cropping2D("12"), ValueError, "cropping='12'"),
        (lambda: layers.Reshape((2, 0)), ValueError, "target_shape"),
        (lambda: layers.Reshape((-1, -1)), ValueError, "-1"),
        (lambda: layers.LeakyReLU(-1), ValueError, "negative_slope=-1"),
        (lambda: layers.Conv1D(3, (3, 3)), TypeError, "kernel_size of Conv1D must be an integer"),
        (lambda: layers.Conv1D(3, 0), ValueError, "kernel_size=0"),
        (lambda: layers.Conv1D(3, 3, strides=(0,)), ValueError, "strides"),
        (lambda: layers.Conv1D(3, 3, padding="full"), ValueError, "causal"),
        (lambda: layers.Conv1D(3, 3, groups=2), ValueError, "multiple of groups"),
        (lambda: layers.Conv1D(3, 3, algorithm="fft"), ValueError, "im2col"),
        (lambda: layers.DepthwiseConv1D(3, padding="causal"), ValueError, 'DepthwiseConv1D must be "valid" or "same"'),
        (lambda: layers.DepthwiseConv1D(3, depth_multiplier=0), ValueError, "depth_multiplier=0"),
        (lambda: layers.SeparableConv1D(0, 3), ValueError, "filters of SeparableConv1D"),
        (lambda: layers.SeparableConv1D(2, 3, pointwise_constraint="max"), ValueError, "pointwise_constraint"),
        (lambda: layers.MaxPooling1D(2.5), TypeError, "pool_size=2.5"),
        (lambda: layers.MaxPooling1D(padding="causal"), ValueError, "padding='causal'"),
        (lambda: layers.ZeroPadding1D(-1), ValueError, "padding"),
        (lambda: layers.ZeroPadding1D((1, 2, 3)), ValueError, "ZeroPadding1D"),
        (lambda: layers.Cropping1D((1, -1)), ValueError, "cropping"),
        (lambda: layers.UpSampling1D("2"), TypeError, "size='2'"),
        (lambda: layers.UpSampling2D(0), ValueError, "UpSampling2D: size must be at least 1"),
        (lambda: layers.UpSampling2D((2, 2, 2)), ValueError, "size"),
        (lambda: layers.UpSampling2D(interpolation="bicubic"), ValueError, 'Use interpolation="bilinear"'),
        (lambda: layers.SpatialDropout1D(2), ValueError, "rate=2"),
        (lambda: layers.Dropout(0.5, noise_shape=(None, 0)), ValueError, "noise_shape"),
        (lambda: layers.Dropout(0.5, 3), ValueError, "noise_shape=3"),
        (lambda: layers.Masking("0"), ValueError, "mask_value='0'"),
        (lambda: layers.Embedding(0, 4), ValueError, "input_dim of Embedding must be a positive integer"),
        (lambda: layers.Embedding(4, 2.0), ValueError, "output_dim"),
        (lambda: layers.Embedding(4, 2, weights=np.ones((2, 4))), ValueError, r"shape \(4, 2\)"),
        (lambda: layers.Embedding(4, 2, vocabulary=3), TypeError, "vocabulary"),
        (lambda: layers.Dense(3, use_bias="no"), ValueError, "use_bias of Dense must be True or False. .*'no'"),
        (lambda: layers.Conv2D(3, 3, use_bias=None), ValueError, "use_bias=None"),
        (lambda: layers.Dense(3, kernel_initializer="he"), ValueError, "kernel_initializer of Dense: .*'he'"),
        (lambda: layers.Dense(3, bias_regularizer=0.1), TypeError, "bias_regularizer of Dense: .*0.1"),
        (lambda: layers.Conv1D(3, 3, kernel_constraint="max"), ValueError, "kernel_constraint of Conv1D"),
        (lambda: layers.Conv2D(3, 3, bias_initializer="one_s"), ValueError, "bias_initializer of Conv2D"),
        (lambda: layers.DepthwiseConv2D(3, depthwise_initializer=1), TypeError, "depthwise_initializer"),
        (lambda: layers.SeparableConv2D(3, 3, pointwise_regularizer="l3"), ValueError, "pointwise_regularizer"),
        (lambda: layers.Embedding(4, 2, "unifrom"), ValueError, "Did you mean 'uniform'"),
        (lambda: layers.Embedding(4, 2, mask_zero="no"), ValueError, "mask_zero='no'"),
        (lambda: layers.Input(shape=28), ValueError, "shape"),
        (lambda: layers.Input(shape=(28, -1)), ValueError, r"\(28, -1\)"),
    ],
)
def test_bad_settings(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "words"),
    [
        (layers.Dense(3), (4,), r"x\[:, None\]"),
        (layers.Dense(3), (None, None), "known length"),
        (layers.Conv2D(3, 3), (None, 28, 28), r"x\[..., None\]"),
        (layers.Conv2D(3, 3), (None, 28, 28, None), "known number of channels"),
        (layers.Conv2D(3, 5), (None, 4, 4, 1), "does not fit"),
        (layers.Conv2D(4, 3, groups=2), (None, 8, 8, 3), "multiple of groups"),
        (layers.MaxPooling2D(9), (None, 8, 8, 3), "does not fit"),
        (layers.Reshape((5, 5)), (None, 24), "as many cells"),
        (layers.Reshape((5, -1)), (None, 24), "as many cells"),
        (layers.Softmax(axis=0), (None, 24), "other than the batch"),
        (layers.Conv1D(3, 3), (None, 8), r"x\[..., None\]"),
        (layers.Conv1D(3, 3), (None, 8, None), "known number of channels"),
        (layers.Conv1D(3, 5), (None, 4, 1), "does not fit"),
        (layers.Conv1D(4, 3, groups=2), (None, 8, 3), "multiple of groups"),
        (layers.MaxPooling1D(9), (None, 8, 3), "does not fit"),
        (layers.Cropping1D(4), (None, 8, 3), "leaves none of 8"),
        (layers.Cropping2D(4), (None, 9, 8, 3), "leaves none of the 8 pixels along the width"),
        (layers.Cropping2D(((3, 2), (0, 0))), (None, 5, 8, 3), "leaves none of the 5 pixels along the height"),
        (layers.DepthwiseConv1D(5), (None, 4, 1), "does not fit"),
        (layers.Conv2DTranspose(2, 2, 2, "same", 0), (None, 1, 3, 4), "leaves nothing of the height"),
        (layers.Conv2DTranspose(2, 2), (None, 4, 3), r"x\[..., None\]"),
        (layers.Conv1DTranspose(2, 2), (None, 4, None), "known number of channels"),
        (layers.SeparableConv1D(2, 5), (None, 8), r"x\[..., None\]"),
        (layers.SpatialDropout1D(0.5), (None, 8), "batch, time, channels"),
        (layers.Dropout(0.5, noise_shape=(None, 1)), (None, 8, 3), "stretches over"),
        (layers.Dropout(0.5, noise_shape=(None, 2, 1)), (None, 8, 3), "stretches over"),
        (layers.Masking(), (None, 8), r"x\[..., None\]"),
    ],
)
def test_bad_shapes_leave_the_layer_unbuilt(layer, shape, words):
    with pytest.raises(ValueError, match=words) as error:
        layer.ensure_built(shape)
    assert f'"{layer.name}"' in str(error.value)
    assert "Received: " in str(error.value)
    assert not layer.built
    assert layer.weights == []


def test_set_weights_changes_nothing_when_one_does_not_fit():
    layer = layers.Dense(3)
    layer.ensure_built((None, 2))
    before = layer.get_weights()
    for wrong in ([], [np.zeros((2, 3))], [np.zeros((2, 3)), np.zeros(4)]):
        with pytest.raises(ValueError, match="Received"):
            layer.set_weights(wrong)
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_built_layer_refuses_other_channels():
    for layer, shape, other in (
        (layers.Dense(3), (None, 4), (None, 5)),
        (layers.Conv2D(3, 3), (None, 8, 8, 4), (None, 8, 8, 5)),
        (layers.Conv1D(3, 3), (None, 8, 4), (None, 8, 5)),
    ):
        layer.ensure_built(shape)
        with pytest.raises(ValueError, match="Received"):
            layer.ensure_built(other)


def test_custom_layer_teaches():
    class NoForward(layers.Layer):
        pass

    class OnlyY(layers.Layer):
        def forward(self, x, training=False):
            return x

    class WrongDtype(layers.Layer):
        def forward(self, x, training=False):
            return x.astype(np.float64), None

    with pytest.raises(NotImplementedError, match=r"def forward\(self, x, training=False\): return y, ctx"):
        NoForward()(np.ones((1, 2)))
    with pytest.raises(TypeError, match="return y, ctx"):
        OnlyY()(np.ones((1, 2)))
    with pytest.raises(TypeError, match="float64"):
        WrongDtype()(np.ones((1, 2)))
    with pytest.raises(NotImplementedError, match="has no backward"):
        OnlyY().backward(np.ones((1, 2)), None)


@pytest.mark.parametrize(
    "x",
    [
        np.ones((2, 3, 4), complex),
        np.full((2, 3, 4), "1"),
        np.full((2, 3, 4), None),
        np.full((2, 3, 4), "2020-01-01", "M8[D]"),
        {},
    ],
)
@pytest.mark.parametrize("make", [layers.Dense, layers.LSTM, lambda n: layers.Bidirectional(layers.GRU(n))])
def test_a_call_takes_real_numbers(make, x):
    layer = make(2)
    with pytest.raises(TypeError, match="takes real numbers"):
        layer(x)
    assert not layer.built
    with pytest.raises(ValueError, match="2 rows of different lengths"):
        layer([[1.0], [1.0, 2.0]])


def test_settings_of_none_are_the_defaults_of_keras():
    dense = layers.Dense(2, kernel_initializer=None)
    dense(np.ones((1, 3)))
    assert dense.kernel.value.any()
    assert layers.Dense(2, use_bias=0).use_bias is False


def test_ids_may_come_as_half_floats():
    assert layers.Embedding(5, 2)(np.float16([[1, 4]])).shape == (1, 2, 2)


def test_convolution_of_no_sequences():
    assert layers.Conv1D(2, 2)(np.ones((0, 4, 3))).shape == (0, 3, 2)


def test_rows_of_a_mask_have_one_length():
    with pytest.raises(ValueError, match=r"mask of layer .* a list of 2 rows of different lengths"):
        layers.LSTM(2)(np.ones((2, 2, 3)), mask=[[True], [True, False]])
