"""The operation history is complete and in order: a row for all that was done or refused, for good.

Ids rise one by one and times with them, rows stay as they are, and an owner changes only together
with the row that says so.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

import msgspec

from fleet.app.messages import HistoryRow as ShownRow
from fleet.cloud.devices import Device
from fleet.cloud.history import HistoryRow
from fleet.run.checks.evidence import Evidence
from fleet.run.checks.scene import Checker, Scene

NO_OPERATION = frozenset(
    {"try_again", "bad_sign", "stale_time", "replayed", "bad_request", "reply_too_large"}
)
"""Reasons that say nothing about an operation: somebody else's broker was not ready for the device
yet, or the call was not taken for one that the device makes now, or not carried out at all. They are
given before anybody has looked at the token: no account has done that."""
RELEASED = "gateway_not_exists"  # what tells a device of its release, where settings say so


def at_end(evidence: Evidence) -> Iterator[str]:
    """Look for gaps, for disorder, and for refusals that devices were told and nobody recorded."""
    yield from _in_order(evidence.history)
    rows = {(row.uuid, row.reason or RELEASED) for row in evidence.history}
    for unit, notes in zip(evidence.population.units, evidence.heard, strict=True):
        for note in notes:
            reason = note.detail.lower()
            if note.kind != "activation_refused" or reason in NO_OPERATION:
                continue
            if (unit.uuid, reason) not in rows:
                yield f"{unit.uuid}: was refused for {reason}, the history has no such row"


def _in_order(rows: Sequence[ShownRow]) -> Iterator[str]:
    for before, after in pairwise(rows):
        if after.id != before.id + 1:
            yield f"row {after.id}: follows row {before.id}"
    once = [row for row in rows if row.tries == 1]  # a refusal has the time of its last try
    for before, after in pairwise(once):
        if after.time_ms < before.time_ms:
            yield f"row {after.id}: is older than row {before.id}"


class Watcher(Checker):
    """Looks at each transaction that writes rows or moves devices."""

    def __init__(self, scene: Scene) -> None:
        """Follow rows and owners."""
        super().__init__(scene)
        self._devices = scene.books.keep(Device)
        self._rows = scene.books.keep(HistoryRow)
        self._last: HistoryRow | None = None
        self._owners: dict[str, list[str]] = {}  # by uuid: before, and after each change
        self._said: dict[str, list[str]] = {}  # the same, by the rows
        scene.books.look(HistoryRow, self._recorded)
        scene.books.look(Device, self._changed)

    def _recorded(self, before: HistoryRow | None, after: HistoryRow | None) -> None:
        if after is None:
            assert before is not None, "rows are kept"
            if len(self._rows) < self.scene.settings.history_rows_max:
                self.violated(f"row {before.id}", "was taken out")
        elif before is not None:
            self._repeated(before, after)
        else:
            self._added(after)

    def _repeated(self, before: HistoryRow, after: HistoryRow) -> None:
        again = msgspec.structs.replace(before, time_ms=after.time_ms, tries=before.tries + 1)
        if before.status != "refused" or after != again or after.time_ms < before.time_ms:
            self.violated(f"row {after.id}", "was changed")

    def _added(self, row: HistoryRow) -> None:
        last, self._last = self._last, row
        if row.id != (last.id if last is not None else 0) + 1:
            self.violated(f"row {row.id}", f"follows row {last.id if last is not None else 0}")
        if last is not None and row.time_ms < last.time_ms:
            self.violated(f"row {row.id}", f"is older than row {last.id}")
        if row.status == "ok":
            owner = row.account if row.operation == "bind" else ""
            self._said.setdefault(row.uuid, []).append(owner)

    def _changed(self, before: Device | None, after: Device | None) -> None:
        # Who is behind a gateway comes and goes with it.
        if before is None or after is None or after.gateway or before.owner == after.owner:
            return
        self._owners.setdefault(after.uuid, [before.owner]).append(after.owner)

    def written(self) -> None:
        """Compare who has become the owner of what with what the rows say."""
        for uuid in dict.fromkeys((*self._owners, *self._said)):
            device = self._devices.get(uuid)
            if device is None or device.gateway:
                continue
            owners = self._owners.get(uuid, [device.owner])
            said = [owners[0], *self._said.get(uuid, [])]
            if _changes(owners) != _changes(said):
                was, is_said = (
                    ", ".join(map(_named, _changes(each)[1:])) for each in (owners, said)
                )
                self.violated(
                    uuid,
                    f"went to {was or 'nobody else'}, by its rows to {is_said or 'nobody else'}",
                )
        self._owners.clear()
        self._said.clear()


def _changes(owners: Sequence[str]) -> list[str]:
    return [owner for owner, _ in groupby(owners)]


def _named(owner: str) -> str:
    return owner or "nobody"
