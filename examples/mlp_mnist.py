"""A multilayer perceptron recognises handwritten digits.

The pixels are used as they are, uint8 from 0 to 255: ``fit`` casts each batch while it gathers it. One hidden layer of
256 units, 203,530 parameters, 1,875 steps of 32 images per epoch.

    python examples/mlp_mnist.py
"""

from common import options, save_curves

from fastnn.datasets import mnist
from fastnn.layers import Dense, Flatten
from fastnn.models import Sequential
from fastnn.utils import set_random_seed

args = options("An MLP on MNIST.", epochs=5, output="mlp_mnist.png")
set_random_seed(0)

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, y_train = x_train[: args.samples], y_train[: args.samples]

model = Sequential(
    [
        Flatten(input_shape=(28, 28)),
        Dense(256, activation="relu"),
        Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.summary()

history = model.fit(x_train, y_train, epochs=args.epochs)
loss, accuracy = model.evaluate(x_test, y_test)
print(f"test accuracy {accuracy:.4f}, loss {loss:.4f}")

predicted = model.predict(x_test[:10]).argmax(axis=1)
print("predicted", predicted.tolist())
print("true     ", y_test[:10].tolist())
save_curves({"training": history.history}, ["loss", "accuracy"], args.output)
