"""Bounds that the people's APIs put on what is typed in."""

import re
from typing import Annotated

from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Password = Annotated[str, Meta(min_length=1, max_length=128)]
Id = Annotated[str, Meta(min_length=1, max_length=32)]
Count = Annotated[int, Meta(ge=0, le=2**53)]

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def has_nul(json: bytes) -> bool:
    """Tell whether a JSON text has the character NUL in a string: PostgreSQL cannot keep it."""
    return _NUL.search(json) is not None
