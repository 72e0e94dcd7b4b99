"""Downloads from a small local server: complete, cut off, resumed, wrong, missing."""

import hashlib
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from fastnn.datasets import _download
from fastnn.datasets._download import fetch

NAME = "train-images-idx3-ubyte.gz"


@pytest.fixture
def wanted(server, tmp_path):
    """(url, target, size, sum) of one served file."""
    body = server.files[NAME]
    return server.address + NAME, tmp_path / "deep" / "folder" / NAME, len(body), hashlib.sha256(body).hexdigest()


def test_a_set_is_downloaded_once(served_mnist, server, arrays, tmp_path):
    assert served_mnist.find() is None
    (x_train, _), (_, y_test) = served_mnist.load_data()
    assert (x_train == arrays[0]).all()
    assert (y_test == arrays[3]).all()
    assert len(server.requests) == 4
    assert served_mnist.find() == tmp_path / "cache" / "fastnn" / "mnist"
    served_mnist.load_data()
    assert len(server.requests) == 4
    assert not list(served_mnist.find().glob("*.part"))


def test_only_missing_files_are_downloaded(served_mnist, server):
    served_mnist.load_data()
    (served_mnist.find() / NAME).unlink()
    server.requests.clear()
    served_mnist.load_data()
    assert server.requests == [(f"/{NAME}", None)]


def test_a_cut_connection_is_resumed_immediately(wanted, server):
    url, target, size, sha256 = wanted
    server.cut_after = size // 2 + 1
    assert fetch([url], target, size, sha256) == target
    assert target.read_bytes() == server.files[NAME]
    assert [asked for _, asked in server.requests] == [None, f"bytes={size // 2 + 1}-"]


def test_a_later_attempt_requests_only_the_rest(wanted, server):
    url, target, size, sha256 = wanted
    server.cut_after = 10
    with pytest.raises(ConnectionError, match=f"after 50 of {size:,} bytes"):
        fetch([url], target, size, sha256)
    assert not target.exists()
    server.cut_after = None
    server.requests.clear()
    fetch([url], target, size, sha256)
    assert target.read_bytes() == server.files[NAME]
    assert server.requests == [(f"/{NAME}", "bytes=50-")]


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("left", ["begin", "wrong", "too long", "whole"])
def test_any_leftover_of_an_earlier_attempt(wanted, server, ranges, left):
    url, target, size, sha256 = wanted
    body = server.files[NAME]
    part = {"begin": body[:99], "wrong": b"?" * 99, "too long": body + b"?", "whole": body}[left]
    target.parent.mkdir(parents=True)
    target.with_name(f"{NAME}.part").write_bytes(part)
    server.ranges = ranges
    fetch([url], target, size, sha256)
    assert target.read_bytes() == body
    assert len(server.requests) == (0 if left == "whole" else 2 if left == "wrong" and ranges else 1)
    assert not target.with_name(f"{NAME}.part").exists()


def test_the_server_has_less_than_an_earlier_attempt_left(wanted, server):
    url, target, size, sha256 = wanted
    target.parent.mkdir(parents=True)
    target.with_name(f"{NAME}.part").write_bytes(server.files[NAME][:200])
    server.files[NAME] = b"another file"
    with pytest.raises(ConnectionError, match="after 12 of"):  # 416, then from the start
        fetch([url], target, size, sha256)
    assert [asked for _, asked in server.requests][:2] == ["bytes=200-", None]
    assert not target.exists()


@pytest.mark.parametrize("change", [lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b + b"more"])
def test_a_wrong_checksum_is_never_kept(wanted, server, change):
    url, target, size, sha256 = wanted
    server.files[NAME] = change(server.files[NAME])
    with pytest.raises(ConnectionError, match=f"SHA-256 checksum {sha256}. Received: "):
        fetch([url], target, size, sha256)
    assert not target.exists()
    assert target.with_name(f"{NAME}.part").stat().st_size == 0


def test_the_next_mirror_serves_what_the_first_does_not(wanted, server):
    url, target, size, sha256 = wanted
    fetch([server.address + "not-there", url], target, size, sha256)
    assert target.read_bytes() == server.files[NAME]


def test_404_says_which_files_to_put_where(served_mnist, server, tmp_path):
    server.files.clear()
    with pytest.raises(ConnectionError) as caught:
        served_mnist.load_data()
    message = str(caught.value)
    assert "404" in message
    assert server.address + NAME in message
    assert str(tmp_path / "cache" / "fastnn" / "mnist") in message
    assert NAME in message
    assert "mnist.npz" in message
    assert "FASTNN_DATA" in message
    assert "load_data(path=" in message


def test_offline_says_which_files_to_put_where(wanted, served_mnist, server, monkeypatch):
    def no_network(*args, **kwargs):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(ConnectionError, match=r"name resolution(.|\n)*FASTNN_DATA"):
        served_mnist.load_data()
    assert not server.requests


def test_two_downloads_at_once_fetch_the_file_once(wanted, server):
    url, target, size, sha256 = wanted
    threads = [threading.Thread(target=fetch, args=([url], target, size, sha256)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() == server.files[NAME]
    assert len(server.requests) == 1
    assert [file.name for file in target.parent.iterdir()] == [NAME]


def test_a_full_disk_is_not_mistaken_for_a_bad_network(wanted, tmp_path):
    url, target, size, sha256 = wanted
    target.parent.parent.mkdir()
    target.parent.write_text("a file where the folder should be")
    with pytest.raises(FileExistsError):
        fetch([url], target, size, sha256)


def test_a_server_that_drips_is_given_up(wanted, server, monkeypatch):
    """Each byte comes in time, and all of them never do."""
    url, target, size, sha256 = wanted
    monkeypatch.setattr(_download, "_WINDOW", 0.2)
    server.drip = 0.02
    start = time.monotonic()
    with pytest.raises(ConnectionError, match=r"too slow: .* bytes in"):
        fetch([url], target, size, sha256)
    assert time.monotonic() - start < 5
    server.drip = None
    fetch([url], target, size, sha256)  # the rest, or all again
    assert target.read_bytes() == server.files[NAME]


def test_a_link_in_place_of_the_part_is_not_followed(wanted, server, tmp_path):
    url, target, size, sha256 = wanted
    precious = tmp_path / "precious"
    precious.write_bytes(b"?" * (size + 1))
    target.parent.mkdir(parents=True)
    target.with_name(f"{NAME}.part").symlink_to(precious)
    with pytest.raises(FileExistsError, match=r"train.*part must be a file.*symbolic link.*Delete it"):
        fetch([url], target, size, sha256)
    assert precious.read_bytes() == b"?" * (size + 1)
    assert not target.exists()


def test_a_pipe_in_place_of_the_part_is_not_waited_for(wanted, server):
    url, target, size, sha256 = wanted
    target.parent.mkdir(parents=True)
    os.mkfifo(target.with_name(f"{NAME}.part"))
    with pytest.raises(FileExistsError, match="special file"):
        fetch([url], target, size, sha256)


@pytest.mark.parametrize("call", ["mkdir", "open"])
def test_a_cache_that_cannot_be_written_says_what_to_do(served_mnist, server, tmp_path, monkeypatch, call):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path if call == "mkdir" else os, call, refuse)
    with pytest.raises(
        PermissionError, match=r"downloaded into .*mnist, .*Permission denied.*XDG_CACHE_HOME.*FASTNN_DATA"
    ):
        served_mnist.load_data()
    assert not server.requests


def test_progress_is_shown(wanted, capsys):
    fetch([wanted[0]], *wanted[1:])
    assert NAME in capsys.readouterr().err
