"""Frames that no client should send, by name: hand-made oddities, and fuzzed ones.

    for odd in (*odd_frames(key), *fuzzed_frames(key, seed=1, count=100)):
        client.sendall(odd.data)          # TCP 6668
    for odd in odd_datagrams(): ...       # UDP 7000

`key` is the key in force on the connection: the local key, or the session key. Where a frame is
wrong in one respect only, it is right in all others, so that it gets as far as it can.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from scapy.packet import fuzz
from scapy.volatile import RandChoice, RandInt

from firmware_sim.wire.lan_frame import SIZE_MAX
from fleet.lan.frame_layers import KINDS, LanFrame
from fleet.lan.layers import (
    PREFIX_55AA,
    PREFIX_6699,
    SUFFIX_55AA,
    SUFFIX_6699,
    Discovery6699,
    Lan55AA,
    Lan55AAHmac,
    Lan6699,
)

CONTROL, STATUS, HEART_BEAT, QUERY, TOKEN_BIND = 0x07, 0x08, 0x09, 0x0A, 0x0C
CONTROL_NEW, QUERY_NEW, SOLICITATION = 0x0D, 0x10, 0x25
START, RESPONSE, FINISH = 3, 4, 5
NONCE = bytes(12)
OTHER_KEY = b"another key here"
HEADER = bytes(12)

_FAMILIES: tuple[tuple[str, type[LanFrame], bytes], ...] = (
    ("crc", Lan55AA, b"3.3"),
    ("hmac", Lan55AAHmac, b"3.4"),
    ("gcm", Lan6699, b"3.5"),
)


class Odd(NamedTuple):
    """Bytes to send, and what is odd about them."""

    name: str
    data: bytes


def odd_frames(key: bytes) -> Iterator[Odd]:
    """Yield hand-made oddities of all three kinds of frames, and of streams of them."""
    for name, layer, version in _FAMILIES:
        made = _Maker(layer, key, version)
        for odd in (*_outside(made), *_checks(made), *_bodies(made), *_streams(made)):
            yield Odd(f"{name}: {odd.name}", odd.data)
    yield from _foreign(key)


def fuzzed_frames(key: bytes, seed: int, count: int) -> Iterator[Odd]:
    """Yield `count` frames of each kind in which chance has filled in what is not checked at once.

    Odd numbers have a command that exists, so that what is within is looked at.
    """
    for name, layer, _ in _FAMILIES:
        sealed = layer is Lan6699
        ends: dict[str, Any] = {
            "prefix": PREFIX_6699 if sealed else PREFIX_55AA,
            "suffix": SUFFIX_6699 if sealed else SUFFIX_55AA,
        }
        known = fuzz(layer(**ends, kind=RandChoice(*KINDS), sequence=RandInt(), key=key))
        unknown = fuzz(layer(**ends, key=key))
        with _chance(f"{seed} {name}"):
            for number in range(count):
                odd = known if number % 2 else unknown
                yield Odd(f"{name}: fuzzed {number} of seed {seed}", bytes(odd))


def odd_datagrams() -> Iterator[Odd]:
    """Yield oddities for the port of solicitations."""

    def asked(body: bytes, **fields: Any) -> bytes:
        fields = {"kind": SOLICITATION, "return_code": None, "nonce": NONCE, **fields}
        return bytes(Discovery6699(body=body, **fields))

    good = b'{"from":"app","ip":"127.0.0.1"}'
    yield Odd("without an address", asked(b'{"from":"app"}'))
    yield Odd("without a sender", asked(b'{"ip":"127.0.0.1"}'))
    yield Odd("no JSON", asked(b"from app"))
    yield Odd("JSON, but no object", asked(b"[1]"))
    yield Odd("nested without end", asked(b"[" * 1000))
    yield Odd("not UTF-8", asked(b'{"from":"\xff","ip":"\xfe"}'))
    for ip in ("", "nowhere", "1.2.3", "1.2.3.4.5", "::1", "0.0.0.0", "127.0.0.1\n", "9" * 900):
        yield Odd(f"address {ip[:20]!r}", asked(b'{"from":"app","ip":"%s"}' % ip.encode()))
    yield Odd("with a return code", asked(good, return_code=0))
    yield Odd("another command", asked(good, kind=0x13))
    yield Odd("another key", asked(good, key=OTHER_KEY))
    yield Odd("a wrong tag", asked(good, tag=bytes(16)))
    yield Odd("a wrong length", asked(good, length=5))
    yield Odd("cut off", asked(good)[:-9])
    yield Odd("something behind it", asked(good) + b"?")
    yield Odd("in the other family", bytes(Lan55AA(kind=SOLICITATION, body=good)))
    yield Odd("empty", b"")
    yield Odd("as large as a datagram can be", bytes(65_507))


class _Maker:
    """Makes frames of one kind that are right in everything that is not asked for otherwise."""

    def __init__(self, layer: type[LanFrame], key: bytes, version: bytes) -> None:
        self.sealed = layer is Lan6699
        old = version == b"3.3"
        self.control, self.query = (CONTROL, QUERY) if old else (CONTROL_NEW, QUERY_NEW)
        self.header, self.key = version + HEADER, key
        self.check = "tag" if self.sealed else "hmac" if layer is Lan55AAHmac else "crc"
        self._layer = layer
        self._sequence = 0

    def frame(self, body: bytes = b"{}", kind: int = HEART_BEAT, **fields: Any) -> bytes:
        self._sequence += 1
        if self.sealed:
            fields = {"nonce": self._sequence.to_bytes(12, "big"), **fields}
        fields = {"sequence": self._sequence, "key": self.key, **fields}
        return bytes(self._layer(kind=kind, body=body, **fields))

    def set(self, body: bytes) -> bytes:
        return self.frame(self.header + body, self.control)


def _outside(made: _Maker) -> Iterator[Odd]:
    whole = made.frame()
    length = int.from_bytes(whole[14:18] if made.sealed else whole[12:16], "big")
    for size in (1, 3, 4, 15, 17, len(whole) - 5, len(whole) - 1):
        yield Odd(f"cut off after {size} bytes", whole[:size])
    for wrong in (0, 1, length - 1, length + 1, length + 4096, 2**31, 2**32 - 1):
        yield Odd(f"length {wrong} instead of {length}", made.frame(length=wrong))
    yield Odd("wrong suffix", made.frame(suffix=b"\0\0\xaa\x56"))
    yield Odd("suffix of the other family", made.frame(suffix=_other_suffix(made)))
    yield Odd("prefix of the other family", made.frame(prefix=_other_prefix(made)))
    overhead = len(made.frame(b"", key=None))
    yield Odd("as large as may be", made.frame(bytes(SIZE_MAX - overhead), key=None))
    yield Odd("one byte too large", made.frame(bytes(SIZE_MAX - overhead + 1), key=None))
    yield Odd("a return code from a client", made.frame(return_code=1))
    yield Odd("the largest sequence", made.frame(sequence=2**32 - 1))
    for kind in (0x00, 0x06, STATUS, RESPONSE, 0x13, 0x23, 0xFF, 2**32 - 1):
        yield Odd(f"command {kind:#x}, which is not for a device", made.frame(kind=kind))


def _other_suffix(made: _Maker) -> bytes:
    return SUFFIX_55AA if made.sealed else SUFFIX_6699


def _other_prefix(made: _Maker) -> bytes:
    return PREFIX_55AA if made.sealed else PREFIX_6699


def _checks(made: _Maker) -> Iterator[Odd]:
    whole = made.frame(b"{}", made.query)
    for place in (0, 4, 8, 12, 17, 20, len(whole) - 6, len(whole) - 1):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        yield Odd(f"byte {place} flipped", bytes(flipped))
    wrong: Any = 0 if made.check == "crc" else bytes(32 if made.check == "hmac" else 16)
    yield Odd(f"wrong {made.check}", made.frame(**{made.check: wrong}))
    yield Odd("another key", made.frame(made.header + b'{"dps":{}}', made.control, key=OTHER_KEY))
    yield Odd("no whole block", made.frame(bytes(17), made.control, key=None))
    yield Odd("padding that is none", made.frame(bytes(32), made.control, key=None))
    yield Odd("no body", made.frame(b"", made.control, key=None))


def _bodies(made: _Maker) -> Iterator[Odd]:
    yield Odd("a header that breaks off", made.frame(made.header[:9], made.control))
    yield Odd("the header of another version", made.frame(b"9.9" + HEADER + b"{}", made.control))
    yield Odd("a header and nothing else", made.set(b""))
    for name, body in {
        "no JSON": b"dps",
        "JSON, but no object": b"[1,2]",
        "JSON that breaks off": b'{"dps":{"1":tr',
        "JSON that is nested without end": b'{"dps":' + b"[" * 900,
        "JSON with a NUL behind it": b'{"dps":{"1":true}}\0\0',
        "text that is not UTF-8": b'{"dps":{"1":"\xff\xfe"}}',
        "no data points": b'{"devId":"x"}',
        "data points that are a list": b'{"dps":[1]}',
        "a data point without a number": b'{"dps":{"one":true}}',
        "a data point beyond all numbers": b'{"dps":{"99999999999999999999":true}}',
        "a negative data point": b'{"dps":{"-1":true}}',
        "a value of no kind": b'{"dps":{"1":{"a":[]}}}',
        "a huge number": b'{"dps":{"1":' + b"9" * 400 + b"}}",
        "the same data point twice": b'{"dps":{"1":true,"1":false}}',
        "many data points": b'{"dps":{%s}}' % b",".join(b'"%d":1' % n for n in range(300)),
        "a child that is not there": b'{"cid":"nobody","dps":{"1":true}}',
        "a child that is a number": b'{"cid":5,"dps":{"1":true}}',
        "the new envelope with nothing in it": b'{"protocol":5,"t":1,"data":{}}',
        "another protocol": b'{"protocol":-1,"t":1,"data":{"dps":{"1":true}}}',
    }.items():
        yield Odd(name, made.set(body))
        yield Odd(f"{name}, in a query", made.frame(body, made.query))
    for token in (b"", b'{"token":""}', b'{"token":5}', b'{"token":"%s"}' % (b"x" * 900), b"{}"):
        yield Odd(f"a token bind with {token[:20]!r}", made.frame(token, TOKEN_BIND))
    yield Odd("data points to refresh that are none", made.frame(b'{"dpId":["x",-1]}', 0x12))
    yield Odd("an unknown request", made.frame(b'{"reqType":"nothing"}', 0x40))


def _streams(made: _Maker) -> Iterator[Odd]:
    once = made.set(b'{"dps":{"1":true}}')
    yield Odd("the same frame twice", once * 2)
    later, earlier = made.frame(sequence=9000), made.frame(sequence=8000)
    yield Odd("a sequence that goes back", later + earlier)
    yield Odd("noise before a frame", b"noise" + made.frame())
    yield Odd("noise behind a frame", made.frame() + b"noise")
    yield Odd("half a frame and a whole one", made.frame()[:20] + made.frame())
    yield Odd("a session that ends first", made.frame(bytes(32), FINISH))
    yield Odd("a session that begins with too little", made.frame(bytes(15), START))
    yield Odd("a session that begins with nothing", made.frame(b"", START))
    begin = made.frame(bytes(range(16)), START)
    yield Odd("a session that begins twice", begin * 2)
    yield Odd("a session that ends with a wrong proof", begin + made.frame(bytes(32), FINISH))
    yield Odd("an answer to a session that nobody began", made.frame(bytes(48), RESPONSE))


def _foreign(key: bytes) -> Iterator[Odd]:
    yield Odd("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    yield Odd("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40))
    yield Odd("zeros", bytes(5000))
    yield Odd("magic and nothing else", PREFIX_55AA * 2000)
    text, digest = b"QUJD", b"0123456789abcdef"
    for name, body in {
        "3.1 with a wrong digest": b"3.1" + digest + text,
        "3.1 that is not base64": b"3.1" + digest + b"%%%%",
        "3.1 and nothing else": b"3.1",
    }.items():
        yield Odd(name, bytes(Lan55AA(sequence=1, kind=CONTROL, body=body)))
    families = bytes(Lan55AA(sequence=1, kind=HEART_BEAT)), bytes(Lan6699(sequence=2, key=key))
    yield Odd("both families", b"".join(families))
    yield Odd("both families, the other way round", b"".join(reversed(families)))


@contextmanager
def _chance(seed: str) -> Iterator[None]:
    """Make Scapy's chance, which is Python's, repeatable in the block, and leave no trace."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
