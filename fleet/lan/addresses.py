"""The addresses that one run holds: those of a LAN that was made for it, or a part of loopback.

Linux answers on all of 127.0.0.0/8 without any set-up. Each device gets an address of its own, so
that LAN clients tell devices apart by address and outgoing calls never run short of ports. Two
runs must not share addresses; whoever holds a certain datagram socket owns them, and the kernel
gives it back when the process ends, however it ends.
"""

import socket
from types import TracebackType
from typing import Self

from firmware_sim.errors import UsageError
from fleet.lan.arrangement import Arrangement, Kind

HOSTS_MAX = 62_500
_LOCK_PORT = 6668
_FIRST, _LAST = 16, 239


class AddressBlock:
    """Addresses that nobody else uses as long as this context lasts; `lan` says which."""

    def __init__(self, lan: Arrangement | None = None) -> None:
        """Take all of `lan`, in whose namespace we are, or the first free /16 of loopback.

        Raises UsageError when another run has it, or all of them.
        """
        self._lock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.lan = self._take(lan) if lan is not None else self._take_loopback()
        except UsageError:
            self._lock.close()
            raise

    def _take(self, lan: Arrangement) -> Arrangement:
        try:
            self._lock.bind((lan.cloud_ip, _LOCK_PORT))
        except OSError as error:
            raise UsageError(
                f"{lan.title} is held by another run ({error.strerror}); "
                "end it, or make another LAN (fleet lan up)"
            ) from error
        return lan

    def _take_loopback(self) -> Arrangement:
        for block in range(_FIRST, _LAST + 1):
            try:
                self._lock.bind((f"127.{block}.255.254", _LOCK_PORT))
            except OSError:
                continue
            return Arrangement(
                name="",
                kind=Kind.LOOPBACK,
                network=f"127.{block}.0.0/16",
                cloud_ip="127.0.0.1",
                first_ip=f"127.{block}.1.1",
                devices_max=HOSTS_MAX,
            )
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
        """Give the addresses back."""
        self.close()

    def close(self) -> None:
        """Give the addresses back."""
        self._lock.close()

    def address(self, index: int) -> str:
        """Return the address of device `index`; raises UsageError beyond those of the LAN."""
        return self.lan.address(index)
