"""Layers that change images at random: when they are at work, seeds, ranges, values by hand; in models and files."""

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.data import Dataset

X = np.random.default_rng(2).uniform(0, 255, (6, 8, 10, 3)).astype("float32")
RANDOM = {
    "flip": lambda **k: layers.RandomFlip(**k),
    "rotation": lambda **k: layers.RandomRotation(0.2, **k),
    "translation": lambda **k: layers.RandomTranslation(0.2, 0.3, **k),
    "zoom": lambda **k: layers.RandomZoom(0.4, **k),
    "shear": lambda **k: layers.RandomShear(0.4, 0.2, **k),
    "crop": lambda **k: layers.RandomCrop(5, 6, **k),
    "contrast": lambda **k: layers.RandomContrast(0.5, **k),
    "brightness": lambda **k: layers.RandomBrightness(0.5, **k),
    "erasing": lambda **k: layers.RandomErasing((1, 1), **k),
    "mix up": lambda **k: layers.MixUp(**k),
}


@pytest.mark.parametrize("name", RANDOM)
def test_at_work_in_training_alone(name):
    layer = RANDOM[name](seed=4)
    drawn = [layer(X, training=True) for _ in range(6)] + [layer(X)]
    assert any((one != drawn[0]).any() for one in drawn[1:])
    still = layer(X, training=False)
    np.testing.assert_array_equal(still, X if name != "crop" else X[:, 1:6, 2:8])
    again = RANDOM[name](seed=4)
    for one in drawn:
        np.testing.assert_array_equal(again(X, training=True), one)


@pytest.mark.parametrize("name", RANDOM)
def test_one_image_and_channels_first(name):
    layer, turned = RANDOM[name](seed=4), RANDOM[name](seed=4, data_format="channels_first")
    y = layer(X[:1], training=True)
    np.testing.assert_array_equal(turned(X[:1].transpose(0, 3, 1, 2), training=True), y.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(RANDOM[name](seed=4)(X[0], training=True), y[0])
    assert RANDOM[name](seed=4)(X.astype(np.uint8)).dtype == np.float32
    with pytest.raises(ValueError, match="images"):
        layer(layers.Input((8, 10)))


def test_an_image_does_not_hang_on_its_batch():
    few, many = layers.RandomRotation(0.3, seed=9)(X[:2]), layers.RandomRotation(0.3, seed=9)(X)
    np.testing.assert_array_equal(few, many[:2])


def test_a_model_augments_in_fit_and_not_in_predict(tmp_path):
    fastnn.utils.set_random_seed(5)
    augment = fastnn.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])
    model = fastnn.Sequential(
        [layers.Input((8, 10, 3)), augment, layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    model.fit(X, np.ones(6), epochs=2, verbose=0)
    plain = fastnn.Sequential([layers.Input((8, 10, 3)), *model.layers[1:]])
    np.testing.assert_allclose(model.predict(X, verbose=0), plain.predict(X, verbose=0), rtol=1e-6)
    np.testing.assert_allclose(model(X, training=False), plain.predict(X, verbose=0), rtol=1e-6)
    assert (augment(X) != X).any()  # called on arrays it is at work, as tutorials look at it
    np.testing.assert_array_equal(augment.predict(X, verbose=0), X)
    model.save(tmp_path / "m.safetensors")
    again = fastnn.models.load_model(tmp_path / "m.safetensors")
    for one in (model, again):
        one.fit(X, np.ones(6), verbose=0)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_in_a_data_set():
    augment = layers.RandomFlip(seed=1)
    data = Dataset.from_tensor_slices((X, np.arange(6))).map(lambda x, y: (augment(x, training=True), y)).batch(3)
    assert next(iter(data))[0].shape == (3, 8, 10, 3)


def test_ranges():
    y = layers.RandomBrightness(0.3, seed=1)(np.full((500, 1, 1, 1), 100.0))
    assert 100 - 0.3 * 255 <= y.min() < 40
    assert 160 < y.max() <= 100 + 0.3 * 255
    y = layers.RandomTranslation(0, 0.4, "constant", "nearest", seed=1)(
        np.tile(np.arange(10.0)[:, None], (500, 1, 1, 1))
    )
    first = (y[:, 0, :, 0] != 0).argmax(axis=1)
    assert first.max() == 5
    assert first.min() == 0
    y = layers.RandomErasing((1, 1), (0.04, 0.25), fill_value=0, seed=1)(np.ones((300, 20, 20, 1)))
    shares = 1 - y.mean((1, 2, 3))
    assert 0.02 < shares.min() < 0.06
    assert 0.2 < shares.max() < 0.3
    flips = layers.RandomFlip("horizontal", seed=1)(np.tile(np.arange(2.0)[:, None], (1000, 1, 1, 1)))
    assert 0.45 < flips[:, 0, 0, 0].mean() < 0.55


def test_mixed_labels_go_with_their_images():
    labels = np.eye(6, dtype="float32")
    both = layers.MixUp(0.4, seed=3)({"images": X, "labels": labels})
    np.testing.assert_allclose(both["images"], np.tensordot(both["labels"], X, 1), rtol=1e-4, atol=1e-3)
    still = layers.MixUp()({"images": X, "labels": labels}, training=False)
    np.testing.assert_array_equal(still["labels"], labels)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: layers.RandomFlip("sideways"), "mode='sideways'"),
    (lambda: layers.RandomRotation(2), "factor=2"),
    (lambda: layers.RandomRotation((0.1, 0.2, 0.3)), "least and the greatest"),
    (lambda: layers.RandomRotation(0.1, fill_mode="mirror"), "fill_mode='mirror'"),
    (lambda: layers.RandomRotation(0.1, interpolation="cubic"), "interpolation='cubic'"),
    (lambda: layers.RandomZoom("far"), "height_factor='far'"),
    (lambda: layers.RandomShear(-0.5), "x_factor=-0.5"),
    (lambda: layers.RandomCrop(0, 3), "height of RandomCrop"),
    (lambda: layers.RandomContrast(0.1, (1,)), r"value_range=\(1,\)"),
    (lambda: layers.RandomErasing(fill_value="noise"), "fill_value='noise'"),
    (lambda: layers.MixUp(0), "alpha=0"),
    (lambda: layers.MixUp()({"images": X}), r"keys \['images'\]"),
    (lambda: layers.Resizing(2, 2, "lanczos3"), "interpolation='lanczos3'. Use Pillow"),
    (lambda: layers.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "Received: both"),
    (lambda: layers.Resizing(2, 2, antialias=True), "antialias=True"),
    (lambda: layers.CenterCrop(2, 2)(np.ones((2, 2))), "images"),
])  # fmt: skip
def test_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
