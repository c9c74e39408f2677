"""JSON in and out of typed records, with the error family of this project.

The one place where the JSON library's exceptions are translated: a decoder of untrusted bytes
either returns its record or raises `Malformed`. Records that carry secrets derive from `Secretive`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

import msgspec

from firmware_sim.errors import Malformed

Record = TypeVar("Record")

_ENCODER = msgspec.json.Encoder()
_decoder: Callable[[Any], "msgspec.json.Decoder[Any]"] = lru_cache(512)(msgspec.json.Decoder)
"""Decodes a type. For `dict[...]` and the like, to make one costs several times a short text."""


class Secretive(msgspec.Struct, frozen=True, gc=False):
    """Base of records with secrets: `repr` shows `***` for each field named in `HIDDEN`."""

    HIDDEN: ClassVar[frozenset[str]]

    def __repr__(self) -> str:
        """Show what may be logged."""
        shown = (
            f"{name}=***" if name in self.HIDDEN else f"{name}={getattr(self, name)!r}"
            for name in self.__struct_fields__
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def encode_json(value: object) -> bytes:
    """Return compact UTF-8 JSON: real devices ignore text with spaces in it."""
    return _ENCODER.encode(value)


def decode_json(kind: type[Record], data: bytes | msgspec.Raw) -> Record:
    """Return the `kind` that the JSON text `data` holds, or raise Malformed.

    The message names the field and the type; it quotes no text but that of a bad enumeration, so
    no secret. Nesting that exhausts the stack counts as malformed too.
    """
    try:
        decoded: Record = _decoder(kind).decode(data)
    except UnicodeDecodeError:  # its own message would quote the bytes, which may be a secret
        raise Malformed("JSON: not UTF-8") from None
    except RecursionError:
        raise Malformed("JSON: nested too deeply") from None
    except msgspec.DecodeError as error:
        raise Malformed(f"JSON: {error}") from None
    return decoded
