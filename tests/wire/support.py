"""What the tests of the wire formats share: golden vectors and ways to break bytes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from firmware_sim.errors import PeerError

_FILE = Path(__file__).parent.parent / "golden" / "wire_vectors.json"
VECTORS: dict[str, dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))


def vector_bytes(name: str, field: str) -> bytes:
    """Return a field of a vector that is written in hexadecimal."""
    return bytes.fromhex(VECTORS[name][field])


def truncations(data: bytes) -> Iterator[bytes]:
    """Yield each proper prefix of `data`, the empty one included."""
    return (data[:size] for size in range(len(data)))


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    """Return `data` cut into pieces of these sizes, and what is left."""
    found, start = [], 0
    for size in sizes:
        found.append(data[start : start + size])
        start += size
    return [*found, data[start:]]


def flipped(data: bytes) -> Iterator[bytes]:
    """Yield `data` once for each of its bits, with that bit wrong."""
    for bit in range(len(data) * 8):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        yield bytes(broken)


def outcome(decode: Callable[..., object], *args: object, **options: object) -> object:
    """Return the result or the PeerError of a call; every other exception fails the test."""
    try:
        return decode(*args, **options)
    except PeerError as error:
        return error
