"""Files as data: downloads, pictures, folders of classes, batches of the user's own; bars."""

import hashlib
import io
import zipfile

import numpy as np
import pytest

import fastnn
from fastnn import layers, utils

PIL = pytest.importorskip("PIL", reason="Pillow is not installed")


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (tmp_path / name).mkdir()
        for i in range(5):
            utils.save_img(tmp_path / name / f"{i}.png", rng.integers(0, 256, (6 + i, 8, 3)), scale=False)
            (tmp_path / name / f"{i}.txt").write_text(f"{name} {i}")
    return tmp_path


def test_pictures_there_and_back(tmp_path):
    x = np.random.default_rng(1).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    utils.save_img(tmp_path / "a.png", x, scale=False)
    image = utils.load_img(tmp_path / "a.png")
    np.testing.assert_array_equal(utils.img_to_array(image), x)
    assert utils.img_to_array(image, "channels_first").shape == (3, 5, 7)
    assert utils.img_to_array(image).dtype == np.float32
    assert utils.img_to_array(utils.load_img(tmp_path / "a.png", "grayscale", (3, 4))).shape == (3, 4, 1)
    assert utils.load_img(tmp_path / "a.png", target_size=(3, 3), keep_aspect_ratio=True).size == (3, 3)
    assert utils.img_to_array(utils.array_to_img(np.eye(2)[..., None])).ravel().tolist() == [255, 0, 0, 255]
    with pytest.raises(ValueError, match="color_mode='cmyk'"):
        utils.load_img(tmp_path / "a.png", "cmyk")
    with pytest.raises(ValueError, match="1, 3 or 4 channels"):
        utils.array_to_img(np.ones((2, 2, 2)))


def test_folders_of_pictures(folder, capsys):
    data = utils.image_dataset_from_directory(folder, image_size=(8, 9), batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 10 files belonging to 2 classes.\n"
    assert data.class_names == ["cats", "dogs"]
    batches = list(data)
    assert [x.shape for x, _ in batches] == [(4, 8, 9, 3), (4, 8, 9, 3), (2, 8, 9, 3)]
    assert np.concatenate([y for _, y in batches]).tolist() == [0] * 5 + [1] * 5
    train, held = utils.image_dataset_from_directory(
        folder, validation_split=0.3, subset="both", image_size=(6, 6), label_mode="categorical", verbose=False
    )
    assert len(train.file_paths), len(held.file_paths) == (7, 3)
    assert not set(train.file_paths) & set(held.file_paths)
    model = fastnn.Sequential([layers.Input((6, 6, 3)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(train, validation_data=held, verbose=0)
    one = [utils.image_dataset_from_directory(folder, validation_split=0.2, subset=part, seed=3, verbose=False)
           for part in ("training", "validation")]  # fmt: skip
    assert sorted([*one[0].file_paths, *one[1].file_paths]) == sorted(map(str, folder.glob("*/*.png")))


def test_folders_of_texts(folder):
    data = utils.text_dataset_from_directory(folder, label_mode="binary", shuffle=False, max_length=4, verbose=False)
    texts, labels = next(iter(data))
    assert texts.tolist() == ["cats"] * 5 + ["dogs"] * 5
    assert labels.ravel().tolist() == [0] * 5 + [1] * 5
    vectorize = layers.TextVectorization(output_mode="multi_hot")
    vectorize.adapt(data.map(lambda text, label: text))
    model = fastnn.Sequential([layers.Input((1,), dtype="string"), vectorize, layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    model.fit(data, verbose=0)


@pytest.mark.parametrize(("settings", "words"), [
    ({"label_mode": "words"}, "label_mode='words'"),
    ({"validation_split": 0.2}, "go together"),
    ({"validation_split": 0.2, "subset": "test"}, "subset='test'"),
    ({"validation_split": 0.2, "subset": "training"}, "seed=1337"),
    ({"validation_split": 0.01, "subset": "both"}, "leaves one part empty"),
    ({"class_names": ["cats", "cows"]}, "names of the folders"),
    ({"labels": [1, 2]}, "2 labels for 10 files"),
])  # fmt: skip
def test_folders_refused(folder, settings, words):
    with pytest.raises(ValueError, match=words):
        utils.image_dataset_from_directory(folder, verbose=False, **settings)
    with pytest.raises(ValueError, match="There is no folder"):
        utils.text_dataset_from_directory(folder / "nowhere")


def test_get_file(tmp_path):
    source, home = tmp_path / "source.csv", tmp_path / "home"
    source.write_text("a,b")
    digest = hashlib.sha256(b"a,b").hexdigest()
    path = utils.get_file("data.csv", source.as_uri(), cache_dir=home, file_hash=digest)
    assert path == str(home / "datasets" / "data.csv")
    source.unlink()
    assert utils.get_file("data.csv", source.as_uri(), cache_dir=home, file_hash=digest) == path
    with pytest.raises(ConnectionError, match="could not be downloaded"):
        utils.get_file("data.csv", source.as_uri(), cache_dir=home, force_download=True)
    source.write_text("other")
    with pytest.raises(ConnectionError, match="other bytes than expected"):
        utils.get_file("new.csv", source.as_uri(), cache_dir=home, md5_hash="0" * 32)
    assert not (home / "datasets" / "new.csv").exists()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("in/side.txt", "x")
    source.write_bytes(content.getvalue())
    found = utils.get_file("a.zip", source.as_uri(), cache_dir=home, extract=True)
    assert (home / "datasets" / "a_zip_extracted" / "in" / "side.txt").read_text() == "x"
    assert found == str(home / "datasets" / "a_zip_extracted")
    with pytest.raises(ValueError, match="origin=None"):
        utils.get_file("a")


def test_batches_of_ones_own():
    ends = []

    class Batches(utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return np.full((4, 2), index), np.full((4, 1), index)

        def on_epoch_end(self):
            ends.append(1)

    model = fastnn.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(Batches(workers=2), epochs=2, verbose=0)
    assert len(ends) == 2
    assert utils.Sequence is utils.PyDataset
    with pytest.raises(NotImplementedError, match="def __len__"):
        len(utils.PyDataset())


def test_bars(capsys):
    bar = utils.Progbar(4, width=4, stateful_metrics=["accuracy"])
    bar.update(2, [("loss", 2.0), ("accuracy", 0.5)])
    bar.add(2, [("loss", 1.0), ("accuracy", 0.75)])
    last = capsys.readouterr().out.split("\r")[-1]
    assert last == "4/4 ━━━━ - loss: 1.5000 - accuracy: 0.7500\n"
