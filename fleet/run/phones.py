"""All phones of a run on the LAN: one ear for the announcements, one hand per token."""

import os
from collections.abc import Callable, Iterable

from fleet.app.finder import Found
from fleet.app.handover import Delivery
from fleet.app.lan_client import LanSearch, send_token

SETTLE_S = 0.1  # the vendor's app waits a second after connecting; our devices need no such time


class LanPhones:
    """Phones that share one running search: on one LAN they hear the same."""

    def __init__(self, search: LanSearch, entropy: Callable[[int], bytes] = os.urandom) -> None:
        """Use `search`, which the caller opens and closes; nonces are made of `entropy`."""
        self._search = search
        self._entropy = entropy

    async def wait_for(self, uuids: Iterable[str], timeout_s: float) -> tuple[Found, ...]:
        """Return those of `uuids` that announce themselves within the time."""
        return await self._search.wait_for(uuids, timeout_s)

    async def hand_over(self, found: Found, token_text: str) -> Delivery:
        """Send a token to one device."""
        return await send_token(
            found.ip, token_text, form=found.form(), settle_s=SETTLE_S, entropy=self._entropy
        )
