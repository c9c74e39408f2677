"""Who is logged in at the emulated cloud from which browser, and the one way there.

What the cloud gave for name and password, and these, stay in this process: a page is told a name.
Accounts that this fleet has made up are logged in by a click, since whoever may see the pages has
the fleet in hand anyway.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import ClassVar

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.wire.structs import Secretive
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.errors import CloudRefused
from fleet.cloud.api.shapes import Name, Password
from fleet.cloud.reasons import Reason
from fleet.run.population import Person
from fleet.run.supervisor import Supervisor
from fleet.web import refusals
from fleet.web.routes import Call, Handler, NotFound, Route
from fleet.web.sessions import Session

PATIENCE_S = 5.0
"""How long a page waits for a cloud that is being started again."""


class Login(Secretive, frozen=True):
    """An account of the cloud."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    name: Name
    password: Password


class LoginAs(msgspec.Struct, frozen=True):
    """One of the accounts that this fleet has made up."""

    name: Name


class Known(msgspec.Struct, frozen=True):
    """An account by its name; `role` is what it is in this fleet, "" where nobody knows."""

    name: str
    role: str


class Who(msgspec.Struct, frozen=True):
    """Who is logged in from this browser, and who can be by a click."""

    account: Known | None
    people: tuple[Known, ...]


class Visitor:
    """Somebody who is logged in. `kept` is what a room wants to find again for this person."""

    def __init__(self, account: ConsoleClient, role: str) -> None:
        """Begin with nothing kept."""
        self.account = account
        self.role = role
        self.kept: dict[str, object] = {}


def way_to(supervisor: Supervisor) -> Callable[[float], CloudLink]:
    """Return how a desk reaches the cloud of a fleet, which may still be on its way up."""

    def open_link(patience_s: float) -> CloudLink:
        if not supervisor.cloud.ready.http_port:
            raise UsageError("the cloud of this fleet is not up yet; try again in a moment")
        return supervisor.open_link(patience_s)

    return open_link


Work = Callable[[Visitor, Call], Awaitable[object]]


class Desk:
    """The counter of one room, which has sessions of its own: a browser can be two people."""

    def __init__(
        self,
        room: str,
        open_link: Callable[[float], CloudLink],
        people: Iterable[Person],
    ) -> None:
        """Reach the cloud by `open_link`, which is called once it is needed, with a patience in s."""
        self._room = room
        self._open_link = open_link
        self._link: CloudLink | None = None
        self._people = {person.name: person for person in people if not person.uid}

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """Close at the end what was opened."""
        try:
            yield
        finally:
            link, self._link = self._link, None
            if link is not None:
                await link.close()

    def visitor(self, session: Session) -> Visitor | None:
        """Return who is logged in from a browser."""
        found = session.kept.get(self._room)
        return found if isinstance(found, Visitor) else None

    def over(self, work: Work) -> Handler:
        """Return a handler that does `work` for who is logged in; what the cloud refuses is told."""

        async def handler(call: Call) -> object:
            visitor = self.visitor(call.session)
            if visitor is None:
                return refusals.reply(CloudRefused(Reason.NO_SESSION.value, ""))
            try:
                return await work(visitor, call)
            except CloudRefused as refusal:
                return refusals.reply(refusal)

        return handler

    def routes(self) -> tuple[Route, ...]:
        """Return the calls that log in and out."""
        return (
            Route("GET", "/who", "Who is logged in, and who can be", self.who, reply=Who),
            Route("POST", "/login", "Log in at the cloud", self._log_in, body=Login, reply=Who),
            Route(
                "POST",
                "/login-as",
                "Log in as an account that this fleet has made up",
                self._log_in_as,
                body=LoginAs,
                reply=Who,
            ),
            Route("POST", "/logout", "Log out at the cloud", self._log_out, reply=Who),
        )

    async def who(self, call: Call) -> Who:
        """Tell who is there."""
        visitor = self.visitor(call.session)
        known = Known(visitor.account.name, visitor.role) if visitor is not None else None
        return Who(known, tuple(Known(one.name, one.role) for one in self._people.values()))

    async def _log_in(self, call: Call) -> object:
        form: Login = call.body
        return await self._open(call, form.name, form.password)

    async def _log_in_as(self, call: Call) -> object:
        form: LoginAs = call.body
        person = self._people.get(form.name)
        if person is None:
            raise NotFound("this fleet has made up no such account")
        return await self._open(call, person.name, person.password)

    async def _log_out(self, call: Call) -> Who:
        call.session.kept.pop(self._room, None)
        return await self.who(call)

    async def _open(self, call: Call, name: str, password: str) -> object:
        """Log in; how often a wrong password may be tried is the cloud's own business."""
        if self._link is None:
            self._link = self._open_link(PATIENCE_S)
        try:
            account = await ConsoleClient.login(self._link, name, password)
        except CloudRefused as refusal:
            return refusals.reply(refusal)
        known = self._people.get(name)
        role = known.role if known is not None else ""
        call.session.kept[self._room] = Visitor(account, role)
        return await self.who(call)
