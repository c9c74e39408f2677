"""Where a cloud's data can be: a folder (SQLite) or the address of a PostgreSQL database.

Knows neither store, so that nobody has to load one to tell them apart.
"""

import re
from urllib.parse import parse_qsl, urlsplit

from firmware_sim.errors import UsageError

SCHEMES = ("postgresql", "postgres")

# With slips: what is taken for a folder is made, and a password would be in its name.
_ADDRESS = re.compile(r"postgres(ql)?:|[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_database(place: str) -> bool:
    """Tell whether `place` is meant as the address of a database and not as a folder."""
    return _ADDRESS.match(place) is not None


def refuse_unless_address(url: str) -> None:
    """Raise UsageError when `url` is not the address of a PostgreSQL database."""
    try:
        parts = urlsplit(url)
        if parts.query:
            parse_qsl(parts.query, strict_parsing=True)
        # A password with a bare "/" or "#" ends the host early: part of it would be shown.
        split_amid = "@" in parts.path or parts.fragment
        fits = parts.scheme in SCHEMES and "://" in url and parts.port != 0 and not split_amid
    except ValueError:
        fits = False
    if not fits:
        raise UsageError(
            "not the address of a PostgreSQL database; it reads "
            "postgresql://USER@HOST:PORT/DATABASE, with %2F for a / in a password, and so on"
        )


def shown(url: str) -> str:
    """Return an address without what may be secret in it: password and options."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{place}{parts.path}"
