"""Recurrent layers, a step at a time."""

import numpy as np

from tests.compat.book.plain.layers import WithWeights


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


class Step(WithWeights):
    names = ("Wx", "Wh", "b")


class RNN(Step):
    def forward(self, x, h):
        y = np.tanh(np.dot(h, self.Wh) + np.dot(x, self.Wx) + self.b)
        self.cache = (x, h, y)
        return (y,)

    def backward(self, dy):
        x, h, y = self.cache
        dz = dy * (1 - y**2)
        self.gradients(np.dot(x.T, dz), np.dot(h.T, dz), dz.sum(axis=0))
        return np.dot(dz, self.Wx.T), np.dot(dz, self.Wh.T)


class LSTM(Step):
    def forward(self, x, h, c):
        z = np.dot(x, self.Wx) + np.dot(h, self.Wh) + self.b
        f, g, i, o = np.split(z, 4, axis=1)
        f, g, i, o = sigmoid(f), np.tanh(g), sigmoid(i), sigmoid(o)
        new = f * c + g * i
        squashed = np.tanh(new)
        self.cache = (x, h, c, f, g, i, o, squashed)
        return o * squashed, new

    def backward(self, dh, dc):
        x, h, c, f, g, i, o, squashed = self.cache
        ds = dc + dh * o * (1 - squashed**2)
        parts = [ds * c * f * (1 - f), ds * i * (1 - g**2), ds * g * i * (1 - i), dh * squashed * o * (1 - o)]
        dz = np.hstack(parts)
        self.gradients(np.dot(x.T, dz), np.dot(h.T, dz), dz.sum(axis=0))
        return np.dot(dz, self.Wx.T), np.dot(dz, self.Wh.T), ds * f


class GRU(Step):
    def forward(self, x, h):
        (xz, xr, xh), (hz, hr, hh) = np.split(self.Wx, 3, axis=1), np.split(self.Wh, 3, axis=1)
        bz, br, bh = np.split(self.b, 3)
        z = sigmoid(np.dot(x, xz) + np.dot(h, hz) + bz)
        r = sigmoid(np.dot(x, xr) + np.dot(h, hr) + br)
        new = np.tanh(np.dot(x, xh) + np.dot(r * h, hh) + bh)
        self.cache = (x, h, z, r, new)
        return ((1 - z) * h + z * new,)

    def backward(self, dh):
        x, h, z, r, new = self.cache
        hz, hr, hh = np.split(self.Wh, 3, axis=1)
        dnew = dh * z * (1 - new**2)
        drh = np.dot(dnew, hh.T)
        dz, dr = dh * (new - h) * z * (1 - z), drh * h * r * (1 - r)
        da = np.hstack([dz, dr, dnew])
        dWh = np.hstack([np.dot(h.T, dz), np.dot(h.T, dr), np.dot((r * h).T, dnew)])
        self.gradients(np.dot(x.T, da), dWh, da.sum(axis=0))
        return np.dot(da, self.Wx.T), dh * (1 - z) + r * drh + np.dot(dz, hz.T) + np.dot(dr, hr.T)


class Sequences(WithWeights):
    names = ("Wx", "Wh", "b")
    step, carried = RNN, 1

    def __init__(self, Wx, Wh, b, stateful=False):
        super().__init__(Wx, Wh, b)
        self.stateful, self.h, self.c, self.dh = stateful, None, None, None

    def forward(self, xs):
        zeros = np.zeros((len(xs), self.Wh.shape[0]), dtype="f")
        states = [s if self.stateful and s is not None else zeros for s in (self.h, self.c)[: self.carried]]
        self.layers, hs = [], np.empty((*xs.shape[:2], self.Wh.shape[0]), dtype="f")
        for t in range(xs.shape[1]):
            layer = self.step(*self.params)
            states = layer.forward(xs[:, t], *states)
            hs[:, t] = states[0]
            self.layers.append(layer)
        self.h, self.c = (*states, None)[:2]
        return hs

    def backward(self, dhs):
        dxs, back = np.empty((*dhs.shape[:2], self.Wx.shape[0]), dtype="f"), [0] * self.carried
        totals = [0, 0, 0]
        for t in reversed(range(dhs.shape[1])):
            dxs[:, t], *back = self.layers[t].backward(dhs[:, t] + back[0], *back[1:])
            totals = [total + grad for total, grad in zip(totals, self.layers[t].grads, strict=True)]
        self.dh = back[0]
        self.gradients(*totals)
        return dxs

    def set_state(self, h, c=None):
        self.h, self.c = h, c

    def reset_state(self):
        self.h = self.c = None


class TimeRNN(Sequences):
    pass


class TimeLSTM(Sequences):
    step, carried = LSTM, 2


class TimeGRU(Sequences):
    step = GRU


class TimeBiLSTM:
    def __init__(self, Wx1, Wh1, b1, Wx2, Wh2, b2, stateful=False):
        self.onward, self.back = TimeLSTM(Wx1, Wh1, b1, stateful), TimeLSTM(Wx2, Wh2, b2, stateful)
        self.params, self.grads = self.onward.params + self.back.params, self.onward.grads + self.back.grads

    def forward(self, xs):
        return np.concatenate([self.onward.forward(xs), self.back.forward(xs[:, ::-1])[:, ::-1]], axis=2)

    def backward(self, dhs):
        half = dhs.shape[2] // 2
        return self.onward.backward(dhs[:, :, :half]) + self.back.backward(dhs[:, ::-1, half:])[:, ::-1]
