"""A device's end of the wire, without a device."""

import asyncio

from firmware_sim.runtime.faults import Fault


class Desk:
    """Whence a call is made, and the faults on its way."""

    def __init__(self, ip: str, *faults: Fault) -> None:
        self.ip = ip
        self.faults = faults
        self.hole: asyncio.Event | None = None
        self.reports: list[str] = []

    def report(self, text: str) -> None:
        """Remember what this host lacks."""
        self.reports.append(text)
