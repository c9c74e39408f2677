"""Everything acknowledged survives crashes: what is told is written, and what is written is kept.

Nothing leaves the cloud before the changes that were decided before it are on the disk; nothing that
an answer says is missing there; and after each restart the cloud has all that the disk ever took.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from firmware_sim.effects import Effect
from fleet.cloud.devices import Device
from fleet.cloud.history import HistoryRow
from fleet.cloud.messages import Commit, HttpRequested
from fleet.cloud.permissions import Grant
from fleet.cloud.push_backlog import PushMessage
from fleet.cloud.quotas import QuotaLimit, QuotaUse, Scope
from fleet.cloud.state import State
from fleet.cloud.store.records import Change, Record
from fleet.cloud.tokens import PairToken, UnbindToken
from fleet.cloud.users import User
from fleet.run.checks.books import Key
from fleet.run.checks.said import Said
from fleet.run.checks.scene import Checker, Scene

Find = Callable[[State, Any, int], object]


class Watcher(Checker):
    """Counts changes from the decision to the disk, and looks into the cloud after each start."""

    def __init__(self, scene: Scene) -> None:
        """Follow all that is compared."""
        super().__init__(scene)
        self._said = Said(scene)
        self._kept: dict[type[Record], Mapping[Key, Record]] = {
            kind: scene.books.keep(kind) for kind in _FOUND
        }
        self._rows = scene.books.keep(HistoryRow)
        self._held: deque[tuple[Effect, int]] = deque()  # and how many changes come before it
        self._decided = self._written = 0  # changes in this life of the cloud

    def started(self) -> None:
        """Compare what the cloud knows with what was written before it started."""
        self._held.clear()
        self._decided = self._written = 0
        node = self.scene.crew.cloud.node
        assert node is not None, "it has just been made"
        state = node.state
        for kind, find in _FOUND.items():
            for record in self._kept[kind].values():
                if find(state, record, self.scene.now_ms) != record:
                    self.violated(_name(record), "is not what was written before the restart")
        rows = {row.id: row for row in self._history(state)}
        for row in self._rows.values():
            if rows.get(row.id) != row:
                self.violated(_name(row), "is not what was written before the restart")
        counts: dict[type[Record], int]
        counts = {Device: len(state.devices), PushMessage: len(state.push_backlog)}
        for kind, count in counts.items():
            if count != (was := len(self._kept[kind])):
                self.violated(kind.TABLE, f"{count} after the restart, {was} were written")

    def _history(self, state: State) -> Iterator[HistoryRow]:
        for viewer in dict.fromkeys(row.owner for row in self._rows.values()):
            after: int | None = 0
            while after is not None:
                page = state.history.page(viewer, after=after)
                yield from page.rows
                after = page.next

    # --- nothing is told before it is written ---------------------------------------------------

    def decided(self, effects: list[Effect]) -> None:
        """Note what has to be written before each effect."""
        for effect in effects:
            if isinstance(effect, Commit):
                self._decided += len(effect.changes)
            else:
                self._held.append((effect, self._decided))

    def wrote(self, changes: tuple[Change, ...]) -> None:
        """Count what is written."""
        self._written += len(changes)

    def told(self, effect: Effect) -> None:
        """Look whether what was decided before an effect is written."""
        while self._held:
            held, needed = self._held.popleft()
            if held is effect:
                if needed > self._written:
                    missing = needed - self._written
                    self.violated(
                        type(effect).__name__, f"left before {missing} changes were written"
                    )
                return
        self.violated(type(effect).__name__, "left without having been decided")

    def answered(self, request: HttpRequested, body: bytes) -> None:
        """Look whether what an answer says is written."""
        for who, what in self._said.claims(request, body):
            self.violated(who, what)


def _name(record: Record) -> str:
    if isinstance(record, Device):
        return record.uuid
    if isinstance(record, UnbindToken):
        return f"batch {record.batch}"
    if isinstance(record, PairToken):
        return f"a pairing token of {record.uid}"
    key = "/".join(str(getattr(record, column)) for column in record.KEY)
    return f"{record.TABLE} {key}"


def _quota(state: State, use: QuotaUse, _: int) -> object:
    found = (one for one in state.quotas.all() if (one.scope, one.name, one.day) == _key(use))
    quota = next(found, None)
    return quota and QuotaUse(quota.scope, quota.name, quota.day, quota.used)


def _key(use: QuotaUse) -> tuple[str, str, str]:
    return use.scope, use.name, use.day


def _limit(state: State, limit: QuotaLimit, now_ms: int) -> object:
    quota = state.quotas.standing(Scope(limit.scope), limit.name, now_ms)
    return QuotaLimit(quota.scope, quota.name, quota.limit)


_FOUND: Mapping[type[Record], Find] = {
    Device: lambda state, device, _: state.devices.get(device.uuid),
    User: lambda state, user, _: state.users.get(user.uid),
    PairToken: lambda state, token, _: state.tokens.pair_token(token.token),
    UnbindToken: lambda state, token, _: state.tokens.unbind_token(token.token),
    PushMessage: lambda state, message, _: state.push_backlog.get(message.id),
    Grant: lambda state, grant, _: state.accounts.given(grant.owner, grant.grant_id),
    QuotaUse: _quota,
    QuotaLimit: _limit,
}
"""How the cloud is asked for a record of each kind, besides the history; at a time in ms."""
