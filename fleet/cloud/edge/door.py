"""The door of encrypted ports: clients come in when their TLS handshake is done, and never too many.

The servers of an event loop hand a client on only after its handshake. Clients that begin one and
never end it would not be counted by anybody, and a crowd of them takes the files of other ports as
well. Here they count like those that are in.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

_AT_ONCE_MAX = 256  # before somebody else has a turn
_PAUSE_S = 1.0  # when no connection can be taken, as when there are no files left

Factory = Callable[[], asyncio.Protocol]
Port = tuple[Factory, socket.socket]
"""A listening socket, and what makes the protocol of a client that comes in there."""


class Door:
    """Listens on ports that share one bound: `room` returns how many more clients may come in."""

    def __init__(
        self,
        ports: Iterable[Port],
        options: dict[str, Any],
        room: Callable[[], int],
    ) -> None:
        """Open at once; `options` are those of TLS on an event loop."""
        self._loop = asyncio.get_running_loop()
        self._ports = {listener: protocol for protocol, listener in ports}
        self._room = room
        self._options = options
        self._comers: set[asyncio.Task[None]] = set()
        self._pauses: dict[socket.socket, asyncio.TimerHandle] = {}
        for listener in self._ports:
            self._listen(listener)

    def close(self) -> None:
        """Let nobody in any more, nor those whose handshake is not done; the sockets stay."""
        for listener in self._ports:
            self._loop.remove_reader(listener)
        for pause in self._pauses.values():
            pause.cancel()
        for comer in self._comers:
            comer.cancel()

    def _listen(self, listener: socket.socket) -> None:
        self._loop.add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_AT_ONCE_MAX):
            try:
                client, _address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError:
                self._loop.remove_reader(listener)
                self._pauses[listener] = self._loop.call_later(_PAUSE_S, self._listen, listener)
                return
            if len(self._comers) >= self._room():
                client.close()
                continue
            client.setblocking(False)  # noqa: FBT003 - the only form that there is
            comer = self._loop.create_task(self._let_in(client, self._ports[listener]))
            self._comers.add(comer)
            comer.add_done_callback(self._comers.discard)

    async def _let_in(self, client: socket.socket, protocol: Factory) -> None:
        with suppress(OSError):  # no handshake, a bad one, or none in time; it is closed then
            await self._loop.connect_accepted_socket(protocol, client, **self._options)
