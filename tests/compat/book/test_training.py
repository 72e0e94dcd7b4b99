"""Trainers, shared weights, clipping, words, samples, files, numerical gradients."""

import pickle

import numpy as np
import pytest

import fastnn.compat.book as book
from tests.compat.book import plain


class Classifier:
    """Two affine layers and a loss, as the second book writes it."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.layers = [
            book.Affine(rng.standard_normal((3, 5)), np.zeros(5)), book.Sigmoid(),
            book.Affine(rng.standard_normal((5, 2)), np.zeros(2)),
        ]  # fmt: skip
        self.loss_layer = book.SoftmaxWithLoss()
        self.params = [p for layer in self.layers for p in layer.params]
        self.grads = [g for layer in self.layers for g in layer.grads]
        self.calls = []

    def forward(self, x, t):
        self.calls.append(x)
        for layer in self.layers:
            x = layer.forward(x)
        return self.loss_layer.forward(x, t)

    def backward(self):
        dout = self.loss_layer.backward()
        for layer in reversed(self.layers):
            dout = layer.backward(dout)


def test_trainer_of_the_second_book(capsys):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((41, 3))
    t = (x[:, 0] > 0).astype(int)
    model = Classifier()
    trainer = book.Trainer(model, book.Adam(lr=0.05))
    assert type(trainer) is book.Trainer
    np.random.seed(3)
    trainer.fit(x, t, max_epoch=8, batch_size=10, max_grad=1.0, eval_interval=2)
    np.random.seed(3)
    np.testing.assert_array_equal(model.calls[0], x[np.random.permutation(41)[:10]])
    assert len(model.calls) == 8 * 4
    assert len(trainer.loss_list) == 8 * 2
    assert trainer.loss_list[-1] < trainer.loss_list[0]
    assert capsys.readouterr().out.count("| epoch 8 |") == 2
    trainer.fit(x, t, max_epoch=1, batch_size=10, eval_interval=None)
    assert len(trainer.loss_list) == 16
    assert trainer.current_epoch == 9


def test_rnnlm_trainer_goes_through_the_corpus_side_by_side():
    class Counter:
        params, grads = [np.zeros(1)], [np.zeros(1)]

        def __init__(self):
            self.seen = []

        def forward(self, xs, ts):
            self.seen.append((xs, ts))
            return np.log(3.0)

        def backward(self):
            pass

    corpus = np.arange(25)
    model = Counter()
    trainer = book.RnnlmTrainer(model, book.SGD())
    trainer.fit(corpus[:-1], corpus[1:], max_epoch=2, batch_size=2, time_size=4, eval_interval=1)
    np.testing.assert_array_equal(model.seen[0][0], [[0, 1, 2, 3], [12, 13, 14, 15]])
    np.testing.assert_array_equal(model.seen[0][1], [[1, 2, 3, 4], [13, 14, 15, 16]])
    np.testing.assert_array_equal(model.seen[3][0], [[12, 13, 14, 15], [0, 1, 2, 3]])  # past the end it starts again
    assert len(model.seen) == 6
    np.testing.assert_allclose(trainer.ppl_list, 3.0)
    assert model.seen[0][0].dtype == np.int32


@pytest.mark.parametrize("optimizer", ["SGD", "momentum", "Nesterov", "AdaGrad", "RMSprop", "Adam"])
def test_trainer_of_the_first_book(optimizer):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 4))
    t = np.eye(3)[rng.integers(0, 3, 60)]
    np.random.seed(0)
    network = book.MultiLayerNetExtend(4, [6, 5], 3, weight_decay_lambda=0.01, use_dropout=True, use_batchnorm=True)
    trainer = book.Trainer(
        network, x[:40], t[:40], x[40:], t[40:], epochs=3, mini_batch_size=10, optimizer=optimizer,
        optimizer_param={"lr": 0.01}, evaluate_sample_num_per_epoch=15, verbose=False,
    )  # fmt: skip
    trainer.train()
    assert (len(trainer.train_loss_list), len(trainer.train_acc_list), len(trainer.test_acc_list)) == (12, 3, 3)
    assert np.isfinite(trainer.train_loss_list).all()


def test_an_unknown_optimizer_is_refused():
    x = np.zeros((2, 2))
    with pytest.raises(ValueError, match="Received: optimizer='adm'"):
        book.Trainer(object(), x, x, x, x, optimizer="adm")


def test_gradients_of_a_network_are_its_numerical_ones():
    np.random.seed(1)
    network = book.MultiLayerNetExtend(4, [5], 3, activation="sigmoid", weight_decay_lambda=0.1, use_batchnorm=True)
    x, t = np.random.randn(6, 4), np.array([0, 1, 2, 0, 1, 2])
    exact, numerical = network.gradient(x, t), network.numerical_gradient(x, t)
    assert set(exact) == set(network.params)
    for name, grad in exact.items():
        np.testing.assert_allclose(grad, numerical[name], atol=1e-6)
    assert network.accuracy(x, np.eye(3)[t]) == network.accuracy(x, t)
    with pytest.raises(ValueError, match="Received: activation='tanh'"):
        book.MultiLayerNet(2, [3], 2, activation="tanh")


def test_numerical_gradient_puts_everything_back():
    x = np.array([1.0, 2.0])

    def fails(values):
        raise KeyError(values[0])

    with pytest.raises(KeyError):
        book.numerical_gradient(fails, x)
    np.testing.assert_array_equal(x, [1.0, 2.0])
    with pytest.raises(TypeError, match="array of int64"):
        book.numerical_gradient(np.sum, np.array([1, 2]))
    with pytest.raises(TypeError, match="Received: list"):
        book.numerical_gradient(np.sum, [1.0])


def test_duplicates_are_added_up():
    rng = np.random.default_rng(0)
    W, V, U = rng.standard_normal((4, 3)), rng.standard_normal((3, 3)), np.zeros(3)
    params = [W, V, W, W.T, V.T, U, V, np.zeros(3)]
    grads = [rng.standard_normal(p.shape) for p in params]
    ours, theirs = (m.remove_duplicate(params, [g.copy() for g in grads]) for m in (book, plain))
    assert [id(p) for p in ours[0]] == [id(p) for p in theirs[0]]
    for got, wanted in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-13)
    assert len(params) == 8


def test_equal_numbers_in_two_arrays_are_two_parameters():
    a, b = np.eye(3), np.eye(3)
    assert len(book.remove_duplicate([a, b], [a.copy(), b.copy()])[0]) == 2


@pytest.mark.parametrize("max_norm", [0.1, 100.0])
def test_clipping(max_norm):
    rng = np.random.default_rng(0)
    grads = [
        rng.standard_normal((3, 4)).astype("f"),
        rng.standard_normal((6, 5)).astype("f").T,
        np.ones((4, 4), "f")[:, 1:],
    ]
    expected = [g.copy() for g in grads]
    book.clip_grads(grads, max_norm)
    plain.clip_grads(expected, max_norm)
    for got, wanted in zip(grads, expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


@pytest.mark.parametrize("size", [1, 5, 30])
def test_samples_are_those_of_numpys_choice(size):
    rng = np.random.default_rng(0)
    corpus = np.concatenate([np.arange(40), rng.zipf(1.4, 3000) % 40])  # some words are drawn again and again
    target = rng.integers(0, 40, 50)
    found = []
    for module in (book, plain):
        np.random.seed(5)
        sampler = module.UnigramSampler(corpus, 0.75, size)
        found.append((sampler.get_negative_sample(target), np.random.rand()))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]  # the generator stands at the same place afterwards
    assert not (found[0][0] == target[:, None]).any()
    assert found[0][0].dtype == np.int32


def test_more_samples_than_words_are_refused():
    sampler = book.UnigramSampler(np.array([0, 1, 2]), 0.75, 3)
    with pytest.raises(ValueError, match="Use sample_size=2 or less"):
        sampler.get_negative_sample(np.array([0]))


def test_negative_sampling_loss():
    rng = np.random.default_rng(0)
    corpus, W, h = rng.integers(0, 9, 200), rng.standard_normal((9, 4)), rng.standard_normal((6, 4))
    results = []
    for module in (book, plain):
        np.random.seed(2)
        layer = module.NegativeSamplingLoss(W, corpus, sample_size=3)
        loss = layer.forward(h, corpus[:6])
        dh = layer.backward(2)
        results.append((loss, dh, book.remove_duplicate(layer.params, layer.grads)[1][0]))
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-12)


def test_words_are_counted_as_the_book_counts():
    corpus, word_to_id, id_to_word = book.preprocess("You say goodbye and I say hello.")
    assert [id_to_word[i] for i in corpus] == ["you", "say", "goodbye", "and", "i", "say", "hello", "."]
    assert word_to_id["hello"] == 5
    counts = np.zeros((7, 7), int)
    for i, a in enumerate(corpus):
        for j, b in enumerate(corpus):
            counts[a, b] += 0 < abs(i - j) <= 2
    found = book.create_co_matrix(corpus, 7, window_size=2)
    np.testing.assert_array_equal(found, counts)
    total, sums = counts.sum(), counts.sum(axis=0)
    with np.errstate(divide="ignore"):
        expected = np.log2(counts * total / np.outer(sums, sums) + 1e-8)
    np.testing.assert_allclose(book.ppmi(found), np.maximum(expected, 0), rtol=1e-6)
    contexts, target = book.create_contexts_target(corpus, 2)
    np.testing.assert_array_equal(target, corpus[2:-2])
    np.testing.assert_array_equal(contexts[0], corpus[[0, 1, 3, 4]])
    np.testing.assert_array_equal(book.convert_one_hot(contexts, 7).argmax(axis=2), contexts)


def test_unknown_words_are_said(capsys):
    book.most_similar("x", {}, {}, np.zeros((0, 2)))
    book.analogy("x", "y", "z", {}, {}, np.zeros((0, 2)))
    assert capsys.readouterr().out == "x is not found\nx is not found\n"


def test_evaluation(capsys):
    class Model:
        def forward(self, xs, ts):
            self.xs, self.ts = xs, ts
            return np.log(2.0)

        def generate(self, question, start, length):
            return [start] * length

    model = Model()
    corpus = np.arange(100)
    assert book.eval_perplexity(model, corpus, batch_size=2, time_size=5) == pytest.approx(2.0)
    np.testing.assert_array_equal(model.xs, [np.arange(40, 45), np.arange(89, 94)])
    np.testing.assert_array_equal(model.ts, model.xs + 1)
    letters = {0: "a", 1: "b"}
    assert book.eval_seq2seq(model, np.array([[0, 1, 1]]), np.array([1, 1, 1]), letters) == 1
    assert book.eval_seq2seq(model, np.array([[0, 1, 1]]), np.array([0, 1]), letters, True, True) == 0
    assert capsys.readouterr().out.endswith("Q bba\nT b\nX a\n---\n")


class Parameters(book.BaseModel):
    def __init__(self, *shapes):
        self.params, self.grads = [np.random.default_rng(0).random(shape, "f") for shape in shapes], []


def test_parameters_in_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = Parameters((3, 2), (4,))
    kept, arrays = [p.copy() for p in model.params], list(model.params)
    model.save_params()
    assert [path.name for path in tmp_path.iterdir()] == ["Parameters.pkl"]
    for p in model.params:
        p[...] = 0
    model.load_params()
    for p, before, array in zip(model.params, kept, arrays, strict=True):
        np.testing.assert_allclose(p, before, rtol=1e-3)
        assert p is array
    with pytest.raises(ValueError, match="must have the shapes of the parameters"):
        Parameters((3, 2), (5,)).load_params("Parameters.pkl")
    with pytest.raises(OSError, match=r"The file 'other\.pkl' does not exist"):
        model.load_params("other.pkl")
    (tmp_path / "book.pkl").write_bytes(pickle.dumps(model.params))
    with pytest.raises(ValueError, match=r"only if you trust it"):
        model.load_params("book.pkl")


def test_a_model_without_forward():
    model = book.BaseModel()
    for call in (model.forward, model.backward):
        with pytest.raises(NotImplementedError):
            call()


def test_there_is_no_gpu():
    with pytest.raises(RuntimeError, match="no GPU arrays"):
        book.to_gpu(np.zeros(1))
    from fastnn.compat.book import config

    assert config.GPU is False


def test_images_as_columns():
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64, np.uint8):
        x = (rng.random((2, 3, 6, 5)) * 9).astype(dtype)
        col = book.im2col(x, 3, 2, 2, 1)
        np.testing.assert_array_equal(col, plain.im2col(x, 3, 2, 2, 1))
        np.testing.assert_allclose(
            book.col2im(col, x.shape, 3, 2, 2, 1), plain.col2im(col, x.shape, 3, 2, 2, 1), rtol=1e-6
        )
    assert book.conv_output_size(7, 3, 2, 1) == 4
    assert len(book.smooth_curve(np.arange(30))) == 30
    x, t = book.shuffle_dataset(np.arange(24).reshape(4, 1, 3, 2), np.arange(4))
    np.testing.assert_array_equal(x[:, 0, 0, 0] // 6, t)
