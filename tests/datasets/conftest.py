"""Small data sets on disk, and a small web server that can cut connections and refuse requests."""

from __future__ import annotations

import gzip
import hashlib
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from fastnn.datasets import _images, mnist

STEMS = _images._STEMS


def idx_bytes(array: np.ndarray) -> bytes:
    """Return the IDX file of an array."""
    code = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}[array.dtype.str[1:]]
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def small_arrays(train: int = 7, test: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (count, 28, 28), np.uint8) for count in (train, test)]
    labels = [rng.integers(0, 10, count, np.uint8) for count in (train, test)]
    return [images[0], labels[0], images[1], labels[1]]


@pytest.fixture
def arrays() -> list[np.ndarray]:
    return small_arrays()


@pytest.fixture
def files(arrays) -> dict[str, bytes]:
    """The four .gz files, by name."""
    return {f"{stem}.gz": gzip.compress(idx_bytes(a), mtime=0) for stem, a in zip(STEMS, arrays, strict=True)}


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """Hide this machine's data sets and cache from the tests."""
    monkeypatch.delenv("FASTNN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@dataclass
class Server:
    """The server's files and behaviour, and the requests it received."""

    files: dict[str, bytes]
    address: str = ""
    ranges: bool = True  # answers Range requests
    cut_after: int | None = None  # closes the connection after that many bytes of each body
    drip: float | None = None  # seconds between single bytes
    requests: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def server(files):
    state = Server(dict(files))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range")
            state.requests.append((self.path, asked))
            body = state.files.get(self.path.lstrip("/"))
            if body is None:
                return self.send_error(404)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and state.ranges else 0
            if start and start >= len(body):
                return self.send_error(416)
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            for byte in body[start:] if state.drip else ():
                try:
                    self.wfile.write(bytes([byte]))
                except OSError:  # the client has gone
                    return None
                time.sleep(state.drip)
            if not state.drip:
                self.wfile.write(body[start:][: state.cut_after])
            return None

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{httpd.server_port}/"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def served_mnist(server, files, monkeypatch):
    """``mnist`` with the small server as its mirror and the small files as its files."""
    sums = tuple((len(body), hashlib.sha256(body).hexdigest()) for body in files.values())
    small = _images.ImageSet("mnist", "mnist.npz", (server.address,), sums)
    monkeypatch.setattr(mnist, "_SET", small)
    return mnist
