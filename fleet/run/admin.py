"""Whoever runs a live cloud, on the line with it: its counters, its quotas, its newcomers."""

from typing import Any, TypeVar

import httpx
import msgspec

from firmware_sim.errors import Malformed, UsageError
from fleet.app.carrier import trust_in
from fleet.app.errors import CloudUnreachable
from fleet.cloud.api.admin_api import UUIDS_MAX, Counted, Leavers, Newcomers, Stats
from fleet.cloud.quotas import Quota

PATIENCE_S = 5.0
DEVICES_PER_CALL = 40  # with their owners: well below what the cloud takes in one body
ANSWER_SIZE_MAX = 1 << 20
T = TypeVar("T")


class AdminLink:
    """Calls the admin API of the cloud at `url`; `ca_file` as in `CloudLink`.

    Every call raises CloudUnreachable, or Malformed when the answer is none.
    """

    def __init__(self, url: str, secret: str, ca_file: str = "") -> None:
        """Open no connection yet."""
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=PATIENCE_S,
            trust_env=False,
            verify=trust_in(url, ca_file),
        )

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()

    async def stats(self) -> Stats:
        """Return what server and services have counted."""
        return await self._ask("GET", "stats", Stats)

    async def quotas(self) -> list[Quota]:
        """Return the quotas of which something was used today."""
        return await self._ask("GET", "quotas", list[Quota])

    async def add(self, new: Newcomers) -> None:
        """Register users, products and devices. Raises UsageError when the cloud refuses them.

        It may be called again when it has failed half way: what is there already stays.
        """
        step = DEVICES_PER_CALL
        products = Newcomers(products=new.products, again=True)
        await self._ask("POST", "devices", Counted, products)
        for at in range(0, len(new.users), step):
            part = Newcomers(users=new.users[at : at + step], again=True)
            await self._ask("POST", "devices", Counted, part)
        for at in range(0, len(new.devices), step):
            part = Newcomers(devices=new.devices[at : at + step], again=True)
            await self._ask("POST", "devices", Counted, part)

    async def remove(self, uuids: tuple[str, ...]) -> None:
        """Take devices away from their owners."""
        for at in range(0, len(uuids), UUIDS_MAX):
            part = Leavers(uuids[at : at + UUIDS_MAX])
            await self._ask("POST", "devices/removal", Counted, part)

    async def _ask(self, method: str, name: str, kind: type[T], body: object = None) -> T:
        content = b"" if body is None else msgspec.json.encode(body)
        try:
            response = await self._http.request(method, f"/admin/v1/{name}", content=content)
        except httpx.TransportError as error:
            raise CloudUnreachable(f"the cloud gave no answer ({type(error).__name__})") from error
        answer: T = read(response.content, kind)
        return answer


class _Envelope(msgspec.Struct):
    success: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    msg: str = ""


def read(content: bytes, kind: Any) -> Any:
    """Return what is in an answer. Raises Malformed when it is none, UsageError for a refusal."""
    try:
        envelope = msgspec.json.decode(content[:ANSWER_SIZE_MAX], type=_Envelope)
        if envelope.success:
            return msgspec.json.decode(envelope.result, type=kind)
    except msgspec.DecodeError as error:
        raise Malformed(f"admin API: {error}") from None
    raise UsageError(f"the cloud refuses: {envelope.msg}")
