"""How devices get onto their networks: Wi-Fi joins, cables, and being carried away."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.errors import UsageError
from firmware_sim.events import JoinRefusal
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.faults import CablePulled, WifiGone, late_ms, lies
from firmware_sim.runtime.place import AnyPlace

LINK_MS = 300  # Ethernet auto-negotiation and DHCP together


class Attachment:
    """The networks at all sites, in the time of the running loop."""

    def __init__(self, sites: Mapping[str, AccessPoint]) -> None:
        """Take the access point of each site, by name."""
        self._loop = asyncio.get_running_loop()
        self._sites = dict(sites)

    def check_site(self, site: str) -> None:
        """Raise UsageError for an unknown site."""
        if site not in self._sites:
            raise UsageError(f"no site {site!r}; allowed: {', '.join(self._sites)}")

    def move(self, place: AnyPlace, site: str) -> None:
        """Carry a device to another site; raises UsageError for an unknown one."""
        self.check_site(site)
        place.site = site
        if place.linked:
            place.tell(ev.LinkDown())
            self.link_later(place)

    def switch_air(self, site: str, places: Iterable[AnyPlace], *, on: bool) -> None:
        """Switch the access point of a site on or off: whoever of `places` is on it loses its link.

        Raises UsageError for an unknown site.
        """
        self.check_site(site)
        self._sites[site].on = on
        for place in places:
            wireless = not place.device.profile.wired
            if not on and wireless and place.site == site and place.linked:
                place.tell(ev.LinkDown())

    def plug(self, place: AnyPlace, *, connected: bool) -> None:
        """Put a cable in or pull it; devices without a socket for one take no notice."""
        if place.device.profile.wired and place.plugged != connected:
            place.plugged = connected
            if connected:
                self.link_later(place)
            else:
                place.tell(ev.LinkDown())

    def bring(self, place: AnyPlace, *, in_reach: bool) -> None:
        """Bring a device out of the reach of its access point, or back; not one with a cable."""
        if place.device.profile.wired or place.in_reach == in_reach:
            return
        place.in_reach = in_reach
        if not in_reach and place.linked:
            place.tell(ev.LinkDown())

    def link_later(self, place: AnyPlace) -> None:
        """Let the cable's link come up, if there is one between two powered ends."""
        plugged = place.plugged and not lies(CablePulled, place.faults)
        if place.powered and plugged and not place.linked:
            self._later(place, LINK_MS, self._link)

    def _link(self, place: AnyPlace) -> None:
        place.joining = None
        place.linked = True
        place.tell(ev.LinkUp(place.ip))

    def join(self, place: AnyPlace, effect: fx.JoinWifi) -> None:
        """Answer a wish to join an access point, after the time that takes."""

        def joined(place: AnyPlace) -> None:
            place.joining = None
            refusal = self._refusal(place, effect)
            if refusal is None:
                place.linked = True
                place.tell(ev.WifiJoined(place.ip))
            else:
                place.tell(ev.WifiRefused(refusal))

        self._later(place, self._sites[place.site].join_ms, joined)

    def _later(self, place: AnyPlace, delay_ms: int, then: Callable[[AnyPlace], None]) -> None:
        place.cancel_join()
        delay_ms += late_ms(place.faults)
        place.joining = self._loop.call_later(delay_ms / 1000, then, place)

    def _refusal(self, place: AnyPlace, effect: fx.JoinWifi) -> JoinRefusal | None:
        if not place.in_reach or lies(WifiGone, place.faults):
            return JoinRefusal.NO_SUCH_NETWORK
        return self._sites[place.site].refusal(effect.ssid, effect.password)

    @staticmethod
    def leave(place: AnyPlace, _: fx.LeaveWifi) -> None:
        """Drop the association, or the join under way."""
        place.cancel_join()
        place.linked = False
