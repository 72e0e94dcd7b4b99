"""Mutated files of Keras: what a loader meets when a file is damaged, or made to do harm."""

import io
import json
import random
import zipfile

__all__ = ["mutated", "mutated_json"]

WORDS = [
    None, True, -1, 0, 1, 2, 3.5, 1e308, 10**12, -(2**63), "", "x", "relu", "__lambda__", "../../etc/passwd", "Dense",
    "Lambda", "keras.layers", [], {}, [[]], [None], {"class_name": "Dense"}, {"class_name": "Dense", "config": {}},
    {"class_name": "__lambda__", "config": {"value": ["x"]}}, {"class_name": "function", "config": "eval"},
    {"class_name": "__tensor__", "config": {"value": [1], "dtype": "object"}}, [1, 10**9, 10**9],
]  # fmt: skip


def mutated(rng: random.Random, data: bytes) -> bytes:
    """The bytes with some of them flipped, cut out, doubled, moved or overwritten."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        if not data:
            break
        i, j = sorted(rng.randrange(len(data)) for _ in range(2))
        kind = rng.randrange(7)
        if kind == 0:
            data[i] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[i] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del data[i : min(j, i + rng.choice((1, 8, 64, 1 << 20)))]
        elif kind == 3:
            data[i:i] = data[j : j + rng.choice((1, 8, 64))]
        elif kind == 4:
            data[i : i + 8] = rng.choice((b"\xff" * 8, b"\0" * 8, (1 << rng.randrange(63)).to_bytes(8, "little")))
        elif kind == 5:
            del data[rng.randrange(len(data)) :]
        else:
            data[i : i + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, rng.randrange(1 << 32).to_bytes(4, "little")))
    return bytes(data)


def mutated_json(rng: random.Random, value):
    """Plain data with one or more of its parts replaced, dropped, doubled or renamed."""
    value = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(_places(value))
        if not places:
            break
        holder, key = rng.choice(places)
        kind = rng.randrange(5)
        if kind == 0:
            holder[key] = json.loads(json.dumps(rng.choice(WORDS)))
        elif kind == 1 and isinstance(holder, dict):
            del holder[key]
        elif kind == 2 and isinstance(holder, dict):
            holder[rng.choice(("x", "units", "config", "class_name", "$array"))] = holder.pop(key)
        elif kind == 3 and isinstance(holder, list):
            holder.append(json.loads(json.dumps(holder[key])))
        elif isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
            holder[key] = rng.choice((-1, 0, 1, 2, 7, 10**6, 10**12, 0.5, -0.5))
        else:
            other, name = rng.choice(places)
            holder[key] = json.loads(json.dumps(other[name])) if _holds(other, name) else None
    return value


def _holds(holder, key):
    return key in holder if isinstance(holder, dict) else 0 <= key < len(holder)


def _places(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in list(pairs):
        yield value, key
        yield from _places(part)


def repacked(parts: dict[str, bytes]) -> bytes:
    """An archive of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """The parts of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
