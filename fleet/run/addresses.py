"""Addresses for the devices of one run: a /16 of the loopback network, held against other runs.

Linux answers on all of 127.0.0.0/8 without any set-up. Each device gets an address of its own, so
that LAN clients tell devices apart by address and outgoing calls never run short of ports. Two
runs on one machine must not share addresses; whoever holds a datagram socket at the last address
of a /16 owns it, and the kernel gives it back when the process ends, however it ends.
"""

import socket
from types import TracebackType
from typing import Self

from firmware_sim.errors import UsageError

HOSTS_MAX = 250 * 250
_LOCK_PORT = 6668
_FIRST, _LAST = 16, 239


class AddressBlock:
    """A free block; a context that holds it."""

    def __init__(self) -> None:
        """Take the first free block. Raises UsageError when there is none."""
        self._lock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for block in range(_FIRST, _LAST + 1):
            try:
                self._lock.bind((f"127.{block}.255.254", _LOCK_PORT))
            except OSError:
                continue
            self._prefix = f"127.{block}"
            return
        self._lock.close()
        raise UsageError(
            f"no free loopback addresses: 127.{_FIRST}.x.x to 127.{_LAST}.x.x are all held by other "
            "runs (or UDP port 6668 is not allowed); end one of them"
        )

    def __enter__(self) -> Self:
        """Return the block itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the block back."""
        self.close()

    def close(self) -> None:
        """Give the block back."""
        self._lock.close()

    @property
    def network(self) -> str:
        """Return the block as a network, e.g. 127.16.0.0/16."""
        return f"{self._prefix}.0.0/16"

    def address(self, index: int) -> str:
        """Return the address of device `index` (0 .. HOSTS_MAX - 1)."""
        if not 0 <= index < HOSTS_MAX:
            raise UsageError(f"device {index}: one run has addresses for {HOSTS_MAX} devices")
        return f"{self._prefix}.{1 + index // 250}.{1 + index % 250}"
