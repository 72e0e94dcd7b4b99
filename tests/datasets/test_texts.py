"""NSMC, SST-2, KorSTS, Tiny Shakespeare and the series: what they return and what they refuse."""

import numpy as np
import pytest

from fastnn.datasets import korsts, nsmc, pollution, sst2, temperature, tiny_shakespeare

REVIEWS = 'id\tdocument\tlabel\n1\t좋아요\t1\n2\t"그는 ""왜""?"\t0\n3\t\t0\n'
SENTENCES = "1 a film , and a good one\n0 \n"
PAIRS = 'genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2\nm\tf\t2012\t1\t4.5\t"가\t나\n'
DAYS = 'Date,Temp\n"1981-01-01",20.7\n"1981-01-02",17.9\n'
HOURS = "No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,cbwd,Iws,Is,Ir\n1,2010,1,1,0,NA,-21,-11,1021,NW,1.79,0,0\n"
FILES = {
    nsmc: ("nsmc", {"ratings_train.txt": REVIEWS, "ratings_test.txt": REVIEWS}),
    sst2: ("sst2", {f"stsa.binary.{part}": SENTENCES for part in ("train", "dev", "test")}),
    korsts: ("korsts", {"sts-train.tsv": PAIRS, "sts-dev.tsv": PAIRS, "sts-test.tsv": PAIRS}),
    tiny_shakespeare: ("tinyshakespeare", {"input.txt": "To be\r\nor"}),
    temperature: ("timeseries", {"daily-min-temperatures.csv": DAYS}),
    pollution: ("timeseries", {"pollution.csv": HOURS}),
}
SETS = pytest.mark.parametrize("module", FILES, ids=lambda module: module.__name__.split(".")[-1])


def put(root, module, **other):
    folder, files = FILES[module]
    (root / folder).mkdir(parents=True)
    for name, text in files.items():
        (root / folder / name).write_bytes(other.get("content", text.encode()))
    return root / folder


@SETS
def test_where_a_set_is_searched_for(module, tmp_path, monkeypatch):
    _, files = FILES[module]
    assert module.find() is None
    with pytest.raises(FileNotFoundError, match=f"Put {next(iter(files))}.*FASTNN_DATA.*https://"):
        module.load_data()
    with pytest.raises(FileNotFoundError, match=r"into .*nowhere"):
        module.load_data(tmp_path / "nowhere")
    own = put(tmp_path / "own", module)
    assert module.find(own) == module.find(own.parent) == own
    cached = put(tmp_path / "cache" / "fastnn", module)
    assert module.find() == cached
    monkeypatch.setenv("FASTNN_DATA", str(own.parent))
    assert module.find() == own


@SETS
def test_damaged_files(module, tmp_path):
    put(tmp_path, module, content=b"ab\xff\xfe")
    with pytest.raises(ValueError, match="expected UTF-8"):
        module.load_data(tmp_path)
    if module is tiny_shakespeare:
        return
    for number, content in enumerate(
        (b"", b"header\n", b"header\n1\n", b"h\n" + b"\t".join(b"xxxxxxx"[i : i + 1] for i in range(7)))
    ):
        root = tmp_path / str(number)
        put(root, module, content=content)
        with pytest.raises(ValueError, match=r"cannot be used: expected .*Received"):
            module.load_data(root)


def test_wrong_values(tmp_path):
    for module, old, new, words in (
        (nsmc, "좋아요\t1", "좋아요\t2", "labels 0 and 1"),
        (sst2, "0 ", "2 ", "label, 0 or 1.*line 2"),
        (sst2, "1 a", "1a", "label, 0 or 1.*line 1"),
        (korsts, "4.5", "5.5", "scores"),
        (korsts, "4.5", "?", "scores"),
        (temperature, "17.9", "cold", "cold"),
        (pollution, "1021", "high", "high"),
    ):
        text = next(iter(FILES[module][1].values()))
        root = tmp_path / new.replace("\t", "").replace("?", "q")
        put(root, module, content=text.replace(old, new).encode())
        with pytest.raises(ValueError, match=words):
            module.load_data(root)


def test_reviews(tmp_path):
    put(tmp_path, nsmc)
    (texts, y), (texts_test, _) = nsmc.load_data(tmp_path)
    assert texts.tolist() == ["좋아요", '그는 "왜"?', ""] == texts_test.tolist()
    assert (y.tolist(), y.dtype) == ([1, 0, 0], np.uint8)


def test_sentences(tmp_path):
    put(tmp_path, sst2)
    for texts, y in sst2.load_data(tmp_path):
        assert texts.tolist() == ["a film , and a good one", ""]
        assert (y.tolist(), y.dtype) == ([1, 0], np.uint8)


def test_pairs(tmp_path):
    put(tmp_path, korsts)
    for pairs, y in korsts.load_data(tmp_path):
        assert pairs.tolist() == [['"가', "나"]]
        assert (y.tolist(), y.dtype) == ([4.5], np.float32)


def test_text_and_series(tmp_path):
    for module in (tiny_shakespeare, temperature):
        put(tmp_path, module)
    (tmp_path / "timeseries" / "pollution.csv").write_text(HOURS)
    assert tiny_shakespeare.load_data(tmp_path) == "To be\r\nor"
    np.testing.assert_array_equal(temperature.load_data(tmp_path), np.float32([20.7, 17.9]))
    np.testing.assert_array_equal(pollution.load_data(tmp_path), np.float32([[np.nan, -21, -11, 1021, 1.79, 0, 0]]))
    assert len(pollution.column_names) == 7
