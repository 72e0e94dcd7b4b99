"""A small residual network classifies images of clothing.

A convolution and three residual blocks: each is two 3×3 convolutions with batch normalization, whose output is added to
the block's input, or to a 1×1 convolution of it where the shape changes. The images shrink 28 → 14 → 7 while their
channels grow 32 → 64 → 128; the mean over the image and one Dense layer classify it. 309,418 parameters.

The training images are mirrored and shifted at random, a new way in each epoch; the learning rate rises for two epochs
and then falls along a cosine.

    python examples/residual_fashion.py
"""

from time import perf_counter

import numpy as np
from common import options, save_curves

from fastnn.data import Dataset
from fastnn.datasets import fashion_mnist
from fastnn.layers import Activation, Add, BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input
from fastnn.models import Model
from fastnn.optimizers import SGD
from fastnn.optimizers.schedules import CosineDecay
from fastnn.utils import set_random_seed

BATCH, SHIFT, MEAN, SPREAD = 128, 2, 0.286, 0.353  # shift: pixels at most; mean and spread of the training pixels

args = options("A residual network on Fashion-MNIST.", epochs=12, output="residual_fashion.png")
set_random_seed(0)
rng = np.random.default_rng(0)


def conv_norm(x, filters, size, strides=1):
    x = Conv2D(filters, size, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return BatchNormalization(momentum=0.9)(x)


def residual_block(x, filters, strides=1):
    y = Activation("relu")(conv_norm(x, filters, 3, strides))
    y = conv_norm(y, filters, 3)
    if x.shape[-1] != filters:
        x = conv_norm(x, filters, 1, strides)
    return Activation("relu")(Add()([y, x]))


def scaled(images):
    return ((images[..., None] / 255 - MEAN) / SPREAD).astype("float32")


def mirrored_and_shifted(images, labels):
    """Mirror half of the images, and shift each by up to SHIFT pixels; what is behind the border is background."""
    n, height, width, _ = images.shape
    wide = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), constant_values=-MEAN / SPREAD)
    down, right = rng.integers(0, 2 * SHIFT + 1, (2, n, 1))
    rows, columns = down + np.arange(height), right + np.arange(width)
    columns = np.where(rng.random((n, 1)) < 0.5, columns, columns[:, ::-1])
    return wide[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]], labels


(x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
x_train, y_train, x_test = scaled(x_train[: args.samples]), y_train[: args.samples], scaled(x_test)
batches = Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train)).batch(BATCH).map(mirrored_and_shifted)

images = Input((28, 28, 1))
x = Activation("relu")(conv_norm(images, 32, 3))
for filters, strides in ((32, 1), (64, 2), (128, 2)):
    x = residual_block(x, filters, strides)
model = Model(images, Dense(10, activation="softmax")(GlobalAveragePooling2D()(x)))
steps = args.epochs * -(-len(x_train) // BATCH)
rate = CosineDecay(0.01, 5 * steps // 6, warmup_target=0.2, warmup_steps=steps // 6)
model.compile(
    optimizer=SGD(rate, momentum=0.9, nesterov=True, weight_decay=5e-4),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.summary()

start = perf_counter()
history = model.fit(batches.prefetch(2), epochs=args.epochs, validation_data=(x_test, y_test))
print(f"{args.epochs} epochs with validation in {perf_counter() - start:.1f} s")

loss, accuracy = model.evaluate(x_test, y_test)
print(f"test accuracy {accuracy:.4f}, loss {loss:.4f}")
names, counts = fashion_mnist.class_names, np.zeros((10, 10), int)
np.add.at(counts, (y_test, model.predict(x_test, verbose=0).argmax(axis=1)), 1)
np.fill_diagonal(counts, 0)
for place in np.argsort(counts, axis=None)[:-4:-1]:
    label, guess = divmod(int(place), 10)
    print(f"  {counts[label, guess]} times a {names[label]} looks like a {names[guess]}")
save_curves({"ResNet": history.history}, ["accuracy", "loss"], args.output)
