"""Layers on images (N, C, H, W), by windows copied into a matrix."""

import numpy as np

from tests.compat.book.plain.layers import NoWeights, WithWeights


def places(size, window, stride, pad):
    return (size + 2 * pad - window) // stride + 1


def im2col(x, fh, fw, stride=1, pad=0):
    n, c, h, w = x.shape
    oh, ow = places(h, fh, stride, pad), places(w, fw, stride, pad)
    padded = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    col = np.zeros((n, c, fh, fw, oh, ow))
    for i in range(fh):
        for j in range(fw):
            col[:, :, i, j] = padded[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(n * oh * ow, -1)


def col2im(col, shape, fh, fw, stride=1, pad=0):
    n, c, h, w = shape
    oh, ow = places(h, fh, stride, pad), places(w, fw, stride, pad)
    col = col.reshape(n, oh, ow, c, fh, fw).transpose(0, 3, 4, 5, 1, 2)
    padded = np.zeros((n, c, h + 2 * pad + stride - 1, w + 2 * pad + stride - 1))
    for i in range(fh):
        for j in range(fw):
            padded[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride] += col[:, :, i, j]
    return padded[:, :, pad : h + pad, pad : w + pad]


class Convolution(WithWeights):
    names = ("W", "b")

    def __init__(self, W, b, stride=1, pad=0):
        super().__init__(W, b)
        self.stride, self.pad = stride, pad

    def forward(self, x):
        filters, _, fh, fw = self.W.shape
        oh, ow = (places(s, f, self.stride, self.pad) for s, f in zip(x.shape[2:], (fh, fw), strict=True))
        self.shape, self.col = x.shape, im2col(x, fh, fw, self.stride, self.pad)
        y = np.dot(self.col, self.W.reshape(filters, -1).T) + self.b
        return y.reshape(len(x), oh, ow, filters).transpose(0, 3, 1, 2)

    def backward(self, dout):
        filters, _, fh, fw = self.W.shape
        rows = dout.transpose(0, 2, 3, 1).reshape(-1, filters)
        self.gradients(np.dot(self.col.T, rows).T.reshape(self.W.shape), rows.sum(axis=0))
        return col2im(np.dot(rows, self.W.reshape(filters, -1)), self.shape, fh, fw, self.stride, self.pad)


class Pooling(NoWeights):
    def __init__(self, pool_h, pool_w, stride=1, pad=0):
        super().__init__()
        self.window, self.stride, self.pad = (pool_h, pool_w), stride, pad

    def forward(self, x):
        n, c, h, w = self.shape = x.shape
        oh, ow = (places(s, f, self.stride, self.pad) for s, f in zip((h, w), self.window, strict=True))
        cells = im2col(x, *self.window, self.stride, self.pad).reshape(-1, self.window[0] * self.window[1])
        self.best = cells.argmax(axis=1)
        return cells.max(axis=1).reshape(n, oh, ow, c).transpose(0, 3, 1, 2)

    def backward(self, dout):
        dout = dout.transpose(0, 2, 3, 1)
        cells = np.zeros((dout.size, self.window[0] * self.window[1]))
        cells[np.arange(dout.size), self.best] = dout.ravel()
        return col2im(
            cells.reshape(-1, dout.shape[3] * cells.shape[1]), self.shape, *self.window, self.stride, self.pad
        )


class BatchNormalization(WithWeights):
    names = ("gamma", "beta")

    def __init__(self, gamma, beta, momentum=0.9, running_mean=None, running_var=None):
        super().__init__(gamma, beta)
        self.momentum, self.running_mean, self.running_var = momentum, running_mean, running_var

    def forward(self, x, train_flg=True):
        self.shape, x = x.shape, x.reshape(len(x), -1)
        if self.running_mean is None:
            self.running_mean, self.running_var = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        mean, variance = (x.mean(axis=0), x.var(axis=0)) if train_flg else (self.running_mean, self.running_var)
        self.std = np.sqrt(variance + 10e-7)
        self.normal = (x - mean) / self.std
        if train_flg:
            self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean
            self.running_var = self.momentum * self.running_var + (1 - self.momentum) * variance
        return (self.gamma * self.normal + self.beta).reshape(self.shape)

    def backward(self, dout):
        dout = dout.reshape(len(dout), -1)
        dgamma, dbeta = (dout * self.normal).sum(axis=0), dout.sum(axis=0)
        self.gradients(dgamma, dbeta)
        dx = self.gamma / self.std * (dout - (dbeta + self.normal * dgamma) / len(dout))
        return dx.reshape(self.shape)
