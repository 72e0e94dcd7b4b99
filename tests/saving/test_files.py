"""Files: whole at any moment, and read without harm whatever is in them."""

import copy
import errno
import json
import os
import resource
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fastnn import Sequential, layers, saving, utils
from fastnn.models import load_model
from fastnn.saving import atomic, container
from tests.saving.models import branched, chain, data, header_of, rewrite, same

KEPT = Path(__file__).parent / "files"


@pytest.fixture(autouse=True)
def _seeded():
    utils.clear_session()
    utils.set_random_seed(5)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("version", range(1, container.VERSION + 1))
def test_a_file_of_each_version_is_read(version):
    """The files lie beside this one, with what the models predicted when they were written."""
    model = load_model(KEPT / f"version_{version}.safetensors")
    kept = json.loads((KEPT / f"version_{version}.json").read_text())
    x = {"ids": np.array(kept["ids"]), "numbers": np.array(kept["numbers"], "float32")}
    for name, y in model.predict(x, verbose=0).items():
        np.testing.assert_allclose(y, kept["outputs"][name], rtol=1e-4, atol=1e-6)
    assert model.optimizer.iterations == kept["iterations"]
    assert model.get_layer("attention").calls == kept["iterations"]


def test_a_later_version_is_refused(path, tmp_path):
    chain().save(path)
    rewrite(path, tmp_path / "later.safetensors", lambda header: header.update(format_version=2))
    with pytest.raises(ValueError, match=r"version 2, and this fastnn reads up to 1. Install a newer one"):
        load_model(tmp_path / "later.safetensors")


# Whole at any moment.


def failing(*arguments, **named):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("module", "function"), [(os, "fsync"), (os, "replace")])
def test_a_failure_on_the_way_leaves_the_old_file_whole(module, function, path, monkeypatch):
    model, other = chain(), chain()
    model.save(path)
    before = path.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(module, function, failing)
        with pytest.raises(OSError, match="No space left"):
            other.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name], "nothing is left behind"
    other.save(path)
    assert same(load_model(path), other)


def test_bytes_are_on_the_disk_before_the_file_has_its_name(path, monkeypatch):
    order = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("replace"), replace(a, b)))
    chain().save(path)
    assert order == ["fsync", "replace", "fsync"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 needs a child")
def test_a_file_is_whole_whenever_its_writer_is_killed(path):
    """A child saves two models in turn; it is killed at some moment, and each time one of the two is there."""
    code = (
        "import sys; from fastnn import Sequential, layers\n"
        "models = [Sequential([layers.Input((300,)), layers.Dense(300, kernel_initializer=i)]) for i in "
        "('zeros', 'ones')]\n"
        "while True:\n    for model in models:\n        model.save(sys.argv[1]); print('saved', flush=True)"
    )
    for i in range(4):
        child = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
        child.stdout.readline()
        time.sleep(0.003 * i)
        child.kill()
        child.wait()
        child.stdout.close()
        kernel = load_model(path).get_weights()[0]
        assert kernel.min() == kernel.max()


def test_modes_and_links_stay(path, tmp_path):
    chain().save(path)
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    path.chmod(0o600)
    link = tmp_path / "link.safetensors"
    link.symlink_to(path)
    model = chain()
    model.save(link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    assert same(load_model(path), model)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_write_gets_is_empty_and_beside(tmp_path):
    seen = []
    atomic.replace_file(str(tmp_path / "a"), lambda beside: seen.append((os.path.dirname(beside), os.stat(beside))))
    assert seen[0][0] == os.path.realpath(tmp_path)
    assert seen[0][1].st_size == 0


# Any bytes.


def read_or_refuse(path):
    """Whether a file can be read; if not, with an error that names it."""
    try:
        load_model(path)
    except ValueError as error:
        if os.path.basename(path) not in str(error):
            raise
        return False
    return True


def seeds_of(tmp_path):
    """Whole files to begin with."""
    x, y = data()
    model = chain()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "a.safetensors")
    branched().save(tmp_path / "b.safetensors")
    return [(tmp_path / f"{name}.safetensors") for name in "ab"]


LENGTHS = (0, 1, 100, 2**31, 2**63, 2**64 - 1, 99_999_999)


def damaged(rng, whole):
    """Bytes flipped, cut off, put in, taken out, doubled, or set to extremes; the length of the header among them."""
    found = bytearray(whole)
    for _ in range(rng.integers(1, 4)):
        at, kind = int(rng.integers(0, len(found) + 1)), rng.integers(0, 6)
        if rng.random() < 0.3:
            at = int(rng.integers(0, min(len(found), 64) + 1))
        if kind == 0:
            found[at : at + 1] = bytes([int(rng.integers(0, 256))])
        elif kind == 1:
            del found[at:]
        elif kind == 2:
            found[at:at] = rng.bytes(int(rng.integers(1, 9)))
        elif kind == 3:
            del found[at : at + int(rng.integers(1, 9))]
        elif kind == 4:
            found[at:at] = found[at : at + 64]
        else:
            found[:8] = struct.pack("<Q", LENGTHS[int(rng.integers(len(LENGTHS)))])
    return bytes(found)


ODD = (None, True, -1, 0, 3, 2**40, 2**70, 1.5, "", "relu", "Dense", "Model", "Custom>x", [], [0], [None, 9], {},
       {"$function": "os.system"}, {"$function": "fastnn.ops.os"}, {"$tuple": 3}, {"$array": [[1], 2], "dtype": "O"},
       {"$place": -1}, {"$stream": [1]}, {"class_name": "Sequential", "config": {}}, "fastnn.ops.shaping:Reshape",
       "fastnn.graph.node:WeightSource", "os:system", {"$float": "nan"}, {"$nothing": 1},
       {"class_name": []})  # fmt: skip


def places(value, found=None):
    """All dicts and lists within a value."""
    found = [] if found is None else found
    if isinstance(value, (dict, list)):
        found.append(value)
        for part in value.values() if isinstance(value, dict) else value:
            places(part, found)
    return found


def hostile(rng, header):
    """One to three entries of a header replaced, taken out or doubled; its checksum is made right again."""
    for _ in range(rng.integers(1, 4)):
        parts = [part for part in places(header) if part]
        part = parts[int(rng.integers(len(parts)))]
        key = list(part)[int(rng.integers(len(part)))] if isinstance(part, dict) else int(rng.integers(len(part)))
        kind = rng.integers(0, 4)
        if kind == 0:
            del part[key]
        elif kind == 1 and isinstance(part, list):
            part.insert(key, copy.deepcopy(part[key]))
        else:
            part[key] = copy.deepcopy(ODD[int(rng.integers(len(ODD)))])


def fuzz(tmp_path, count, seed):
    """``count`` files, every twelfth hostile and the others damaged; how many of each kind could be read."""
    rng = np.random.default_rng(seed)
    wholes = seeds_of(tmp_path)
    contents, target = [path.read_bytes() for path in wholes], str(tmp_path / "mutated.safetensors")
    read = [0, 0]
    for i in range(count):
        which = int(rng.integers(len(wholes)))
        if i % 12 == 0:
            try:
                rewrite(wholes[which], target, lambda header: hostile(rng, header))
            except KeyError:  # the checksum itself was taken out
                continue
        else:
            Path(target).write_bytes(damaged(rng, contents[which]))
        read[i % 12 == 0] += read_or_refuse(target)
    return read


LIMIT = 600 * 2**20


@pytest.mark.filterwarnings("ignore")
def test_mutated_files_are_read_or_refused(tmp_path):
    damaged, hostile = fuzz(tmp_path, 2400, 1)
    assert damaged < 40, "damage that leaves a file whole is rare: an entry that is written twice, a new name"
    assert 15 < hostile < 185, "some settings may be changed, and are read as they stand"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_many_mutated_files(tmp_path):
    """100,000 of them, within 600 MB above what the process has mapped: no more than the files' sizes justify."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + LIMIT, before[1]))
    try:
        fuzz(tmp_path, 100_000, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 31])
def test_files_of_a_few_bytes(size, path):
    for content in (bytes(size), b"\xff" * size):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not an intact file of this format"):
            load_model(path)


def test_changed_numbers_and_settings_are_noticed(path):
    chain().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"the numbers of '.*' have changed"):
        load_model(path)
    path.write_bytes(whole.replace(b'"units\\": 8', b'"units\\": 9'))
    with pytest.raises(ValueError, match="its header has changed"):
        load_model(path)


def test_a_file_of_another_writer_is_refused(path):
    from safetensors.numpy import save_file

    save_file({"w": np.zeros(3, "float32")}, path)
    with pytest.raises(ValueError, match="not written by fastnn"):
        load_model(path)


def test_no_more_memory_than_the_file_justifies(path, tmp_path):
    """A header of a few bytes that asks for 4 TB: refused before any of it is taken."""
    Sequential([layers.Input((4,)), layers.Dense(2), layers.Dense(2)]).save(path)

    def grow(header):
        for entry in header["architecture"]["config"]["layers"]:
            entry["config"].update({"units": 10**6} if "units" in entry["config"] else {})

    rewrite(path, tmp_path / "grown.safetensors", grow)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=r"needs \d+ bytes, more than the whole file of \d+ bytes"):
        load_model(tmp_path / "grown.safetensors")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes


@pytest.mark.parametrize("name", ["os.system", "fastnn.ops.os", "fastnn.ops.__class__", "fastnn.saving.os", "eval", ""])
def test_a_file_cannot_name_functions_of_other_modules(name, path, tmp_path):
    Sequential([layers.Input((4,)), layers.Lambda(saving_function, name="f"), layers.Dense(2)]).save(path)
    text = json.dumps(header_of(path)).replace("tests>saving_function", name)
    rewrite(path, tmp_path / "evil.safetensors", lambda header: json.loads(text))
    with pytest.raises(ValueError, match="is unknown"):
        load_model(tmp_path / "evil.safetensors")


@saving.register("tests")
def saving_function(x):
    return x


@pytest.mark.parametrize("operation", ["os:system", "fastnn.ops:abs", "fastnn.graph.node:Node", "fastnn.ops.x.y:z"])
def test_a_file_cannot_name_other_operations(operation, path, tmp_path):
    branched().save(path)

    def change(header):
        for node in header["architecture"]["config"]["nodes"]:
            if "operation" in node:
                node["operation"] = operation

    rewrite(path, tmp_path / "evil.safetensors", change)
    with pytest.raises(ValueError, match="must name operations of fastnn"):
        load_model(tmp_path / "evil.safetensors")


def test_deeply_nested_settings_are_refused(path, tmp_path):
    chain().save(path)
    deep = "[" * 100_000 + "]" * 100_000
    with pytest.raises(ValueError, match="not JSON"):
        saving.model_from_json(deep)
    nested = {}
    for _ in range(300):
        nested = {"class_name": "Sequential", "config": {"layers": [nested]}}
    rewrite(path, tmp_path / "deep.safetensors", lambda header: header.update(architecture=nested))
    with pytest.raises(ValueError, match=r"deep.safetensors"):
        load_model(tmp_path / "deep.safetensors")


@pytest.mark.parametrize(
    ("name", "word"), [("m.onnx", "import_onnx"), ("m.pt", "load_torch_state_dict"), ("M.PTH", "to_torch")]
)
def test_files_of_other_programs_are_named_with_what_reads_them(name, word, tmp_path):
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    for call in (model.save, model.save_weights, model.load_weights, load_model):
        with pytest.raises(ValueError, match=rf"{call.__name__} does not know files.*Received: .*{name}.*{word}"):
            call(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_not_a_damaged_file(tmp_path, monkeypatch):
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.save(tmp_path / "m.safetensors")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match="safetensors"):
        load_model(tmp_path / "m.safetensors")
