"""Where a cloud's data can be: a folder (SQLite) or the address of a PostgreSQL database.

Knows neither store, so that nobody has to load one to tell them apart.
"""

from urllib.parse import parse_qsl, urlsplit

from firmware_sim.errors import UsageError

SCHEMES = ("postgresql", "postgres")


def is_database(place: str) -> bool:
    """Tell whether `place` is meant as the address of a database and not as a folder."""
    return place.partition("://")[0] in SCHEMES and "://" in place


def refuse_unless_address(url: str) -> None:
    """Raise UsageError when `url` is not the address of a PostgreSQL database."""
    try:
        parts = urlsplit(url)
        if parts.query:
            parse_qsl(parts.query, strict_parsing=True)
        fits = parts.scheme in SCHEMES and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise UsageError(
            "not the address of a PostgreSQL database; it reads "
            "postgresql://USER@HOST:PORT/DATABASE"
        )


def shown(url: str) -> str:
    """Return an address without what may be secret in it: password and options."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{place}{parts.path}"
