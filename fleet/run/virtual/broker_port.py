"""The port of a virtual cloud at which its MQTT broker listens, and what a restart of that does."""

from firmware_sim.runtime.virtual.wan import Call
from fleet.run.virtual.cloud import VirtualCloud


class BrokerPort:
    """A `Host`; while it is `closed`, the rest of the cloud goes on."""

    def __init__(self, cloud: VirtualCloud) -> None:
        """Open the port of `cloud`."""
        self.closed = False
        self._cloud = cloud
        self.opened = cloud.opened  # nothing stands between the two
        self.heard = cloud.heard
        self.lost = cloud.lost

    @property
    def up(self) -> bool:
        """Say whether it takes connections."""
        return self._cloud.up and not self.closed

    def post(self, call: Call) -> None:
        """Break what is no MQTT."""
        call.lose()

    def close(self) -> None:
        """Hang up on all clients, and take no more."""
        self.closed = True
        self._cloud.hang_up()

    def open(self) -> None:
        """Take clients again."""
        self.closed = False
