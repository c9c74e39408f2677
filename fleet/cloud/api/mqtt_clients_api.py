"""The admin API's page of MQTT clients that are no devices: the guests of the broker.

It is the admin's and no account's, because a guest hears topics, whosever devices they belong to.
A change counts at once: the guest's connections are closed, and what it may no longer hear ends.
"""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from firmware_sim.wire.structs import Secretive
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.api.shapes import Name
from fleet.cloud.guests import FILTERS_MAX, Guest
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.state import State

_PATH = "/admin/v1/mqtt-clients"

Filters = Annotated[tuple[str, ...], Meta(max_length=FILTERS_MAX)]


class GuestForm(Secretive, frozen=True):
    """What a guest may hear and send to; one that exists keeps its password without a new one."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    name: Name
    password: Annotated[str, Meta(max_length=128)] = ""
    read: Filters = ()
    write: Filters = ()


class GuestView(msgspec.Struct, frozen=True):
    """A guest as it is shown."""

    name: str
    read: tuple[str, ...]
    write: tuple[str, ...]


class MqttClientsApi:
    """Handlers of this page."""

    def __init__(self, link: DeviceLink) -> None:
        """Tell `link` what has changed."""
        self._link = link

    def routes(self) -> tuple[Route, ...]:
        """Return the table of this API."""
        return (
            Route("GET", _PATH, Access.ADMIN, self.see),
            Route("POST", _PATH, Access.ADMIN, self.put),
            Route("DELETE", f"{_PATH}/{{name}}", Access.ADMIN, self.remove),
        )

    def see(self, state: State, _call: Call) -> list[GuestView]:
        """Show all guests."""
        return [_view(guest) for guest in state.guests.all()]

    def put(self, state: State, call: Call) -> GuestView:
        """Add a guest or change one. Refused with a broker that keeps a list of its own."""
        if not self._link.takes_guests:
            raise Refused(Reason.BAD_REQUEST, "this cloud's broker lets in whom it knows itself")
        form = call.body_as(GuestForm)
        guest = state.guests.put(form.name, form.password, form.read, form.write)
        self._link.review_guest(guest.name, call.now_ms)
        return _view(guest)

    def remove(self, state: State, call: Call) -> None:
        """Take a guest away, with all that is kept for it."""
        name = call.path["name"]
        state.guests.remove(name)
        self._link.review_guest(name, call.now_ms)


def _view(guest: Guest) -> GuestView:
    return GuestView(guest.name, guest.read_filters, guest.write_filters)
