"""One token is brought to a batch of devices, and their lights are read until all have ended.

Used by operators for their batches and by those who get devices into trouble on purpose. The
light says how it ended; why is looked up in the history. Both are asked, because a light can be
missed: the power fails, or the cloud dies between its commit and its reply.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum

import msgspec

from fleet.app.console_client import ConsoleClient
from fleet.app.finder import Found
from fleet.app.follow import history_rows
from fleet.app.messages import HistoryRow, UnbindToken
from fleet.run.messages import Seen
from fleet.run.phases import UNBIND
from fleet.run.population import Unit
from fleet.run.stage import Stage, is_busy, is_waiting
from fleet.run.watch import Gaze

SEARCH_S = 12.0  # devices announce themselves every 5 s
PRESENT_S = 15.0  # after that the operator turns to the next batch and only glances at this one
RESEND_S = 1.0


class Verdict(StrEnum):
    """How it ended, by the light."""

    UNBOUND = "unbound"
    FAILED = "failed"
    LOST = "lost"  # back to waiting without a word, no power, or nothing seen in time


class Result(msgspec.Struct, frozen=True):
    """One device: its light, and the newest row that the history has for it in this batch."""

    unit: Unit
    verdict: Verdict
    light: str
    row: HistoryRow | None = None

    @property
    def released(self) -> bool:
        """Say whether the cloud has unbound the device."""
        return self.row is not None and self.row.status == "ok"

    @property
    def reason(self) -> str:
        """Return why the cloud refused, "" if it did not or was never asked."""
        return self.row.reason if self.row is not None and not self.released else ""

    @property
    def day(self) -> str:
        """Return the day of the quota that the history has for it, "" without a row."""
        return self.row.day if self.row is not None else ""


class Batch(msgspec.Struct, frozen=True):
    """Devices and the token for them; `payload` is the QR code's content, None for wired ones."""

    units: tuple[Unit, ...]
    token: UnbindToken
    payload: bytes | None

    def __repr__(self) -> str:
        """Show which batch, never the token or the code."""
        return f"Batch({self.token.batch!r}, {len(self.units)} devices)"


async def attempt(
    stage: Stage, console: ConsoleClient, batch: Batch, presented: asyncio.Event | None = None
) -> list[Result]:
    """Bring the token to the devices and wait until each of them has ended, one way or another.

    `presented` is set when the operator can turn to the next batch: all devices have the token.
    """
    indices = [unit.index for unit in batch.units]
    reader = _Reader(stage, batch, presented or asyncio.Event())
    stage.hands.intend(indices, UNBIND)
    stage.watch.begin_batch(batch.token.batch, indices)
    with stage.watch.look_at(indices) as gaze:
        async with asyncio.TaskGroup() as group:
            handing = group.create_task(_hand_over(stage, batch, reader.has_ended))
            await reader.read_all(gaze)
            handing.cancel()
    history = history_rows(console, batch=batch.token.batch)
    rows: dict[str, HistoryRow] = {}
    async for row in history:  # a repeated refusal keeps its id and gets a new time
        if row.uuid not in rows or row.time_ms >= rows[row.uuid].time_ms:
            rows[row.uuid] = row
    return [
        Result(r.unit, r.verdict or Verdict.LOST, r.light, rows.get(r.unit.uuid))
        for r in reader.readings.values()
    ]


class _Reading:
    """What an operator has read from one light so far."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.taken = False
        self.verdict: Verdict | None = None
        self.light = ""

    def read(self, seen: Seen) -> None:
        self.light = seen.light
        if is_busy(seen):
            self.taken = True
        elif seen.operator == "failed":
            self.verdict = Verdict.FAILED
        elif seen.operator == "unbound" and self.taken:
            self.verdict = Verdict.UNBOUND
        elif seen.lifecycle == "OFF" or (seen.operator == "waiting" and self.taken):
            self.verdict = Verdict.LOST


class _Reader:
    """An operator's eyes on a batch, and the hand that takes the phone away in time."""

    def __init__(self, stage: Stage, batch: Batch, presented: asyncio.Event) -> None:
        self.readings = {unit.index: _Reading(unit) for unit in batch.units}
        self._stage = stage
        self._by_qr = batch.payload is not None
        self._presented = presented
        self._open = len(self.readings)  # have not ended
        self._untaken = len(self.readings)  # have neither taken the token nor ended

    def has_ended(self, unit: Unit) -> bool:
        """Say whether the operator is done with a device of this batch, one way or another."""
        return self.readings[unit.index].verdict is not None

    async def read_all(self, gaze: Gaze) -> None:
        """Read until every device has ended, or patience has."""
        timer = asyncio.get_running_loop().call_later(PRESENT_S, self._presented.set)
        try:
            async with asyncio.timeout(self._stage.patience_s):
                while self._open:
                    self._read(await gaze.next())
        except TimeoutError:
            self._give_up()
        finally:
            timer.cancel()
            self._presented.set()

    def _read(self, seen: Seen) -> None:
        """Read one light; take the phone away from a lens that has read the code."""
        reading = self.readings[seen.index]
        if reading.verdict is not None:
            return
        untaken = not reading.taken
        reading.read(seen)
        self._open -= reading.verdict is not None
        if untaken and (reading.taken or reading.verdict is not None):
            self._untaken -= 1
            if self._by_qr:
                self._stage.hands.show((seen.index,), None)
        if not self._untaken:
            self._presented.set()

    def _give_up(self) -> None:
        """Expect nothing more: no code stays in view, and what hangs is started anew.

        Some hang with the token of an earlier attempt, and have shown nothing but that from the start.
        """
        late = {i: reading for i, reading in self.readings.items() if reading.verdict is None}
        if self._by_qr:
            self._stage.hands.show([i for i, reading in late.items() if not reading.taken], None)
        last = self._stage.watch.last
        hanging = [i for i, reading in late.items() if reading.taken or is_busy(last[i])]
        self._stage.hands.power(hanging, on=False)
        self._stage.hands.power(hanging, on=True)


async def _hand_over(stage: Stage, batch: Batch, has_ended: Callable[[Unit], bool]) -> None:
    """Show the code to all lenses, or find the devices on the LAN and send each the token."""
    if batch.payload is not None:
        stage.hands.show([unit.index for unit in batch.units], batch.payload)
        return
    missing = {unit.uuid: unit for unit in batch.units}
    async with asyncio.TaskGroup() as group:
        while missing:
            for found in await stage.phones.wait_for(missing, SEARCH_S):
                unit = missing.pop(found.uuid)
                group.create_task(_send(stage, unit, found, batch.token.token, has_ended))


async def _send(
    stage: Stage, unit: Unit, found: Found, token_text: str, has_ended: Callable[[Unit], bool]
) -> None:
    """Send the token until the device takes it: one that still shows a failure refuses.

    A device that the operator has given up gets no token behind his back, when its power returns.
    """
    while True:
        await stage.watch.until_all([unit.index], is_waiting, stage.patience_s)
        if has_ended(unit):
            return
        if (await stage.phones.hand_over(found, token_text)).accepted:
            return
        await asyncio.sleep(RESEND_S)
