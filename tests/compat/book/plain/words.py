"""Negative sampling and attention."""

from collections import Counter

import numpy as np

from tests.compat.book.plain.layers import Embedding, NoWeights, SigmoidWithLoss, softmax


class EmbeddingDot:
    def __init__(self, W):
        self.embed = Embedding(W)
        self.params, self.grads = self.embed.params, self.embed.grads

    def forward(self, h, idx):
        self.h, self.rows = h, self.embed.forward(idx)
        return np.sum(self.rows * h, axis=1)

    def backward(self, dout):
        self.embed.backward(dout[:, None] * self.h)
        return dout[:, None] * self.rows


class UnigramSampler:
    def __init__(self, corpus, power, sample_size):
        counts = Counter(np.asarray(corpus).tolist())
        self.word_p = np.array([counts[i] for i in range(len(counts))], float) ** power
        self.word_p /= self.word_p.sum()
        self.sample_size = sample_size

    def get_negative_sample(self, target):
        rows = []
        for word in target:
            p = self.word_p.copy()
            p[word] = 0
            rows.append(np.random.choice(len(p), self.sample_size, replace=False, p=p / p.sum()))
        return np.array(rows, np.int32)


class NegativeSamplingLoss:
    def __init__(self, W, corpus, power=0.75, sample_size=5):
        self.sampler = UnigramSampler(corpus, power, sample_size)
        self.dots = [EmbeddingDot(W) for _ in range(sample_size + 1)]
        self.losses = [SigmoidWithLoss() for _ in self.dots]
        self.params, self.grads = ([a for dot in self.dots for a in getattr(dot, kind)] for kind in ("params", "grads"))

    def forward(self, h, target):
        words = np.c_[target, self.sampler.get_negative_sample(target)]
        return sum(
            loss.forward(dot.forward(h, words[:, i]), np.full(len(h), int(i == 0)))
            for i, (dot, loss) in enumerate(zip(self.dots, self.losses, strict=True))
        )

    def backward(self, dout=1):
        return sum(dot.backward(loss.backward(dout)) for dot, loss in zip(self.dots, self.losses, strict=True))


class TimeAttention(NoWeights):
    def forward(self, hs_enc, hs_dec):
        self.hs, self.queries, self.attention_weights = hs_enc, hs_dec, []
        out = np.empty_like(hs_dec)
        for t in range(hs_dec.shape[1]):
            a = softmax((hs_enc * hs_dec[:, None, t]).sum(axis=2))
            out[:, t] = (hs_enc * a[:, :, None]).sum(axis=1)
            self.attention_weights.append(a)
        return out

    def backward(self, dout):
        dhs, dqueries = np.zeros_like(self.hs), np.empty_like(self.queries)
        for t, a in enumerate(self.attention_weights):
            da = (dout[:, None, t] * self.hs).sum(axis=2)
            ds = a * (da - (a * da).sum(axis=1, keepdims=True))
            dhs += a[:, :, None] * dout[:, None, t] + ds[:, :, None] * self.queries[:, None, t]
            dqueries[:, t] = (ds[:, :, None] * self.hs).sum(axis=1)
        return dhs, dqueries
