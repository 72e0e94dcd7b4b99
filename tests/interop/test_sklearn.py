"""Estimators of scikit-learn: its own checks, what searches and pipelines do with them, and what they refuse."""

import pickle
import pickletools
import sys

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, layers, losses, seeds
from fastnn.optimizers import SGD
from fastnn.utils import set_random_seed

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.frozen import FrozenEstimator  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from fastnn.interop import FastnnClassifier, FastnnRegressor, FastnnTransformer  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5))
Y = X @ RNG.normal(size=(5, 2))
LABELS = np.array(["high", "low", "middle"])[np.digitize(Y[:, 0], [-1, 1])]
SMALL = {"hidden_layer_sizes": (8,), "epochs": 3, "random_state": 0}

api = pytest.mark.filterwarnings("ignore:.*SCIPY_ARRAY_API")


def weights(estimator):
    return estimator.model_.get_weights()


def close(a, b):
    return all(np.allclose(x, y, rtol=1e-9, atol=1e-9) for x, y in zip(weights(a), weights(b), strict=True))


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


@api
@parametrize_with_checks([FastnnClassifier(), FastnnRegressor(), FastnnTransformer()])
def test_the_checks_of_the_library(estimator, check):
    check(estimator)


# Models.


def test_the_dtype_follows_the_data():
    for dtype, computed in (("float32", "float32"), ("float64", "float64"), ("uint8", "float32"), ("bool", "float32")):
        found = FastnnRegressor(**SMALL).fit(X.astype(dtype), Y)
        assert found.model_.dtype == computed
        assert found.predict(X.astype(dtype)).dtype == computed


def test_a_model_is_a_template_that_stays_as_it_is():
    template = fastnn.Sequential([layers.Dense(6, "tanh", name="features"), layers.Dense(3, "softmax")])
    estimator = FastnnClassifier(template, epochs=2, random_state=1).fit(X, LABELS)
    assert not template.built
    assert estimator.model is template
    assert same(estimator, clone(estimator).fit(X, LABELS))
    assert estimator.predict_proba(X).shape == (60, 3)


def test_a_function_gets_shapes_and_may_return_trained_weights():
    asked = []

    def make(input_shape, outputs):
        asked.append((input_shape, outputs))
        return fastnn.Sequential(
            [layers.Input(input_shape), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(outputs, "softmax")]
        )

    images = RNG.random((30, 6, 5, 1)).astype(np.float32)
    found = FastnnClassifier(make, epochs=2).fit(images, LABELS[:30])
    assert asked == [((6, 5, 1), 3)]
    before = found.model_.get_weights()
    kept = FastnnClassifier(lambda *_: found.model_, epochs=0).fit(images, LABELS[:30])
    assert all(np.array_equal(a, b) for a, b in zip(weights(kept), before, strict=True))


def test_ids_stay_ids():
    ids = RNG.integers(1, 9, (40, 7))
    model = fastnn.Sequential([layers.Embedding(9, 4), layers.GlobalAveragePooling1D(), layers.Dense(2, "softmax")])
    found = FastnnClassifier(model, epochs=80, learning_rate=0.05, random_state=0)
    assert found.fit(ids, (ids == 3).any(axis=1)).score(ids, (ids == 3).any(axis=1)) > 0.9


def test_one_sigmoid_and_logits_give_probabilities_of_two_classes():
    labels = Y[:, 0] > 0
    for outputs, loss in (
        (layers.Dense(1, "sigmoid"), None),
        (layers.Dense(1), losses.BinaryCrossentropy(from_logits=True)),
        (layers.Dense(2), losses.SparseCategoricalCrossentropy(from_logits=True)),
    ):
        found = FastnnClassifier(
            fastnn.Sequential([outputs]), loss=loss, epochs=150, learning_rate=0.05, random_state=0
        ).fit(X, labels)
        p = found.predict_proba(X)
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
        assert p.shape == (60, 2)
        assert p.min() >= 0
        assert found.score(X, labels) > 0.8
        np.testing.assert_array_equal(found.predict(X), p[:, 1] > p[:, 0])


# Randomness.


def test_random_state_repeats_and_leaves_the_stream_of_the_process():
    set_random_seed(1)
    before, drawn = seeds.Stream().position(), np.random.get_state()[2]  # noqa: NPY002
    model = fastnn.Sequential([layers.Dense(8, "relu"), layers.Dropout(0.5), layers.Dense(2)])
    set_random_seed(1)
    a, b = (FastnnRegressor(model, epochs=3, batch_size=16, random_state=5).fit(X, Y) for _ in range(2))
    assert same(a, b)
    assert seeds.Stream().position() == before
    assert np.random.get_state()[2] == drawn  # noqa: NPY002
    assert not same(a, FastnnRegressor(model, epochs=3, batch_size=16, random_state=6).fit(X, Y))


def test_without_random_state_the_seed_of_the_process_rules():
    found = []
    for seed in (1, 1, 2):
        set_random_seed(seed)
        found.append(FastnnRegressor(**SMALL | {"random_state": None}).fit(X, Y))
    assert same(found[0], found[1])
    assert not same(found[0], found[2])


def test_random_state_rules_the_order_for_a_model_from_a_file_too(tmp_path):
    path = tmp_path / "m.safetensors"
    fastnn.Sequential([layers.Dense(2, input_shape=(5,))]).save(path)
    found = [
        FastnnRegressor(lambda *_: fastnn.models.load_model(path), epochs=1, batch_size=8, random_state=seed).fit(X, Y)
        for seed in (0, 0, 1)
    ]
    assert same(found[0], found[1])
    assert not same(found[0], found[2])


# Weights.


def test_weights_are_as_repeated_rows_and_scale_does_not_matter():
    settings = SMALL | {"epochs": 20}
    times = RNG.integers(0, 4, 60)
    weighted = FastnnClassifier(**settings).fit(X, LABELS, sample_weight=times * 7.0)
    repeated = FastnnClassifier(**settings).fit(np.repeat(X, times, axis=0), np.repeat(LABELS, times))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6)


def test_class_weight_is_a_sample_weight():
    by_class = {"low": 3.0, "high": 0.5}
    given = np.array([by_class.get(label, 1.0) for label in LABELS])
    a = FastnnClassifier(class_weight=by_class, **SMALL).fit(X, LABELS)
    assert same(a, FastnnClassifier(**SMALL).fit(X, LABELS, given))
    _, place, counts = np.unique(LABELS, return_inverse=True, return_counts=True)
    balanced = FastnnClassifier(class_weight="balanced", **SMALL).fit(X, LABELS)
    assert close(balanced, FastnnClassifier(**SMALL).fit(X, LABELS, 1 / counts[place]))
    assert not close(a, balanced)


@pytest.mark.parametrize("weight", [np.full(60, -1.0), np.zeros(60), np.full(60, np.nan), np.ones(59)])
def test_weights_that_are_refused(weight):
    estimator = FastnnClassifier(**SMALL)
    with pytest.raises(ValueError, match=r"(?i)weight"):
        estimator.fit(X, LABELS, weight)
    assert not hasattr(estimator, "model_")


@pytest.mark.parametrize("weight", [{"low": -1.0, "middle": 1.0, "high": 1.0}, {"low": np.nan}, {"high": np.inf}])
def test_class_weights_that_are_refused(weight):
    estimator = FastnnClassifier(class_weight=weight, **SMALL)
    with pytest.raises(ValueError, match=r"class_weight must hold finite numbers ≥ 0\. Received: .* Use"):
        estimator.fit(X, LABELS)
    assert not hasattr(estimator, "model_")


def test_rows_that_all_weigh_nothing_are_refused():
    nothing = FastnnClassifier(class_weight=dict.fromkeys(np.unique(LABELS), 0.0), **SMALL)
    with pytest.raises(ValueError, match=r"All rows to train on have the weight 0\. Received: 60 rows\. Use"):
        nothing.fit(X, LABELS)
    refused = []
    for one in np.eye(20):  # the row that weighs something is among the 18 for validation, or the 2 to train on
        estimator = FastnnRegressor(validation_split=0.9, **SMALL)
        try:
            estimator.fit(X[:20], Y[:20], one)
        except ValueError as error:
            refused.append((str(error), hasattr(estimator, "model_")))
    assert len(refused) == 18
    assert all("Received: 2 rows. " in said and "validation_split" in said and not kept for said, kept in refused)
    warm = FastnnClassifier(class_weight={"low": 0.0, "middle": 1.0, "high": 1.0}, **SMALL).fit(X, LABELS)
    before = weights(warm)
    with pytest.raises(ValueError, match="the weight 0"):
        warm.partial_fit(X[:4], np.repeat("low", 4))
    assert all(np.array_equal(a, b) for a, b in zip(weights(warm), before, strict=True))


# Going on.


def test_warm_start_goes_on_as_a_longer_fit_would():
    """In float64 and one batch an epoch; the order of its rows differs, and with it the last bits of sums."""
    long = FastnnRegressor(**SMALL | {"epochs": 6}).fit(X, Y)
    warm = FastnnRegressor(warm_start=True, **SMALL).fit(X, Y)
    assert not close(long, warm)
    again = pickle.loads(pickle.dumps(warm)).fit(X, Y)
    assert close(long, warm.fit(X, Y))
    assert same(warm, again)
    with pytest.raises(ValueError, match=r"continues with 2 targets. Received: y of shape \(60,\)"):
        warm.fit(X, Y[:, 0])
    cold = FastnnRegressor(**SMALL).fit(X, Y)
    assert same(cold, FastnnRegressor(**SMALL).fit(X, Y).fit(X, Y))


def test_partial_fit_is_an_epoch():
    a = FastnnClassifier(**SMALL).fit(X, LABELS)
    b = FastnnClassifier(**SMALL)
    for _ in range(3):
        b.partial_fit(X, LABELS, classes=["low", "middle", "high"])
    assert close(a, b)
    b.partial_fit(X[:4], np.repeat("low", 4))
    assert list(b.classes_) == ["high", "low", "middle"]
    with pytest.raises(ValueError, match=r"labels of the classes .*Received: \['odd'\]"):
        b.partial_fit(X[:1], ["odd"])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        FastnnClassifier().partial_fit(X, LABELS)
    with pytest.raises(ValueError, match=r"class_weight='balanced'.*Use a dict"):
        FastnnClassifier(class_weight="balanced").partial_fit(X, LABELS, np.unique(LABELS))


def test_refused_warm_classes_leave_the_estimator():
    estimator = FastnnClassifier(warm_start=True, **SMALL).fit(X, LABELS)
    before = weights(estimator)
    with pytest.raises(ValueError, match="warm_start continues with the classes"):
        estimator.fit(X, LABELS == "low")
    assert all(np.array_equal(a, b) for a, b in zip(weights(estimator), before, strict=True))
    assert list(estimator.classes_) == ["high", "low", "middle"]


# Callbacks and validation.


def test_callbacks_see_a_share_of_each_class_and_do_not_keep_the_model():
    stop = callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    estimator = FastnnClassifier(
        **SMALL | {"epochs": 300, "learning_rate": 0.1}, validation_split=0.25, metrics=["accuracy"], callbacks=[stop]
    ).fit(X, LABELS)
    assert set(estimator.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert 3 < len(estimator.history_["loss"]) < 300
    assert stop.best == min(estimator.history_["val_loss"])
    assert stop.model is None
    assert estimator.optimizer == "adam"


def test_the_share_for_validation_has_every_class_alike():
    labels = np.arange(60) >= 48
    kept = []

    class Keep(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kept.append(logs["val_share"])

    def share(y_true, y_pred):
        return fastnn.ops.cast(y_true, "float64")

    for seed in range(5):
        settings = SMALL | {"epochs": 1, "random_state": seed, "metrics": [share], "callbacks": [Keep()]}
        FastnnClassifier(validation_split=0.25, **settings).fit(X, labels)
    np.testing.assert_allclose(kept, 0.2, rtol=1e-12)


def test_optimizers_are_copied():
    rule = SGD(0.1, momentum=0.5)
    a = FastnnRegressor(optimizer=rule, **SMALL).fit(X, Y)
    assert a.model_.optimizer is not rule
    assert (a.model_.optimizer.momentum, float(a.model_.optimizer.learning_rate)) == (0.5, pytest.approx(0.1))
    b = FastnnRegressor(optimizer=rule, learning_rate=0.3, **SMALL).fit(X, Y)
    assert float(b.model_.optimizer.learning_rate) == pytest.approx(0.3)
    assert float(rule.learning_rate) == pytest.approx(0.1)


# What the library does with estimators.


def test_pipelines_searches_and_scores():
    x, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(
        StandardScaler(), FastnnClassifier(hidden_layer_sizes=(16,), learning_rate=0.02, random_state=0)
    )
    assert cross_val_score(pipeline, x, y, cv=3).mean() > 0.92
    search = GridSearchCV(pipeline, {"fastnnclassifier__learning_rate": [1e-5, 0.02]}, cv=3).fit(x, y)
    assert search.best_params_ == {"fastnnclassifier__learning_rate": 0.02}


@pytest.mark.slow
def test_searches_in_processes_find_the_same():
    grid = {"learning_rate": [0.001, 0.02], "hidden_layer_sizes": [(4,), (8, 8)]}
    model = FastnnClassifier(epochs=20, random_state=0)
    found = [GridSearchCV(model, grid, cv=3, n_jobs=jobs).fit(X, LABELS) for jobs in (1, 2)]
    np.testing.assert_array_equal(*[search.cv_results_["mean_test_score"] for search in found])
    assert same(*[search.best_estimator_ for search in found])


def test_tables_and_names():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame(X, columns=list("abcde"))
    estimator = FastnnTransformer(FastnnClassifier(**SMALL)).set_output(transform="pandas")
    features = estimator.fit_transform(table, LABELS)
    assert list(estimator.feature_names_in_) == list("abcde")
    assert list(features.columns) == [f"fastnntransformer{i}" for i in range(8)]
    with pytest.raises(ValueError, match="feature names"):
        estimator.transform(table[list("edcba")])


# Pickles.


def test_pickles_hold_files_of_models_and_go_on():
    template = fastnn.Sequential([layers.Dense(4, "relu"), layers.Dropout(0.3), layers.Dense(2)])
    estimator = FastnnRegressor(template, epochs=2, random_state=0, optimizer=SGD(0.01, momentum=0.9)).fit(X, Y)
    data = pickle.dumps(estimator)
    named = {argument for code, argument, _ in pickletools.genops(data) if isinstance(argument, str)}
    assert not {name for name in named if name.startswith(("fastnn.layers", "fastnn.models", "fastnn.graph"))}
    again = pickle.loads(data)
    np.testing.assert_array_equal(again.predict(X), estimator.predict(X))
    assert isinstance(again.model, fastnn.Sequential)
    assert again.get_params()["optimizer"].momentum == 0.9
    for one in (estimator, again):
        one.partial_fit(X, Y)
    assert same(again, estimator)
    fitted = pickle.loads(pickle.dumps(FastnnTransformer(random_state=0).fit(X)))
    assert fitted.transform(X).shape == (60, 8)


def halved_error(y_true, y_pred):
    return fastnn.ops.mean(fastnn.ops.square(y_true - y_pred), axis=-1) / 2


def test_pickles_find_functions_by_the_parameters():
    estimator = FastnnRegressor(loss=halved_error, activation=fastnn.ops.tanh, metrics=[halved_error], **SMALL).fit(
        X, Y
    )
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.predict(X), estimator.predict(X))
    assert again.model_.loss is halved_error


def test_pickles_of_what_is_not_fitted():
    again = pickle.loads(pickle.dumps(FastnnClassifier(hidden_layer_sizes=(3, 4))))
    assert again.hidden_layer_sizes == (3, 4)
    with pytest.raises(NotFittedError):
        again.predict(X)


# Features.


def test_features_are_those_of_the_layer():
    classifier = FastnnClassifier(hidden_layer_sizes=(7, 3), epochs=3, random_state=0)
    found = FastnnTransformer(classifier, layer="hidden_1").fit(X, LABELS)
    kernel, bias = found.estimator_.model_.get_layer("hidden_1").get_weights()
    np.testing.assert_allclose(found.transform(X), np.maximum(X @ kernel + bias, 0), rtol=1e-12, atol=1e-12)
    assert not hasattr(classifier, "model_")
    assert FastnnTransformer(classifier).fit(X, LABELS).layer_ == "hidden_2"
    assert FastnnTransformer(classifier, layer=0).fit(X, LABELS).layer_ == "hidden_1"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_features_have_the_dtype_of_the_data_and_say_so(dtype):
    transformer = FastnnTransformer(random_state=0)
    assert dtype in transformer.__sklearn_tags__().transformer_tags.preserves_dtype
    assert transformer.fit_transform(X.astype(dtype)).dtype == dtype


def test_an_autoencoder_learns_the_inputs_whatever_the_targets():
    network = FastnnRegressor(hidden_layer_sizes=(16, 2, 16), epochs=5, random_state=0)
    a = FastnnTransformer(network, reconstruct=True).fit(X, LABELS)
    assert a.layer_ == "hidden_2"
    assert same(a.estimator_, clone(network).fit(X, X))
    images = RNG.random((20, 4, 4, 1))
    assert FastnnTransformer(random_state=0).fit(images).transform(images).shape == (20, 8)


def test_a_frozen_estimator_is_not_trained_again():
    classifier = FastnnClassifier(**SMALL).fit(X, LABELS)
    steps = make_pipeline(FastnnTransformer(FrozenEstimator(classifier)), LogisticRegression()).fit(X, LABELS)
    assert steps[0].estimator_.model_ is classifier.model_
    assert clone(steps).fit(X, LABELS)[0].estimator_.model_ is classifier.model_


# Refusals.


class WritesCall(fastnn.Model):
    def __init__(self):
        super().__init__()
        self.last = layers.Dense(3, "softmax")

    def call(self, x):
        return self.last(x)


def two_inputs():
    a, b = layers.Input((5,), name="a"), layers.Input((5,), name="b")
    return fastnn.Model([a, b], layers.Dense(3, "softmax")(layers.Add()([a, b])))


def test_a_class_of_one_row_cannot_be_shared_out():
    with pytest.raises(ValueError, match=r"a single row of \['once'\] in y. Use validation_split=0"):
        FastnnClassifier(validation_split=0.5).fit(X[:5], ["a", "a", "b", "b", "once"])


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (FastnnClassifier(hidden_layer_sizes=3), r"Received: 3. Use hidden_layer_sizes=\(100,\)"),
        (FastnnClassifier(validation_split=5), "a share of the rows, from 0 up to, but not including, 1. Received: 5"),
        (FastnnClassifier(7), "function of .input_shape, n_outputs. that returns one. Received: int"),
        (FastnnClassifier(lambda *_: None), "Received: a function that returned NoneType"),
        (FastnnClassifier(lambda units: None), r"with \(input_shape, n_outputs\), here .* Received: <lambda>\(units\)"),
        (FastnnClassifier(WritesCall()), r'Received: "\w+", a WritesCall, which only its own code.* Use a function'),
        (FastnnClassifier(two_inputs()), r"one input, X. Received: .*\['a', 'b'\]"),
        (
            FastnnClassifier(fastnn.Sequential([layers.Dense(2, "softmax")])),
            r"3 classes, so the model gives 3 numbers. Received: .*which gives 2. Use",
        ),
        (FastnnRegressor(fastnn.Sequential([layers.Dense(2)])), "1 numbers per example.*which gives 2"),
        (
            FastnnRegressor(fastnn.Sequential([layers.Reshape((5, 1))])),
            r"one row of numbers.*shape \(1, 5, 1\).*Use Flatten",
        ),
        (FastnnTransformer(FastnnRegressor(), layer="encoder"), "has no layer named 'encoder'"),
        (FastnnTransformer(FastnnRegressor(hidden_layer_sizes=())), r"no layer with weights before its output"),
        (FastnnTransformer(LogisticRegression()), "FastnnClassifier or a FastnnRegressor. Received: LogisticReg"),
    ],
)
def test_refused(estimator, message):
    y = Y[:, 0] if "Regressor" in repr(estimator) else LABELS
    with pytest.raises((TypeError, ValueError), match=message):
        estimator.fit(X, y)
    assert not hasattr(estimator, "model_")
    assert not hasattr(estimator, "estimator_")


def test_a_transformer_without_targets_says_what_to_use():
    with pytest.raises(ValueError, match=r"needs targets: fit\(X, y\).*Use reconstruct=True"):
        FastnnTransformer(FastnnRegressor()).fit(X)


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch):
    import fastnn.interop as interop

    for name in [name for name in sys.modules if name.startswith("fastnn.interop.sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(vars(interop), "FastnnClassifier")
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"needs sklearn.*pip install 'fastnn-kernels\[sklearn\]'"):
        interop.FastnnClassifier  # noqa: B018
