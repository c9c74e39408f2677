"""Every record class of the cloud's services."""

import fleet.cloud.state
from fleet.cloud.row_log import Row
from fleet.cloud.store.records import Record

_ROOM = fleet.cloud.__name__


def kinds(base: type[Record] = Record) -> list[type[Record]]:
    """Return the record classes that lie in a table, as far as the cloud imports them."""
    found = [base] if base not in (Record, Row) else []
    for kind in base.__subclasses__():
        found += kinds(kind)
    return [kind for kind in found if kind.__module__.startswith(f"{_ROOM}.")]
