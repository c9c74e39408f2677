"""The consumer app's side of the cloud: an end user pairs devices, lists them, removes them."""

from urllib.parse import quote

import msgspec

from fleet.app.account import Account
from fleet.app.cloud_link import CloudLink
from fleet.app.messages import (
    Credentials,
    OwnedDevice,
    PairResult,
    PairToken,
    Registered,
)


async def register(link: CloudLink, name: str, password: str) -> str:
    """Create an end user and return the uid.

    Raises `CloudRefused` if the name is taken. Not repeated once it may have arrived: the second
    of two equal registrations would be refused.
    """
    body = Credentials(name, password)
    reply = await link.call("POST", "/app/v1/register", Registered, body=body, repeatable=False)
    return reply.uid


class ConsumerClient(Account):
    """An end user who is logged in."""

    ROOT = "/app/v1"

    async def pair_token(self) -> PairToken:
        """Ask for a pairing token; an unused one costs nothing and dies by itself."""
        return await self._call("POST", "pair-tokens", PairToken)

    async def pair_result(self, token: str) -> PairResult:
        """Return which devices came with the token so far, and how that ended."""
        return await self._call("GET", f"pair-tokens/{quote(token, safe='')}", PairResult)

    async def devices(self) -> tuple[OwnedDevice, ...]:
        """Return the devices in the user's home."""
        return await self._call("GET", "devices", tuple[OwnedDevice, ...])

    async def remove(self, dev_id: str, *, wipe: bool = False) -> None:
        """Unbind a device; with `wipe` its history is erased as well ("remove and wipe data").

        Not repeated once it may have arrived: the second removal would be refused.
        """
        await self._call(
            "DELETE",
            f"devices/{quote(dev_id, safe='')}",
            msgspec.Raw,
            query={"wipe": int(wipe)},
            repeatable=False,
        )
