"""Hashes of texts, the same on every machine and in every run: FarmHash64 and, with a key, SipHash64.

They implement ``tf.strings.to_hash_bucket_fast`` and ``to_hash_bucket_strong``, which Keras' layers use.

References
----------
Pike: FarmHash (the function Fingerprint64), 2014.
Aumasson, Bernstein: SipHash: a fast short-input PRF, 2012.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["bucket", "farmhash64", "joined", "read_salt", "siphash64"]

_WORD = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_SEED = 81


def bucket(text: str, count: int, salt: list[int] | None = None) -> int:
    """The place of a text among ``count``.

    Examples
    --------
    >>> bucket("A", 3), bucket("B", 3)
    (1, 0)
    """
    return (farmhash64(text.encode()) if salt is None else siphash64(text.encode(), (salt[0], salt[1]))) % count


def read_salt(salt: Any, layer: Any) -> list[int] | None:
    """The key of SipHash as two integers, or None; or the error that says so."""
    if salt is None:
        return None
    pair = list(salt) if isinstance(salt, (tuple, list)) else [salt, salt]
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and 0 <= n <= _WORD for n in pair)
    if len(pair) != 2 or not whole:
        raise ValueError(
            f"salt of {type(layer).__name__} must be an integer from 0 to 2**64 - 1, or two of them. Received: "
            f"salt={salt!r}."
        )
    return [int(n) for n in pair]


# FarmHash64: by the length of the text, in four ways.


@lru_cache(maxsize=65536)
def farmhash64(data: bytes) -> int:
    """FarmHash's Fingerprint64 of some bytes.

    Examples
    --------
    >>> hex(farmhash64(b""))
    '0x9ae16a3b2f90404f'
    """
    size = len(data)
    if size <= 16:
        return _up_to_16(data)
    if size <= 32:
        return _up_to_32(data)
    return _up_to_64(data) if size <= 64 else _longer(data)


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _rotated(x: int, bits: int) -> int:
    x &= _WORD
    return (x >> bits | x << (64 - bits)) & _WORD


def _shifted(x: int) -> int:
    x &= _WORD
    return x ^ x >> 47


def _mixed(u: int, v: int, factor: int) -> int:
    a = _shifted(((u ^ v) & _WORD) * factor)
    b = _shifted(((v & _WORD) ^ a) * factor)
    return b * factor & _WORD


def _up_to_16(data: bytes) -> int:
    size = len(data)
    factor = _K2 + size * 2
    if size >= 8:
        a, b = _word(data, 0) + _K2, _word(data, size - 8)
        return _mixed(_rotated(b, 37) * factor + a, (_rotated(a, 25) + b) * factor, factor)
    if size >= 4:
        first, last = (int.from_bytes(part, "little") for part in (data[:4], data[-4:]))
        return _mixed(size + (first << 3), last, factor)
    if not size:
        return _K2
    y, z = data[0] + (data[size >> 1] << 8), size + (data[-1] << 2)
    return _shifted(y * _K2 ^ z * _K0) * _K2 & _WORD


def _up_to_32(data: bytes) -> int:
    size = len(data)
    factor = _K2 + size * 2
    a, b = _word(data, 0) * _K1, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * _K2
    return _mixed(_rotated(a + b, 43) + _rotated(c, 30) + d, a + _rotated(b + _K2, 18) + c, factor)


def _up_to_64(data: bytes) -> int:
    size = len(data)
    factor = _K2 + size * 2
    a, b = _word(data, 0) * _K2, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * _K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _mixed(y, a + _rotated(b + _K2, 18) + c, factor)
    e, f = _word(data, 16) * factor, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor, (z + _word(data, size - 24)) * factor
    return _mixed(_rotated(e + f, 43) + _rotated(g, 30) + h, e + _rotated(f + a, 18) + g, factor)


def _pair(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = struct.unpack_from("<4Q", data, at)
    a += w
    b = _rotated(b + a + z, 21)
    total = a + x + y
    return (total + z) & _WORD, (b + _rotated(total, 44) + a) & _WORD


def _longer(data: bytes) -> int:
    size = len(data)
    x, y = (_SEED * _K2 + _word(data, 0)) & _WORD, (_SEED * _K1 + 113) & _WORD
    z = _shifted(y * _K2 + 113) * _K2 & _WORD
    v, w = (0, 0), (0, 0)

    def turn(at: int, factor: int, second: int, first: int) -> None:
        nonlocal v, w, x, y, z
        x = _rotated(x + y + v[0] + _word(data, at + 8), 37) * factor
        y = _rotated(y + v[1] + _word(data, at + 48), 42) * factor
        x = (x & _WORD) ^ (w[1] * second & _WORD)
        y = (y + v[0] * first + _word(data, at + 40)) & _WORD
        z = _rotated(z + w[0], 33) * factor & _WORD
        v = _pair(data, at, v[1] * factor, x + w[0])
        w = _pair(data, at + 32, z + w[1], y + _word(data, at + 16))
        x, z = z, x

    for at in range(0, (size - 1) // 64 * 64, 64):
        turn(at, _K1, 1, 1)
    factor = _K1 + ((z & 0xFF) << 1)
    w = (w[0] + (size - 1 & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    turn(size - 64, factor, 9, 9)
    left = _mixed(v[0], w[0], factor) + _shifted(y) * _K0 + z
    return _mixed(left, _mixed(v[1], w[1], factor) + x, factor)


def joined(first: int, second: int) -> int:
    """One hash of two, in their order: what TensorFlow calls FingerprintCat64.

    Examples
    --------
    >>> joined(1, 2) == joined(2, 1)
    False
    """
    factor = 0xC6A4A7935BD1E995
    found = (first ^ factor ^ (_shifted(second * factor) * factor)) & _WORD
    return _shifted(_shifted(found * factor) * factor)


# SipHash-2-4.


def siphash64(data: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 of some bytes with a key of two words.

    Examples
    --------
    >>> hex(siphash64(bytes(range(15)), (0x0706050403020100, 0x0F0E0D0C0B0A0908)))
    '0xa129ca6149be45e5'
    """
    v0, v1 = key[0] ^ 0x736F6D6570736575, key[1] ^ 0x646F72616E646F6D
    v2, v3 = key[0] ^ 0x6C7967656E657261, key[1] ^ 0x7465646279746573

    def rounds(count: int) -> None:
        nonlocal v0, v1, v2, v3
        for _ in range(count):
            v0, v2 = (v0 + v1) & _WORD, (v2 + v3) & _WORD
            v1, v3 = _rotated(v1, 51) ^ v0, _rotated(v3, 48) ^ v2
            v0 = _rotated(v0, 32)
            v2, v0 = (v2 + v1) & _WORD, (v0 + v3) & _WORD
            v1, v3 = _rotated(v1, 47) ^ v2, _rotated(v3, 43) ^ v0
            v2 = _rotated(v2, 32)

    size = len(data)
    padded = data + bytes(-(size + 1) % 8) + bytes([size & 0xFF])
    for at in range(0, len(padded), 8):
        word = _word(padded, at)
        v3 ^= word
        rounds(2)
        v0 ^= word
    v2 ^= 0xFF
    rounds(4)
    return v0 ^ v1 ^ v2 ^ v3
