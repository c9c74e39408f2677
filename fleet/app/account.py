"""What both apps share: a person who is logged in, and stays so.

The cloud ends a login after some days, or when the same person has logged in too often since. A
call that is refused for that reason alone logs in again, once.
"""

from collections.abc import Mapping
from typing import ClassVar, Self, TypeVar

import msgspec

from fleet.app.cloud_link import CloudLink
from fleet.app.console_messages import Explanation
from fleet.app.errors import CloudRefused
from fleet.app.messages import Credentials, LoggedIn

NO_SESSION = "no_session"
T = TypeVar("T")


class Account:
    """A person who is logged in at one of the cloud's APIs, whose paths begin with `ROOT`."""

    ROOT: ClassVar[str]

    def __init__(self, link: CloudLink, credentials: Credentials, logged_in: LoggedIn) -> None:
        """Speak as `logged_in` over `link`, which the caller keeps and closes."""
        self._link = link
        self._credentials = credentials
        self._session = logged_in.session
        self.name = credentials.name

    @classmethod
    async def login(cls, link: CloudLink, name: str, password: str) -> Self:
        """Log in; raises `CloudRefused` for an unknown name or a wrong password."""
        credentials = Credentials(name, password)
        return cls(link, credentials, await cls._open(link, credentials))

    async def explain(self, action: str, device: str, account: str = "") -> Explanation:
        """Return whether and why `account` (the own one if empty) may do `action` with a device.

        `device` is a device id or, in the console, a uuid.
        """
        query = {"action": action, "device": device}
        if account not in ("", self.name):
            query["account"] = account
        return await self._call("GET", "explain", Explanation, query=query)

    @classmethod
    async def _open(cls, link: CloudLink, credentials: Credentials) -> LoggedIn:
        return await link.call("POST", f"{cls.ROOT}/login", LoggedIn, body=credentials)

    async def _call(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        query: Mapping[str, str | int] | None = None,
        body: msgspec.Struct | None = None,
        repeatable: bool = True,
    ) -> T:
        async def once() -> T:
            return await self._link.call(
                method,
                f"{self.ROOT}/{path}",
                kind,
                session=self._session,
                query=query,
                body=body,
                repeatable=repeatable,
            )

        try:
            return await once()
        except CloudRefused as refusal:
            if refusal.code != NO_SESSION:
                raise
        self._session = (await self._open(self._link, self._credentials)).session
        return await once()
