"""Layers on rows, and on all steps of sequences at once."""

import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy(p, t):
    labels = t.argmax(axis=1) if t.size == p.size else t
    return -np.log(p[np.arange(len(p)), labels] + 1e-7).sum() / len(p)


class WithWeights:
    """Gradients as the second book has them (`grads`, assigned in place) and as the first (attributes, new ones)."""

    names = ()

    def __init__(self, *params):
        self.params, self.grads = list(params), [np.zeros_like(p) for p in params]
        for name, value in zip(self.names, params, strict=True):
            setattr(self, name, value)

    def gradients(self, *values):
        for name, place, value in zip(self.names, self.grads, values, strict=True):
            setattr(self, "d" + name, value)
            place[...] = value


class NoWeights:
    def __init__(self):
        self.params, self.grads = [], []


class Affine(WithWeights):
    names = ("W", "b")

    def forward(self, x):
        self.shape, self.x = x.shape, x.reshape(len(x), -1)
        return np.dot(self.x, self.W) + self.b

    def backward(self, dout):
        self.gradients(np.dot(self.x.T, dout), dout.sum(axis=0))
        return np.dot(dout, self.W.T).reshape(self.shape)


class MatMul(WithWeights):
    names = ("W",)

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W)

    def backward(self, dout):
        self.gradients(np.dot(self.x.T, dout))
        return np.dot(dout, self.W.T)


class TimeAffine(WithWeights):
    names = ("W", "b")

    def forward(self, x):
        self.x = x
        return (np.dot(x.reshape(-1, x.shape[2]), self.W) + self.b).reshape(*x.shape[:2], -1)

    def backward(self, dout):
        rows = dout.reshape(-1, dout.shape[2])
        dx = np.dot(rows, self.W.T).reshape(self.x.shape)
        self.gradients(np.dot(self.x.reshape(-1, self.x.shape[2]).T, rows), rows.sum(axis=0))
        return dx


class Relu(NoWeights):
    def forward(self, x):
        self.dead = x <= 0
        y = x.copy()
        y[self.dead] = 0
        return y

    def backward(self, dout):
        dx = dout.copy()
        dx[self.dead] = 0
        return dx


class Sigmoid(NoWeights):
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out) * self.out


class Softmax(NoWeights):
    def forward(self, x):
        self.out = softmax(x)
        return self.out

    def backward(self, dout):
        dx = self.out * dout
        return dx - self.out * dx.sum(axis=1, keepdims=True)


class SoftmaxWithLoss(NoWeights):
    def forward(self, x, t):
        self.y, self.t = softmax(x), t
        return cross_entropy(self.y, t)

    def backward(self, dout=1):
        labels = self.t.argmax(axis=1) if self.t.size == self.y.size else self.t
        dx = self.y.copy()
        dx[np.arange(len(dx)), labels] -= 1
        return dx * dout / len(dx)


class SigmoidWithLoss(NoWeights):
    def forward(self, x, t):
        self.y, self.t = 1 / (1 + np.exp(-x)), t
        return cross_entropy(np.c_[1 - self.y, self.y], t)

    def backward(self, dout=1):
        return (self.y - self.t) * dout / len(self.t)


class Dropout(NoWeights):
    def __init__(self, dropout_ratio=0.5):
        super().__init__()
        self.dropout_ratio = dropout_ratio

    def forward(self, x, train_flg=True):
        if not train_flg:
            return x * (1 - self.dropout_ratio)
        self.mask = np.random.rand(*x.shape) > self.dropout_ratio
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class TimeDropout(Dropout):
    train_flg = True

    def forward(self, xs):
        if not self.train_flg:
            return xs
        kept = np.random.rand(*xs.shape) > self.dropout_ratio
        self.mask = kept.astype(np.float32) * (1 / (1 - self.dropout_ratio))
        return xs * self.mask


class Embedding(WithWeights):
    names = ("W",)

    def forward(self, idx):
        self.idx = idx
        return self.W[idx]

    def backward(self, dout):
        dW = np.zeros_like(self.W)
        np.add.at(dW, self.idx, dout)
        self.gradients(dW)


class TimeEmbedding(WithWeights):
    names = ("W",)

    def forward(self, xs):
        self.layers = [Embedding(self.W) for _ in range(xs.shape[1])]
        return np.stack([layer.forward(xs[:, t]) for t, layer in enumerate(self.layers)], axis=1)

    def backward(self, dout):
        total = np.zeros_like(self.W)
        for t, layer in enumerate(self.layers):
            layer.backward(dout[:, t])
            total += layer.grads[0]
        self.gradients(total)


class TimeSoftmaxWithLoss(NoWeights):
    ignore_label = -1

    def forward(self, xs, ts):
        labels = (ts.argmax(axis=2) if ts.ndim == 3 else ts).reshape(-1)
        p = softmax(xs.reshape(-1, xs.shape[2]))
        counts = labels != self.ignore_label
        losses = np.log(p[np.arange(len(p)), labels]) * counts
        self.cache = (xs.shape, p, labels, counts)
        return -losses.sum() / counts.sum()

    def backward(self, dout=1):
        shape, dx, labels, counts = self.cache
        dx[np.arange(len(dx)), labels] -= 1
        dx *= dout
        dx /= counts.sum()
        dx *= counts[:, None]
        return dx.reshape(shape)
