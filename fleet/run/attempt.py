"""One token is brought to a batch of devices, and their lights are read until all have ended.

Used by operators for their batches and by those who get devices into trouble on purpose. The
light says how it ended; why is looked up in the history. Both are asked, because a light can be
missed: the power fails, or the cloud dies between its commit and its reply.
"""

import asyncio
from enum import StrEnum

import msgspec

from fleet.app.console_client import ConsoleClient
from fleet.app.finder import Found
from fleet.app.follow import history_rows
from fleet.app.messages import HistoryRow, UnbindToken
from fleet.run.messages import Seen
from fleet.run.phases import UNBIND
from fleet.run.population import Unit
from fleet.run.stage import Stage, is_waiting

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


class Batch(msgspec.Struct, frozen=True):
    """Devices and the token for them; `payload` is the QR code's content, None for wired ones."""

    units: tuple[Unit, ...]
    token: UnbindToken
    payload: bytes | None

    def __repr__(self) -> str:
        """Show which batch, never the token or the code."""
        return f"Batch({self.token.batch!r}, {len(self.units)} devices)"


class _Reading:
    """What an operator has read from one light so far."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.taken = False
        self.verdict: Verdict | None = None
        self.light = ""

    def read(self, seen: Seen) -> None:
        self.light = seen.light
        if seen.operator == "unbinding":
            self.taken = True
        elif seen.operator == "failed":
            self.verdict = Verdict.FAILED
        elif seen.operator == "unbound" and self.taken:
            self.verdict = Verdict.UNBOUND
        elif seen.lifecycle == "OFF" or (seen.operator == "waiting" and self.taken):
            self.verdict = Verdict.LOST


async def attempt(
    stage: Stage, console: ConsoleClient, batch: Batch, presented: asyncio.Event | None = None
) -> list[Result]:
    """Bring the token to the devices and wait until each of them has ended, one way or another.

    `presented` is set when the operator can turn to the next batch: all devices have the token.
    """
    indices = [unit.index for unit in batch.units]
    readings = {unit.index: _Reading(unit) for unit in batch.units}
    stage.hands.intend(indices, UNBIND)
    with stage.watch.look_at(indices) as gaze:
        handing = asyncio.create_task(_hand_over(stage, batch))
        timer = None
        if presented is not None:
            timer = asyncio.get_running_loop().call_later(PRESENT_S, presented.set)
        try:
            async with asyncio.timeout(stage.patience_s):
                while any(reading.verdict is None for reading in readings.values()):
                    seen = await gaze.next()
                    _take(stage, batch, readings[seen.index], seen)
                    if presented is not None and _all_taken(readings):
                        presented.set()
        except TimeoutError:
            _give_up(stage, batch, readings)
        finally:
            handing.cancel()
            await asyncio.gather(handing, return_exceptions=True)
            if timer is not None:
                timer.cancel()
            if presented is not None:
                presented.set()
    history = history_rows(console, batch=batch.token.batch)
    rows = {row.uuid: row async for row in history}
    return [
        Result(r.unit, r.verdict or Verdict.LOST, r.light, rows.get(r.unit.uuid))
        for r in readings.values()
    ]


def _take(stage: Stage, batch: Batch, reading: _Reading, seen: Seen) -> None:
    """Read one light; take the phone away from a lens that has read the code."""
    if reading.verdict is not None:
        return
    in_view = batch.payload is not None and not reading.taken
    reading.read(seen)
    if in_view and (reading.taken or reading.verdict is not None):
        stage.hands.show((seen.index,), None)


def _all_taken(readings: dict[int, _Reading]) -> bool:
    return all(reading.taken or reading.verdict is not None for reading in readings.values())


def _give_up(stage: Stage, batch: Batch, readings: dict[int, _Reading]) -> None:
    """Nothing more is expected of these devices: no code in view, and those that hang restarted."""
    late = [index for index, reading in readings.items() if reading.verdict is None]
    if batch.payload is not None:
        stage.hands.show([index for index in late if not readings[index].taken], None)
    hanging = [index for index in late if readings[index].taken]
    stage.hands.power(hanging, on=False)
    stage.hands.power(hanging, on=True)


async def _hand_over(stage: Stage, batch: Batch) -> None:
    """Show the code to all lenses, or find the devices on the LAN and send each the token."""
    if batch.payload is not None:
        stage.hands.show([unit.index for unit in batch.units], batch.payload)
        return
    missing = {unit.uuid: unit for unit in batch.units}
    async with asyncio.TaskGroup() as group:
        while missing:
            for found in await stage.phones.wait_for(missing, SEARCH_S):
                unit = missing.pop(found.uuid)
                group.create_task(_send(stage, unit, found, batch.token.token))


async def _send(stage: Stage, unit: Unit, found: Found, token_text: str) -> None:
    """Send the token until the device takes it: one that still shows a failure refuses."""
    while True:
        await stage.watch.until_all([unit.index], is_waiting, stage.patience_s)
        if (await stage.phones.hand_over(found, token_text)).accepted:
            return
        await asyncio.sleep(RESEND_S)
