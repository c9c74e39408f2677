"""What an operator has begun on the Developer app page: codes for lenses, and tokens by wire.

Kept for each person who is logged in, and gone when they log out: a code holds the password of a
Wi-Fi and a token, which never leave this process but inside the picture of the code.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TypeVar

from firmware_sim.errors import UsageError
from fleet.app import qr
from fleet.app.console_client import ConsoleClient
from fleet.app.finder import Found
from fleet.app.handover import Delivery
from fleet.app.lan_client import send_tokens
from fleet.app.messages import HistoryRow, UnbindToken
from fleet.web.routes import NotFound

DEVICES_PER_TOKEN = 30
CODES_KEPT, RUNS_KEPT = 8, 8
DEVICES_PER_RUN_MAX = 600
ROWS_OF_BATCH = 200  # more than one token can cause in the ordinary course of things

T = TypeVar("T")
Begun = Callable[[str, Iterable[str]], None]  # a batch, and the uuids of its devices


class Code:
    """A code for lenses; `payload` is what is in it."""

    def __init__(self, token: UnbindToken, ssid: str, password: str) -> None:
        """Make the code of a token for devices that are to join a Wi-Fi. Raises UsageError."""
        self.batch = token.batch
        self.ssid = ssid
        self.payload = qr.payload(ssid, password, token.token)

    def __repr__(self) -> str:
        """Show the batch, never what is in the code."""
        return f"Code(batch={self.batch!r})"


class Errand:
    """One device that is to get a token by wire, and what became of it so far."""

    def __init__(self, found: Found) -> None:
        """Begin without a token."""
        self.found = found
        self.batch = ""
        self.delivery: Delivery | None = None
        self.refusal: UsageError | None = None  # there is no token: the cloud refuses, or is away
        self.row: HistoryRow | None = None

    @property
    def over(self) -> bool:
        """Say whether nothing more is to be expected."""
        if self.refusal is not None or self.row is not None:
            return True
        return self.delivery is not None and not self.delivery.accepted

    @property
    def outcome(self) -> str:
        """Return how it stands: waiting, sending, taken, unbound, refused, or how handing failed."""
        if self.row is not None:
            return "unbound" if self.row.status == "ok" else "refused"
        if self.refusal is not None:
            return "refused"
        if self.delivery is not None:
            return "taken" if self.delivery.accepted else self.delivery.outcome.value
        return "sending" if self.batch else "waiting"


class Run:
    """An unbinding by wire of selected devices, in as many batches as it takes, one after another."""

    def __init__(self, name: str, targets: Iterable[Found], begun: Begun) -> None:
        """Prepare errands; `go` carries them out, and tells `begun` of each batch."""
        self.name = name
        self._begun = begun
        self.errands = {found.uuid: Errand(found) for found in targets}

    @property
    def over(self) -> bool:
        """Say whether all devices have ended."""
        return all(errand.over for errand in self.errands.values())

    async def go(self, account: ConsoleClient) -> None:
        """Hand tokens to all devices; where there is none, that is the outcome of all it was for."""
        errands = list(self.errands.values())
        for first in range(0, len(errands), DEVICES_PER_TOKEN):
            part = errands[first : first + DEVICES_PER_TOKEN]
            try:
                token = await account.unbind_token("wired", max_devices=len(part))
            except UsageError as refusal:
                for errand in part:
                    errand.refusal = refusal
                continue
            for errand in part:
                errand.batch = token.batch
            self._begun(token.batch, [errand.found.uuid for errand in part])
            await send_tokens((one.found for one in part), token.token, on_delivery=self._handed)

    async def look(self, account: ConsoleClient) -> None:
        """Look into the history for what became of those that took their token."""
        open_batches = {
            one.batch: None for one in self.errands.values() if one.batch and not one.over
        }
        for batch in open_batches:
            page = await account.history(batch=batch, limit=ROWS_OF_BATCH)
            for row in page.rows:
                errand = self.errands.get(row.uuid)
                if errand is not None:
                    errand.row = row

    def _handed(self, found: Found, delivery: Delivery) -> None:
        self.errands[found.uuid].delivery = delivery


class Desktop:
    """What one person has begun, bounded: the oldest go first."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._codes: OrderedDict[str, Code] = OrderedDict()
        self._runs: OrderedDict[str, tuple[Run, asyncio.Task[None]]] = OrderedDict()
        self._runs_begun = 0

    def keep(self, code: Code) -> None:
        """Keep a code, to be shown again."""
        _put(self._codes, code.batch, code, CODES_KEPT)

    def code(self, batch: str) -> Code:
        """Return a code. Raises NotFound."""
        code = self._codes.get(batch)
        if code is None:
            raise NotFound("this code is no longer kept here; make a new one")
        return code

    def ssid(self, batch: str) -> str:
        """Return the Wi-Fi of a code, "" when it is not kept."""
        code = self._codes.get(batch)
        return code.ssid if code is not None else ""

    def begin(
        self, targets: Iterable[Found], account: ConsoleClient, begun: Begun
    ) -> tuple[Run, asyncio.Task[None]]:
        """Begin an unbinding by wire; return it, and what carries it out."""
        self._runs_begun += 1
        run = Run(str(self._runs_begun), targets, begun)
        task = asyncio.create_task(run.go(account))
        gone = _put(self._runs, run.name, (run, task), RUNS_KEPT)
        if gone is not None:
            gone[1].cancel()
        return run, task

    def run(self, name: str) -> Run:
        """Return a run. Raises NotFound, or what has ended it before its time."""
        found = self._runs.get(name)
        if found is None:
            raise NotFound("this run is no longer kept here; the history has what became of it")
        run, task = found
        if task.done() and not task.cancelled():
            task.result()
        return run


def _put(kept: OrderedDict[str, T], name: str, thing: T, count_max: int) -> T | None:
    """Put something in as the newest; return what had to go for it."""
    kept[name] = thing
    return kept.popitem(last=False)[1] if len(kept) > count_max else None
