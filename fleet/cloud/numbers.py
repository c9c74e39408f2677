"""Ids that are numbers, as the vendor gives them to homes, rooms and project spaces.

They follow from what they name, so no source of chance is asked; nobody's right hangs on one.
"""

import hashlib
from collections.abc import Callable

_FIRST = 100_000_000
_COUNT = 900_000_000


def new_number(taken: Callable[[str], bool], *named: object) -> str:
    """Return nine digits, worked out from `named`, that are not `taken`."""
    text = "\n".join(map(str, named)).encode("utf-8", "surrogatepass")
    number = int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % _COUNT
    while taken(str(_FIRST + number)):
        number = (number + 1) % _COUNT
    return str(_FIRST + number)
