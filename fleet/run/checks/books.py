"""What the disk of a virtual cloud has, as seen by watchers: record by record, as it is written.

Nothing is asked of the cloud: each transaction is taken when it is durable, so whatever is in here
survives any crash. Only kinds of records that somebody wants are kept.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, TypeVar, cast

from fleet.cloud.store.records import Change, Put, Record

R = TypeVar("R", bound=Record)
Key = str | int | tuple[str | int, ...]
Look = Callable[[Any, Any], None]


class Books:
    """The records by kind and key (a tuple where the key has several columns).

    `closed` is called at the end of each transaction.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._kept: dict[type[Record], dict[Key, Record]] = {}
        self._looks: dict[type[Record], list[Look]] = {}
        self._keys: dict[type[Record], Callable[[Any], Key]] = {}
        self.closed: list[Callable[[], None]] = []

    def keep(self, kind: type[R]) -> Mapping[Key, R]:
        """Return the records of one kind, oldest first, as they are at any time."""
        self._attend(kind)
        return cast("Mapping[Key, R]", self._kept.setdefault(kind, {}))

    def look(self, kind: type[R], look: Callable[[R | None, R | None], None]) -> None:
        """Call `look(before, after)` with each change of a record; `after` is None when it goes.

        `before` is known only of kinds that somebody keeps, and None otherwise.
        """
        self._attend(kind)
        self._looks[kind].append(look)

    def _attend(self, kind: type[Record]) -> None:
        self._looks.setdefault(kind, [])
        self._keys[kind] = attrgetter(*kind.KEY)

    def take(self, changes: tuple[Change, ...]) -> None:
        """Take a transaction that is durable from now on."""
        for change in changes:
            if isinstance(change, Put):
                kind, after = type(change.record), change.record
                if kind in self._looks:
                    self._change(kind, self._keys[kind](after), after)
            elif change.kind in self._looks:
                key = change.key
                self._change(change.kind, key[0] if len(key) == 1 else key, None)
        for look in self.closed:
            look()

    def _change(self, kind: type[Record], key: Key, after: Record | None) -> None:
        before = None
        kept = self._kept.get(kind)
        if kept is not None:
            before = kept.get(key)
            if after is not None:
                kept[key] = after
            else:
                kept.pop(key, None)
        for look in self._looks[kind]:
            look(before, after)
