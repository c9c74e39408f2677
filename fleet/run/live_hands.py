"""The hands of people on live devices: each order goes to the shards that have them.

A device on a bench is in no shard; its bench takes the same orders.
"""

from collections.abc import Iterable

from fleet.run.bridge.host import BridgeHost
from fleet.run.fault_plan import Strike
from fleet.run.shard_host import ShardHost


class LiveHands:
    """All that people can do to devices, named by their index. There have to be `shards` for it.

    `benches` are those of devices that are in none; `dark` are the places without Wi-Fi.
    """

    shards: list[ShardHost]
    benches: dict[int, BridgeHost]
    dark: set[str]

    def power(self, indices: Iterable[int], *, on: bool) -> None:
        """Apply or remove the supply voltage."""
        for shard, mine in self.spread(indices):
            shard.power(mine, on=on)

    def hold(self, indices: Iterable[int], hold_ms: int) -> None:
        """Press the reset buttons for `hold_ms`."""
        for shard, mine in self.spread(indices):
            shard.hold(mine, hold_ms)

    def show(self, indices: Iterable[int], payload: bytes | None) -> None:
        """Bring a code into view, or take it away."""
        for shard, mine in self.spread(indices):
            shard.show(mine, payload)

    def move(self, indices: Iterable[int], site: str) -> None:
        """Carry devices to another place."""
        for shard, mine in self.spread(indices):
            shard.move(mine, site)

    def plug(self, indices: Iterable[int], *, connected: bool) -> None:
        """Put Ethernet cables in, or pull them; others leave the reach of Wi-Fi, or come back."""
        for shard, mine in self.spread(indices):
            shard.plug(mine, connected=connected)

    def switch_air(self, site: str, *, on: bool) -> None:
        """Switch the access point of a place on or off."""
        (self.dark.discard if on else self.dark.add)(site)
        for shard in self.shards:
            shard.switch_air(site, on=on)

    def intend(self, indices: Iterable[int], purpose: str) -> None:
        """Say what the next pairing is for."""
        for shard, mine in self.spread(indices):
            shard.intend(mine, purpose)

    def strike(self, strike: Strike) -> None:
        """Let a fault befall devices."""
        for shard in self.shards:
            shard.strike(strike)

    def call_off(self, numbers: Iterable[int]) -> None:
        """Forget what the tables with these numbers have not begun."""
        over = tuple(numbers)
        for shard in self.shards:
            shard.call_off(over)

    def spread(self, indices: Iterable[int]) -> list[tuple[ShardHost | BridgeHost, list[int]]]:
        """Return which shard or bench has which of some devices."""
        by_host: dict[ShardHost | BridgeHost, list[int]] = {}
        for index in indices:
            by_host.setdefault(self.host(index), []).append(index)
        return list(by_host.items())

    def host(self, index: int) -> ShardHost | BridgeHost:
        """Return which shard or bench has a device."""
        return self.benches.get(index) or self.shards[index % len(self.shards)]
