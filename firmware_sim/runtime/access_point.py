"""The air at one site: which Wi-Fi networks are heard there, and their passwords.

No world has real radios, so this is the whole of Wi-Fi: a name, a password, and the time that
scanning, the handshake and DHCP take together.
"""

from collections.abc import Mapping

from firmware_sim.events import JoinRefusal


class AccessPoint:
    """The networks at one site; nobody hears them while it is not `on`."""

    __slots__ = ("join_ms", "networks", "on")

    def __init__(self, networks: Mapping[str, str], join_ms: int = 600) -> None:
        """Take SSID -> password; every join is answered after `join_ms`."""
        self.networks = dict(networks)
        self.join_ms = join_ms
        self.on = True

    def refusal(self, ssid: str, password: str) -> JoinRefusal | None:
        """Return why a station is turned away, None when it may join."""
        if not self.on or ssid not in self.networks:
            return JoinRefusal.NO_SUCH_NETWORK
        if self.networks[ssid] != password:
            return JoinRefusal.WRONG_PASSWORD
        return None

    def __repr__(self) -> str:
        """Show the names of the networks, not their passwords."""
        return f"AccessPoint({', '.join(self.networks)})"
