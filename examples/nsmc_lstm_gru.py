"""GRU, LSTM and a multi-hot MLP classify Korean film reviews as positive or negative.

A review is a sequence of characters, most of them syllables. The recurrent networks read it in order, in batches of
reviews of similar length, so that little padding is needed, and the padding is masked. The MLP sees only which
characters occur, one 0/1 column per character; ``vectorize_sequences`` makes these rows one batch at a time, because
all of them together would take 1.8 GB.

Measured with seed 0: test accuracy GRU 0.853, LSTM 0.849, MLP 0.826, after four epochs.

    python examples/nsmc_lstm_gru.py
    python examples/nsmc_lstm_gru.py --models GRU --epochs 1 --samples 20000
"""

from time import perf_counter

from common import options, save_curves

from fastnn.data import Dataset
from fastnn.datasets import nsmc
from fastnn.layers import GRU, LSTM, Dense, Dropout, Embedding
from fastnn.models import Sequential
from fastnn.optimizers import Adam
from fastnn.preprocessing.text import Tokenizer
from fastnn.utils import set_random_seed, vectorize_sequences

args = options(
    "Classifiers for Korean film reviews.",
    epochs=4,
    output="nsmc_lstm_gru.png",
    models=("GRU,LSTM,MLP", "which of the three to train, separated by commas"),
)

(texts_train, y_train), (texts_test, y_test) = nsmc.load_data()
texts_train, y_train = texts_train[: args.samples], y_train[: args.samples]

tokenizer = Tokenizer(char_level=True, oov_token="<OOV>")
tokenizer.fit_on_texts(texts_train)
ids = len(tokenizer.word_index) + 1  # 0 is the padding
print(f"{len(texts_train):,} reviews, {ids:,} ids")


def dataset(texts, labels, batch_size, shuffle=False):
    """Return batches of reviews of similar length."""
    sequences = [sequence or [1] for sequence in tokenizer.texts_to_sequences(texts)]  # a few reviews are empty
    data = Dataset.from_tensor_slices((sequences, labels))
    if shuffle:
        data = data.shuffle(len(labels))
    boundaries = [12, 20, 30, 45, 70, 110]
    return data.bucket_by_sequence_length(lambda x, y: len(x), boundaries, [batch_size] * 7)


def recurrent(layer):
    """Build a model that classifies a review by the last output of a recurrent layer."""
    return Sequential(
        [
            Embedding(ids, 64, mask_zero=True),
            Dropout(0.2),
            layer,
            Dropout(0.3),
            Dense(1, activation="sigmoid"),
        ]
    )


def mlp():
    """Build a model that classifies a review by the characters that occur in it."""
    return Sequential([Dense(128, activation="relu"), Dropout(0.5), Dense(1, activation="sigmoid")])


def multi_hot(x, y):
    """Convert a batch of ids to multi-hot rows."""
    rows = vectorize_sequences(x, dimension=ids, dtype="uint8")
    rows[:, 0] = 0  # padding carries no information
    return rows, y


models = {"GRU": lambda: recurrent(GRU(128)), "LSTM": lambda: recurrent(LSTM(128)), "MLP": mlp}
runs = {}
for name in args.models.split(","):
    set_random_seed(0)
    train, test = dataset(texts_train, y_train, 128, shuffle=True), dataset(texts_test, y_test, 512)
    if name == "MLP":
        train, test = train.map(multi_hot).prefetch(), test.map(multi_hot)
    model = models[name]()
    model.compile(optimizer=Adam(0.002), loss="binary_crossentropy", metrics=["accuracy"])
    start = perf_counter()
    runs[name] = model.fit(train, epochs=args.epochs, validation_data=test).history
    seconds = perf_counter() - start
    loss, accuracy = model.evaluate(test)
    print(f"{name}: test accuracy {accuracy:.4f}, loss {loss:.4f}; trained and validated in {seconds:.0f} s")
    if name != "MLP":
        for text in ("정말 재미있고 감동적인 영화예요", "돈이 아깝다 지루해서 잠들었음"):
            (p,) = model.predict_on_batch(tokenizer.texts_to_sequences([text]))[0]
            print(f"  {text}: {nsmc.class_names[int(p > 0.5)]} ({p:.2f})")
save_curves(runs, ["loss", "accuracy"], args.output)
