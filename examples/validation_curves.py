"""Underfitting and overfitting, seen in the curves, and two remedies: L2 and early stopping.

Four models learn the same 4,000 images and are validated on 1,000 others after every epoch:

* *too small*: both losses stay high; the model cannot learn the task;
* *too large*: the training loss keeps falling while the validation loss turns and rises; the model memorises;
* *L2*: the same model with a penalty on large weights; the two curves stay together;
* *early stopping*: the same model, stopped when the validation loss has not improved for two epochs, and restored to
  its best weights.

    python examples/validation_curves.py
"""

from common import options, save_curves

from fastnn.callbacks import EarlyStopping
from fastnn.datasets import fashion_mnist
from fastnn.layers import Dense, Flatten, Input
from fastnn.models import Sequential
from fastnn.regularizers import L2
from fastnn.utils import set_random_seed

args = options("Four validation curves on Fashion-MNIST.", epochs=30, output="validation_curves.png")

(x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
samples = args.samples or 5000
x_train, y_train = x_train[:samples] / 255, y_train[:samples]
x_test = x_test / 255


def mlp(units, penalty=None):
    """Build two hidden layers with this many units; the initial weights and the order of images are always the same."""
    set_random_seed(0)
    regularizer = L2(penalty) if penalty else None
    model = Sequential([Input(shape=(28, 28)), Flatten()])
    for _ in range(2):
        model.add(Dense(units, activation="relu", kernel_regularizer=regularizer))
    model.add(Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


stop = EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
runs = {}
for name, settings, callbacks in (
    ("too small", {"units": 4}, []),
    ("too large", {"units": 256}, []),
    ("L2", {"units": 256, "penalty": 0.001}, []),
    ("early stopping", {"units": 256}, [stop]),
):
    model = mlp(**settings)
    history = model.fit(
        x_train, y_train, epochs=args.epochs, validation_split=0.2, callbacks=callbacks, verbose=0
    ).history
    runs[name] = history
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    training, validation = history["loss"][-1], history["val_loss"]
    print(
        f"{name:<15} {len(validation):>3} epochs   training loss {training:.3f}   validation loss {validation[-1]:.3f}",
        end="",
    )
    print(f" (at best {min(validation):.3f})   test accuracy {accuracy:.4f}")
save_curves(runs, ["loss", "accuracy"], args.output)
