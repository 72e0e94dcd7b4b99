"""The task of ``mlp_mnist.py`` with scaled pixels, half the units, and dropout.

In training each hidden unit is dropped with probability 0.2, so that no unit can rely on another; ``evaluate`` and
``predict`` use all units. 101,770 parameters.

    python examples/mlp_dropout_mnist.py
"""

from common import options, save_curves

from fastnn.datasets import mnist
from fastnn.layers import Dense, Dropout, Flatten
from fastnn.models import Sequential
from fastnn.utils import set_random_seed

args = options("An MLP with dropout on MNIST.", epochs=5, output="mlp_dropout_mnist.png")
set_random_seed(0)

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, y_train = x_train[: args.samples] / 255, y_train[: args.samples]
x_test = x_test / 255

model = Sequential(
    [
        Flatten(input_shape=(28, 28)),
        Dense(128, activation="relu"),
        Dropout(0.2),
        Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.summary()

history = model.fit(x_train, y_train, epochs=args.epochs, validation_data=(x_test, y_test))
loss, accuracy = model.evaluate(x_test, y_test)
print(f"test accuracy {accuracy:.4f}, loss {loss:.4f}")
save_curves({"dropout 0.2": history.history}, ["loss", "accuracy"], args.output)
