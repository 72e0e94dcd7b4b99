"""How far back a recurrent network learns: the gradient at each time step, and the accuracy that results.

The task: in a sequence of 50 coin tosses one of the first five is marked; was it heads? ``GradientFlow`` records during
``fit`` how large the gradient is at each step.

- A simple RNN passes the gradient through the same matrix at every step, so it shrinks (or grows) by a factor per step.
- An LSTM passes it through its cell, where only the forget gate multiplies it. With the usual initial bias that gate
  keeps 73% of the cell per step, and 0.73 to the power of 50 is next to nothing as well.
- With the forget gate of the same LSTM initialised to 98%, the gradient reaches the marked toss: the task is learnt.

    python examples/vanishing_gradient.py
"""

import numpy as np
from common import options

from fastnn.callbacks import GradientFlow
from fastnn.layers import LSTM, Dense, Input, SimpleRNN
from fastnn.models import Sequential
from fastnn.optimizers import Adam
from fastnn.utils import set_random_seed

STEPS, UNITS = 50, 32
args = options("The vanishing gradient, RNN against LSTM.", epochs=10, output="vanishing_gradient.png")


def tosses(n, rng):
    """Return sequences (n, STEPS, 2) of ±1 and the mark, and whether the marked toss was +1."""
    x, rows, marked = np.zeros((n, STEPS, 2), np.float32), np.arange(n), rng.integers(0, 5, n)
    x[..., 0] = rng.choice([-1, 1], (n, STEPS))
    x[rows, marked, 1] = 1
    return x, x[rows, marked, 0] > 0


rng = np.random.default_rng(0)
train, test = tosses(args.samples or 4000, rng), tosses(1000, rng)
steps_per_epoch = -(-len(train[0]) // 32)

runs = {}
for name, layer, forget_bias in (
    ("SimpleRNN", SimpleRNN(UNITS, recurrent_initializer="glorot_uniform"), None),
    ("LSTM", LSTM(UNITS), 1),
    ("LSTM, long memory", LSTM(UNITS), 4),
):
    set_random_seed(0)
    model = Sequential([Input((STEPS, 2)), layer, Dense(1, activation="sigmoid")])
    if forget_bias is not None:
        layer.bias.value[UNITS : 2 * UNITS] = forget_bias
    flow = GradientFlow(layer, every=steps_per_epoch)  # the first batch of every epoch
    model.compile(Adam(3e-3), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(*train, epochs=args.epochs, validation_data=test, callbacks=[flow], verbose=0)
    runs[name] = flow.norms[0], history.history["val_accuracy"]
    print(f"{name}: test accuracy {runs[name][1][-1]:.3f} after {args.epochs} epochs")

steps = [0, 10, 20, 30, 40, STEPS - 1]
print("\nInitial gradient at step  " + "".join(f"{step:>10}" for step in steps))
for name, (norms, _) in runs.items():
    print(f"{name:<26}" + "".join(f"{norms[step]:>10.1e}" for step in steps))

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed. Run pip install 'fastnn-kernels[plot]'.")
else:
    figure = Figure(figsize=(12, 4), layout="constrained")
    flows, accuracies = figure.subplots(1, 2)
    for name, (norms, accuracy) in runs.items():
        flows.semilogy(range(STEPS), norms, label=name)
        accuracies.plot(range(1, len(accuracy) + 1), accuracy, marker=".", label=name)
    flows.set(xlabel="time step", ylabel="‖∂L/∂h‖ before training")
    accuracies.set(xlabel="epoch", ylabel="test accuracy")
    flows.legend()
    figure.savefig(args.output, dpi=120)
    print(f"Curves in {args.output}.")
