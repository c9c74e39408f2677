"""The golden frames as the tests of the layers want them: bytes, their key, and what they say."""

from typing import NamedTuple

from firmware_sim.wire.ciphers import UDP_KEY
from tests.wire.support import VECTORS, vector_bytes


class Golden(NamedTuple):
    """A frame; `body` is its plain body without a header, `key` None where it has none."""

    frame: bytes
    key: bytes | None
    kind: int
    body: bytes
    return_code: int | None
    discovery: bool = False


def _announced(name: str, code: int | None) -> Golden:
    vector = VECTORS[name]
    key = UDP_KEY if vector["command"] else None
    body = vector["json"].encode()
    return Golden(vector_bytes(name, "frame"), key, vector["command"], body, code, discovery=True)


def _negotiated(name: str) -> dict[str, Golden]:
    key = vector_bytes(name, "key")
    a, b = vector_bytes(name, "rand_a"), vector_bytes(name, "rand_b")
    bodies = {
        "start": (3, a, None),
        "response": (4, b + vector_bytes(name, "proof_a"), 0),
        "finish": (5, vector_bytes(name, "proof_b"), None),
    }
    return {
        f"{name}_{step}": Golden(vector_bytes(name, step), key, *said)
        for step, said in bodies.items()
    }


def _said(name: str) -> Golden:
    vector = VECTORS[name]
    key = None if name == "lan31_query" else vector_bytes(name, "key")
    body, code = vector["body"].encode(), vector.get("return_code")
    return Golden(vector_bytes(name, "frame"), key, vector["command"], body, code)


GOLDEN = {
    "announcement_plain": _announced("announcement_plain", 0),
    "announcement_encrypted": _announced("announcement_encrypted", 0),
    "announcement_sealed": _announced("announcement_sealed", 0),
    "solicitation": _announced("solicitation", None),
    "heart_beat_reply": Golden(vector_bytes("heart_beat_reply", "frame"), None, 9, b"", 0),
    "token_bind_plain": Golden(
        vector_bytes("token_bind_plain", "frame"),
        None,
        12,
        VECTORS["token_bind_plain"]["json"].encode(),
        None,
    ),
    "token_bind_encrypted": Golden(
        vector_bytes("token_bind_encrypted", "frame"),
        UDP_KEY,
        12,
        VECTORS["token_bind_encrypted"]["json"].encode(),
        None,
    ),
    "token_bind_reply": Golden(vector_bytes("token_bind_reply", "frame"), None, 12, b"", 0),
    **_negotiated("lan34_session"),
    **_negotiated("lan35_session"),
    **{name: _said(name) for name in VECTORS if name.startswith("lan") and "body" in VECTORS[name]},
}
