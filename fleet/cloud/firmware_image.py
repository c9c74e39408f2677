"""The bytes of a firmware of which nobody gave any: made up from its name, the same every time.

So a device that loads its firmware over MQTT piece by piece, as firmware of the vendor's C SDK does
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/file_download.c), gets what the MD5 of the offer
promises, without a file anywhere.
"""

import hashlib
from itertools import chain, repeat

_BLOCK_SIZE = 4096
_HOST = "https://firmware.invalid/"  # RFC 2606: no such host, whoever tries to load it over HTTP


def url_of(product_id: str, channel: int, version: str) -> str:
    """Return the name by which a device asks for the bytes of a version."""
    return f"{_HOST}{product_id}/{channel}/{version}"


def md5_of(url: str, size: int) -> str:
    """Return the MD5, in hexadecimal, of the `size` bytes that `url` stands for."""
    digest = hashlib.md5(usedforsecurity=False)
    block = _block(url)
    blocks, rest = divmod(size, _BLOCK_SIZE)
    for part in chain(repeat(block, blocks), (block[:rest],)):
        digest.update(part)
    return digest.hexdigest()


def piece(url: str, first: int, last: int) -> bytes:
    """Return the bytes `first` to `last`, both included, of what `url` stands for."""
    at = first % _BLOCK_SIZE
    size = last - first + 1
    block = _block(url)
    return (block * (1 + (at + size) // _BLOCK_SIZE))[at : at + size]


def _block(url: str) -> bytes:
    return hashlib.shake_128(url.encode()).digest(_BLOCK_SIZE)
