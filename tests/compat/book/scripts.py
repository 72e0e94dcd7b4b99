"""The books' models and training scripts, over the classes of a namespace: fastnn.compat.book, or plain NumPy.

``SCRIPTS[name](book, steps, data)`` makes a model of the book's size and yields the loss of each training step. All
namespaces take the same numbers from NumPy's generator, so the losses can be compared one by one.
"""

from typing import Any

import numpy as np

SCRIPTS: dict[str, Any] = {}


def script(function):
    SCRIPTS[function.__name__] = function
    return function


# ---- book 1: networks with dictionaries of parameters ----


class Network:
    """Layers in order; `params` by name, each with the layer and the attribute that it is."""

    def __init__(self, book):
        self.book, self.layers, self.params, self.where = book, [], {}, {}
        self.last = book.SoftmaxWithLoss()

    def add(self, layer, **params):
        self.layers.append(layer)
        for name, (attribute, value) in params.items():
            self.params[name], self.where[name] = value, (layer, attribute)

    def affine(self, i, W, b):
        self.add(self.book.Affine(W, b), **{f"W{i}": ("W", W), f"b{i}": ("b", b)})

    def convolution(self, i, W, b, stride=1, pad=0):
        self.add(self.book.Convolution(W, b, stride, pad), **{f"W{i}": ("W", W), f"b{i}": ("b", b)})

    def loss(self, x, t, train_flg=False):
        for layer in self.layers:
            x = layer.forward(x, train_flg) if hasattr(layer, "dropout_ratio") else layer.forward(x)
        return self.last.forward(x, t)

    def gradient(self, x, t):
        loss = self.loss(x, t, True)
        dout = self.last.backward(1)
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return loss, {name: getattr(layer, "d" + attribute) for name, (layer, attribute) in self.where.items()}


def two_layer(book):
    network = Network(book)
    network.affine(1, 0.01 * np.random.randn(784, 50), np.zeros(50))
    network.add(book.Relu())
    network.affine(2, 0.01 * np.random.randn(50, 10), np.zeros(10))
    return network


def simple_convnet(book):
    network = Network(book)
    network.convolution(1, 0.01 * np.random.randn(30, 1, 5, 5), np.zeros(30))
    network.add(book.Relu())
    network.add(book.Pooling(2, 2, stride=2))
    network.affine(2, 0.01 * np.random.randn(30 * 12 * 12, 100), np.zeros(100))
    network.add(book.Relu())
    network.affine(3, 0.01 * np.random.randn(100, 10), np.zeros(10))
    return network


def deep_convnet(book):
    network, channels = Network(book), 1
    for i, (filters, pad) in enumerate([(16, 1), (16, 1), (32, 1), (32, 2), (64, 1), (64, 1)], start=1):
        W = np.sqrt(2 / (channels * 9)) * np.random.randn(filters, channels, 3, 3)
        network.convolution(i, W, np.zeros(filters), pad=pad)
        network.add(book.Relu())
        if i % 2 == 0:
            network.add(book.Pooling(2, 2, stride=2))
        channels = filters
    network.affine(7, np.sqrt(2 / 1024) * np.random.randn(64 * 4 * 4, 50), np.zeros(50))
    network.add(book.Relu())
    network.add(book.Dropout(0.5))
    network.affine(8, np.sqrt(2 / 50) * np.random.randn(50, 10), np.zeros(10))
    network.add(book.Dropout(0.5))
    return network


def train_network(network, optimizer, data, steps, batch):
    x, t = data
    for _ in range(steps):
        rows = np.random.choice(len(x), batch)
        loss, grads = network.gradient(x[rows], t[rows])
        optimizer.update(network.params, grads)
        yield loss


@script
def two_layer_net(book, steps, data):
    """Book 1, chapter 5: 784-50-10 on one-hot labels, SGD."""
    x, t = data.mnist()
    return train_network(two_layer(book), book.SGD(lr=0.1), (x.reshape(-1, 784), np.eye(10)[t]), steps, data.BATCH)


@script
def simple_conv_net(book, steps, data):
    """Book 1, chapter 7: convolution, pooling, two affine layers, Adam."""
    return train_network(simple_convnet(book), book.Adam(lr=0.001), data.mnist(), steps, data.BATCH)


@script
def deep_conv_net(book, steps, data):
    """Book 1, chapter 8: six convolutions, dropout, Adam."""
    return train_network(deep_convnet(book), book.Adam(lr=0.001), data.mnist(), steps, data.BATCH)


# ---- book 2: models with lists of parameters ----


def rn(*shape, scale):
    return (scale * np.random.randn(*shape)).astype("f")


class Model:
    """Layers in order, and a loss; `params` and `grads` of all."""

    def __init__(self, layers, loss_layer):
        self.layers, self.loss_layer = layers, loss_layer
        self.params = [p for layer in layers for p in layer.params]
        self.grads = [g for layer in layers for g in layer.grads]

    def forward(self, xs, ts):
        for layer in self.layers:
            xs = layer.forward(xs)
        return self.loss_layer.forward(xs, ts)

    def backward(self):
        dout = self.loss_layer.backward()
        for layer in reversed(self.layers):
            dout = layer.backward(dout)


def lstm_weights(d, h, gates=4):
    return (
        rn(d, gates * h, scale=d**-0.5),
        rn(h, gates * h, scale=h**-0.5),
        np.zeros(gates * h, "f"),
    )


def train_model(book, model, optimizer, batches, max_grad=None):
    for x, t in batches:
        loss = model.forward(x, t)
        model.backward()
        params, grads = book.remove_duplicate(model.params, model.grads)
        if max_grad is not None:
            book.clip_grads(grads, max_grad)
        optimizer.update(params, grads)
        yield loss


def text_batches(corpus, rows, time, steps):
    starts = np.arange(rows)[:, None] * (len(corpus) // rows) + np.arange(time)
    for i in range(steps):
        places = starts + i * time
        yield (corpus[(places + ahead) % len(corpus)].astype(np.int32) for ahead in (0, 1))


class CBOW:
    def __init__(self, book, vocabulary, hidden, window, corpus):
        W_in, W_out = rn(vocabulary, hidden, scale=0.01), rn(vocabulary, hidden, scale=0.01)
        self.layers = [book.Embedding(W_in) for _ in range(2 * window)]
        self.loss_layer = book.NegativeSamplingLoss(W_out, corpus, power=0.75, sample_size=5)
        parts = [*self.layers, self.loss_layer]
        self.params, self.grads = ([a for p in parts for a in getattr(p, kind)] for kind in ("params", "grads"))

    def forward(self, contexts, target):
        h = sum(layer.forward(contexts[:, i]) for i, layer in enumerate(self.layers)) / len(self.layers)
        return self.loss_layer.forward(h, target)

    def backward(self):
        dout = self.loss_layer.backward() / len(self.layers)
        for layer in self.layers:
            layer.backward(dout)


@script
def cbow(book, steps, data):
    """Book 2, chapter 4: CBOW with negative sampling, window 5, 100 units, batch 100, Adam."""
    corpus, vocabulary = data.words()
    window = 5
    model = CBOW(book, vocabulary, 100, window, corpus)
    places = np.random.randint(window, len(corpus) - window, (steps, 100))
    around = np.array([d for d in range(-window, window + 1) if d])
    batches = ((corpus[p[:, None] + around], corpus[p]) for p in places)
    return train_model(book, model, book.Adam(), batches)


@script
def simple_rnnlm(book, steps, data):
    """Book 2, chapter 5: a simple recurrent language model, 1,000 words of a corpus, SGD."""
    corpus, _ = data.words(1000)
    vocabulary = int(corpus.max() + 1)
    layers = [
        book.TimeEmbedding(rn(vocabulary, 100, scale=0.01)),
        book.TimeRNN(rn(100, 100, scale=0.1), rn(100, 100, scale=0.1), np.zeros(100, "f"), stateful=True),
        book.TimeAffine(rn(100, vocabulary, scale=0.1), np.zeros(vocabulary, "f")),
    ]
    model = Model(layers, book.TimeSoftmaxWithLoss())
    return train_model(book, model, book.SGD(lr=0.1), text_batches(corpus, 10, 5, steps))


@script
def rnnlm(book, steps, data):
    """Book 2, chapter 6: an LSTM language model of words, 100 units, batch 20 of 35 steps, clipped SGD."""
    corpus, vocabulary = data.words()
    layers = [
        book.TimeEmbedding(rn(vocabulary, 100, scale=0.01)),
        book.TimeLSTM(*lstm_weights(100, 100), stateful=True),
        book.TimeAffine(rn(100, vocabulary, scale=0.1), np.zeros(vocabulary, "f")),
    ]
    model = Model(layers, book.TimeSoftmaxWithLoss())
    return train_model(book, model, book.SGD(lr=20.0), text_batches(corpus, 20, 35, steps), max_grad=0.25)


@script
def better_rnnlm(book, steps, data):
    """Book 2, chapter 6: two LSTM layers of 650 units, dropout, the embedding's weights tied to the output's."""
    corpus, vocabulary = data.words()
    units = data.UNITS
    embed = rn(vocabulary, units, scale=0.01)
    layers = [
        book.TimeEmbedding(embed),
        book.TimeDropout(0.5),
        book.TimeLSTM(*lstm_weights(units, units), stateful=True),
        book.TimeDropout(0.5),
        book.TimeLSTM(*lstm_weights(units, units), stateful=True),
        book.TimeDropout(0.5),
        book.TimeAffine(embed.T, np.zeros(vocabulary, "f")),
    ]
    model = Model(layers, book.TimeSoftmaxWithLoss())
    return train_model(book, model, book.SGD(lr=20.0), text_batches(corpus, 20, 35, steps), max_grad=0.25)


class Seq2seq:
    """Encoder and decoder; the decoder peeks at the encoder's last state, or attends to all, or neither."""

    def __init__(self, book, vocabulary, words, units, peeky=False, attention=False):
        extra = units if peeky else 0
        self.peeky, self.units = peeky, units
        self.enc_embed = book.TimeEmbedding(rn(vocabulary, words, scale=0.01))
        self.enc_lstm = book.TimeLSTM(*lstm_weights(words, units), stateful=False)
        self.embed = book.TimeEmbedding(rn(vocabulary, words, scale=0.01))
        self.lstm = book.TimeLSTM(*lstm_weights(words + extra, units), stateful=True)
        seen = units + (units if peeky or attention else 0)
        self.affine = book.TimeAffine(rn(seen, vocabulary, scale=seen**-0.5), np.zeros(vocabulary, "f"))
        self.attention = book.TimeAttention() if attention else None
        self.loss_layer = book.TimeSoftmaxWithLoss()
        parts = (self.enc_embed, self.enc_lstm, self.embed, self.lstm, self.affine)
        self.params, self.grads = ([a for p in parts for a in getattr(p, kind)] for kind in ("params", "grads"))

    def forward(self, xs, ts):
        inputs, targets = ts[:, :-1], ts[:, 1:]
        self.hs = self.enc_lstm.forward(self.enc_embed.forward(xs))
        h = self.hs[:, -1]
        self.lstm.set_state(h)
        out = self.embed.forward(inputs)
        if self.peeky:
            repeated = np.repeat(h, inputs.shape[1], axis=0).reshape(*inputs.shape, self.units)
            out = np.concatenate((repeated, out), axis=2)
        out = self.lstm.forward(out)
        if self.peeky:
            out = np.concatenate((repeated, out), axis=2)
        if self.attention:
            out = np.concatenate((self.attention.forward(self.hs, out), out), axis=2)
        return self.loss_layer.forward(self.affine.forward(out), targets)

    def backward(self):
        dout = self.affine.backward(self.loss_layer.backward())
        dhs = np.zeros_like(self.hs)
        if self.peeky or self.attention:
            seen, dout = dout[:, :, : self.units], dout[:, :, self.units :]
        if self.attention:
            dhs, more = self.attention.backward(seen)
            dout = dout + more
        dout = self.lstm.backward(dout)
        if self.peeky:
            dhs[:, -1] += seen.sum(axis=1) + dout[:, :, : self.units].sum(axis=1)
            dout = dout[:, :, self.units :]
        dhs[:, -1] += self.lstm.dh
        self.embed.backward(dout)
        self.enc_embed.backward(self.enc_lstm.backward(dhs))


def pair_batches(x, t, rows, steps):
    order = np.random.permutation(len(x))
    for i in range(steps):
        r = order[np.arange(i * rows, (i + 1) * rows) % len(x)]
        yield x[r], t[r]


@script
def seq2seq(book, steps, data):
    """Book 2, chapter 7: additions of digits, 128 units, batch 128, clipped Adam."""
    x, t = data.additions()
    model = Seq2seq(book, 13, 16, 128)
    return train_model(book, model, book.Adam(), pair_batches(x, t, 128, steps), max_grad=5.0)


@script
def peeky_seq2seq(book, steps, data):
    """Book 2, chapter 7: the same with the question reversed and a decoder that peeks."""
    x, t = data.additions()
    model = Seq2seq(book, 13, 16, 128, peeky=True)
    return train_model(book, model, book.Adam(), pair_batches(x[:, ::-1], t, 128, steps), max_grad=5.0)


@script
def attention_seq2seq(book, steps, data):
    """Book 2, chapter 8: dates in 29 characters, 256 units, batch 128, attention."""
    x, t = data.dates()
    model = Seq2seq(book, 59, 16, 256, attention=True)
    return train_model(book, model, book.Adam(), pair_batches(x[:, ::-1], t, 128, steps), max_grad=5.0)
