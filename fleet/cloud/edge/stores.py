"""Opens the store that a cloud's data are in: none, a folder, or a PostgreSQL database."""

from pathlib import Path

from firmware_sim.errors import UsageError
from fleet.cloud.store.address import is_database
from fleet.cloud.store.memory import MemoryStore
from fleet.cloud.store.records import Store


def open_store(place: str | None) -> Store:
    """Return the store at `place`: a folder, or `postgresql://USER@HOST:PORT/DATABASE`.

    None keeps everything in memory only. UsageError says in one line why it cannot be opened.
    """
    if not place:
        return MemoryStore()
    if is_database(place):
        try:
            from fleet.cloud.store.postgres import PostgresStore
        except ImportError:
            raise UsageError(
                "PostgreSQL needs one more package: pip install 'firmware-sim[postgresql]'"
            ) from None
        return PostgresStore(place)
    from fleet.cloud.store.sqlite import SqliteStore

    return SqliteStore(Path(place))
