"""Which sub-devices are in reach of their gateways, as these say; over with the gateway's session."""

CHANGES_PER_S_MAX = 256
"""So many of its sub-devices may come or go in a second, of one gateway: each is logged and told."""


class Reach:
    """The device ids of all sub-devices that are in reach now."""

    __slots__ = ("_arrived", "_near", "_spent")

    def __init__(self) -> None:
        """Start with none: gateways name them whenever they come online."""
        self._near: dict[str, None] = {}
        self._arrived: list[str] = []
        self._spent: dict[str, tuple[int, int]] = {}  # by gateway: a second, and changes in it

    def __contains__(self, dev_id: str) -> bool:
        """Tell whether a sub-device is in reach."""
        return dev_id in self._near

    def note(self, dev_id: str, *, near: bool) -> bool:
        """Remember where a sub-device is; return whether that is news."""
        is_news = near != (dev_id in self._near)
        if near:
            self._near[dev_id] = None
            if is_news:
                self._arrived.append(dev_id)
        else:
            self._near.pop(dev_id, None)
        return is_news

    def take_arrivals(self) -> list[str]:
        """Return, once, who has come into reach."""
        arrived, self._arrived = self._arrived, []
        return arrived

    def spend(self, gateway_id: str, now_ms: int) -> bool:
        """Count a change that a gateway tells of; return whether it may tell of so many."""
        second, count = self._spent.get(gateway_id, (0, 0))
        count = count + 1 if second == now_ms // 1000 else 1
        self._spent[gateway_id] = (now_ms // 1000, count)
        return count <= CHANGES_PER_S_MAX

    def forget(self, gateway_id: str) -> None:
        """Forget what a gateway has told."""
        self._spent.pop(gateway_id, None)
