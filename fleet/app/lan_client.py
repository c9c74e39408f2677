"""The phone on the LAN: searches devices and hands tokens to wired ones.

Drivers of the cores `finder` and `handover`. Devices announce themselves; newer ones do so only
when they are asked, which `lan_caller` does, if it is told where. TCP connections go only to
devices that were selected.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Protocol, Self

from firmware_sim.errors import PeerError
from firmware_sim.wire.ciphers import NONCE_SIZE
from firmware_sim.wire.discovery import PORT_CONTROL, PORT_ENCRYPTED, PORT_PLAIN
from firmware_sim.wire.provisioning import TokenForm
from fleet.app.finder import EVERYWHERE, FOUND_MAX, HEARD_MAX, Finder, Found
from fleet.app.handover import ANSWER_SIZE_MAX, Delivery, Handover, Outcome
from fleet.app.lan_caller import Asking, LanCaller, Take, listen


class Ear(Protocol):
    """Somebody who hears a UDP port."""

    def close(self) -> None:
        """Hear nothing more."""
        ...


Listen = Callable[[Take, str, int], Awaitable[Ear]]


class LanSearch:
    """A search that goes on while its `async with` block lasts; `finder` has what was found."""

    def __init__(
        self,
        *,
        bind_ip: str = "",
        network: str = EVERYWHERE,
        ports: Iterable[int] = (PORT_PLAIN, PORT_ENCRYPTED),
        asking: Asking | None = None,
        on_found: Callable[[Found], None] | None = None,
        listen: Listen = listen,
        found_max: int = FOUND_MAX,
    ) -> None:
        """Listen on `ports` of `bind_ip` (all addresses by default); report each new device.

        Only devices of `network` count. With `asking`, also devices are found that wait to be
        asked; those that wait for a token do not. `listen` is how this phone hears a port,
        `found_max` how many devices that wait it can list.
        """
        self.finder = Finder(network, found_max, max(found_max, HEARD_MAX))
        self._bind_ip = bind_ip
        self._ports = tuple(ports)
        self._on_found = on_found
        self._caller = LanCaller(self._take, asking) if asking is not None else None
        self._heard = asyncio.Event()
        self._awaited: dict[str, list[asyncio.Event]] = {}  # who waits for which device
        self._listen = listen
        self._transports: list[Ear] = []

    async def __aenter__(self) -> Self:
        """Open the sockets; raises `UsageError` if another program holds a port for itself."""
        try:
            for port in self._ports:
                self._transports.append(await self._listen(self._take, self._bind_ip, port))
            if self._caller is not None:
                await self._caller.start()
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening."""
        self.close()

    def close(self) -> None:
        """Stop listening; what was found stays."""
        if self._caller is not None:
            self._caller.close()
        for transport in self._transports:
            transport.close()
        self._transports.clear()

    async def wait_for(self, uuids: Iterable[str], timeout_s: float) -> tuple[Found, ...]:
        """Return those of `uuids` that are found, as soon as all are or when time is over."""
        wanted = dict.fromkeys(uuids)
        if not wanted.keys() <= self.finder.found_uuids:
            await self._wait_for(wanted, timeout_s)
        return self.finder.select(wanted)

    async def _wait_for(self, wanted: dict[str, None], timeout_s: float) -> None:
        """Wait until all are found at the same time: many search at once, each for its own."""
        found = asyncio.Event()
        for uuid in wanted:
            self._awaited.setdefault(uuid, []).append(found)
        try:
            async with asyncio.timeout(timeout_s):
                while not wanted.keys() <= self.finder.found_uuids:
                    found.clear()
                    await found.wait()
        except TimeoutError:
            pass
        finally:
            for uuid in wanted:
                waiting = self._awaited[uuid]
                waiting.remove(found)
                if not waiting:
                    del self._awaited[uuid]

    async def until(self, enough: Callable[[Finder], bool], timeout_s: float) -> None:
        """Return as soon as `enough` devices that wait for a token are found, or time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                while not enough(self.finder):
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            pass

    def _take(self, datagram: bytes, source_ip: str) -> None:
        found = self.finder.take(datagram, source_ip)
        if found is None:
            return
        self._heard.set()
        for awaited in self._awaited.get(found.uuid, ()):
            awaited.set()
        if self._on_found is not None:
            self._on_found(found)


async def search(
    timeout_s: float,
    *,
    network: str = EVERYWHERE,
    on_found: Callable[[Found], None] | None = None,
) -> tuple[Found, ...]:
    """Listen for `timeout_s` and return the devices of `network` that can be selected."""
    async with LanSearch(network=network, on_found=on_found) as running:
        await asyncio.sleep(timeout_s)
        return running.finder.found


async def send_token(
    ip: str,
    token_text: str,
    *,
    port: int = PORT_CONTROL,
    form: TokenForm = TokenForm.ECB,
    timeout_s: float = 20.0,
    attempts: int = 4,
    settle_s: float = 1.0,
    resend_s: float = 5.0,
    entropy: Callable[[int], bytes] = os.urandom,
) -> Delivery:
    """Hand a token to the device at `ip`; return how that ended, never raise for its doing.

    The token is sent `settle_s` after connecting and again every `resend_s`, up to `attempts`
    times and never beyond `timeout_s` in all. A lost connection is opened again for the next
    attempt. Nonces are made of `entropy`.
    """
    line = _Line(ip, port, Handover(token_text, form), settle_s, resend_s, entropy)
    try:
        async with asyncio.timeout(timeout_s):
            for attempt in range(attempts):
                if attempt and not line.is_open:
                    await asyncio.sleep(resend_s)
                if await line.attempt():
                    break
    except TimeoutError:
        pass  # what the last attempt has shown is the result
    finally:
        line.close()
    return line.result


async def send_tokens(
    targets: Iterable[Found],
    token_text: str,
    *,
    newer: TokenForm = TokenForm.ECB,
    parallel: int = 32,
    on_delivery: Callable[[Found, Delivery], None] | None = None,
) -> tuple[Delivery, ...]:
    """Hand one token to several devices, `parallel` at a time; deliveries in order of `targets`.

    Each gets it in the form that its LAN version asks for; `newer` is the form for 3.4 and 3.5.
    """
    gate = asyncio.Semaphore(parallel)

    async def deliver(found: Found) -> Delivery:
        async with gate:
            delivery = await send_token(found.ip, token_text, form=found.form(newer))
        if on_delivery is not None:
            on_delivery(found, delivery)
        return delivery

    return tuple(await asyncio.gather(*(deliver(found) for found in targets)))


class _Line:
    """A connection to one device, opened when needed, and what the latest attempt has shown."""

    def __init__(
        self,
        ip: str,
        port: int,
        handover: Handover,
        settle_s: float,
        resend_s: float,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._ip = ip
        self._port = port
        self._handover = handover
        self._settle_s = settle_s
        self._resend_s = resend_s
        self._entropy = entropy
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._outcome = Outcome.UNREACHABLE
        self._detail = "no connection in time"

    @property
    def is_open(self) -> bool:
        return self._streams is not None

    @property
    def result(self) -> Delivery:
        return Delivery(self._ip, self._outcome, self._handover.attempts, self._detail)

    async def attempt(self) -> bool:
        """Send the token once and wait for the answer; return whether no more is needed."""
        try:
            return_code = await self._ask()
        except PeerError as error:
            self._show(Outcome.BAD_ANSWER, str(error))
            return True
        except OSError as error:
            self.close()
            self._show(Outcome.UNREACHABLE, error.strerror or str(error))
            return False
        if return_code is None:
            return False
        if return_code == 0:
            self._show(Outcome.ACCEPTED, "")
        else:
            self._show(Outcome.REFUSED, f"return code {return_code}")
        return True

    def close(self) -> None:
        """Drop the connection, if there is one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    def _show(self, outcome: Outcome, detail: str) -> None:
        self._outcome, self._detail = outcome, detail

    async def _ask(self) -> int | None:
        reader, writer = await self._connected()
        if writer.is_closing():  # it has gone meanwhile; what a write raises depends on the loop
            raise ConnectionResetError("closed by the device")
        writer.write(self._handover.next_frame(self._entropy(NONCE_SIZE)))
        self._show(Outcome.NO_ANSWER, "")
        await writer.drain()
        try:
            async with asyncio.timeout(self._resend_s):
                return await self._answer(reader)
        except TimeoutError:
            return None

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(
                self._ip, self._port, limit=ANSWER_SIZE_MAX
            )
            self._handover.connection_opened()
            await asyncio.sleep(self._settle_s)
        return self._streams

    async def _answer(self, reader: asyncio.StreamReader) -> int:
        while data := await reader.read(ANSWER_SIZE_MAX):
            return_code = self._handover.receive(data)
            if return_code is not None:
                return return_code
        raise ConnectionResetError("closed by the device")
