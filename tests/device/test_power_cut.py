"""Power is cut at every step of a whole life; what is left on the chip is always a legal state.

The life: boot, pair (by code, by LAN or by the cloud), go online, be set, load new firmware, be
unbound by the cloud, be paired again, be reset by hand, wait. A process that dies while it carries
out the effects of a step leaves a flash that is at most one step behind: that is tried as well.
"""

from collections.abc import Callable
from functools import cache

import pytest

from firmware_sim import events as ev
from firmware_sim.device.flash import Flash, read_image
from firmware_sim.device.profile import WhileUpdating
from firmware_sim.device.states import Lifecycle, Session
from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.provisioning import encode_token_bind
from tests.device.stage import CODE, DEV_ID, TOKEN
from tests.device.walker import Walker

PROFILES = ("ipc-red-green", "ipc-old", "ipc-new", "nvr", "nvr-label")
SEED = 1
STEPS_MAX = 400


class Life:
    """Lives a whole life, one step at a time; `steps` says where each of them led."""

    def __init__(self, profile: str, *, cut_at: int = -1, dying: bool = False) -> None:
        self.walker = Walker(profile, SEED)
        self.walker.moody = False
        self.walker.habits(reset_during_update=WhileUpdating.OBEY)
        self.steps: list[Lifecycle] = []
        self.cut_at, self.dying = cut_at, dying

    def live(self) -> Walker:
        """Go through all chapters, or until the power is cut."""
        any(self._is_cut_off_in(chapter) for chapter in CHAPTERS)
        return self.walker

    def _is_cut_off_in(self, chapter: "Chapter") -> bool:
        opening, end = chapter
        begun = False
        while not end(self.walker, begun):
            if len(self.steps) == self.cut_at:
                self._cut(opening, begun=begun)
                return True
            begun = self._step(opening, begun=begun)
            self.steps.append(self.walker.device.lifecycle)
            assert len(self.steps) < STEPS_MAX, "it leads nowhere"
        return False

    def _step(self, opening: Callable[[Walker], bool], *, begun: bool) -> bool:
        if not begun and opening(self.walker):
            return True
        self.walker.polite()
        return begun

    def _cut(self, opening: Callable[[Walker], bool], *, begun: bool) -> None:
        """Cut the power now, or in the middle of the next step."""
        if self.dying:
            self.walker.dying = True
            self._step(opening, begun=begun)
            self.walker.dying = False
        else:
            self.walker.power_cut()


Chapter = tuple[Callable[[Walker], bool], Callable[[Walker, bool], bool]]


def up(walker: Walker) -> bool:
    return walker.device.session is Session.UP


def waiting(walker: Walker) -> bool:
    return walker.device.lifecycle is Lifecycle.WAITING


def pair(walker: Walker) -> bool:
    """Offer a token, in the way in which this model takes it."""
    if not waiting(walker) or (walker.device.profile.wired and not walker.device.ip):
        return False
    if not walker.device.profile.wired:
        walker.tell(ev.FrameDecoded(CODE))
        return True
    walker.client_comes()
    walker.tell(ev.LanReceived(walker.conn, encode_token_bind(TOKEN, 1)))
    return True


def set_a_point(walker: Walker) -> bool:
    return say(walker, mqtt_payload.encode_dp_command(1, b'{"101":false}'))


def announce(walker: Walker) -> bool:
    return say(walker, mqtt_payload.encode_upgrade_notice(DEV_ID, 1))


def unbind(walker: Walker) -> bool:
    return say(walker, mqtt_payload.encode_reset(DEV_ID, 1, "reset_factory"))


def say(walker: Walker, body: bytes) -> bool:
    is_up = up(walker)
    if is_up:
        walker.message(body, qos=1)
    return is_up


def hold(walker: Walker) -> bool:
    if not up(walker):
        return False
    walker.hold_button()
    return True


CHAPTERS: tuple[Chapter, ...] = (
    (pair, lambda walker, begun: begun and up(walker)),
    (set_a_point, lambda walker, begun: begun),
    (announce, lambda walker, begun: begun and bool(walker.device.flash.software) and up(walker)),
    (unbind, lambda walker, begun: begun and waiting(walker)),
    (pair, lambda walker, begun: begun and up(walker)),
    (hold, lambda walker, begun: begun and waiting(walker)),
)


@cache
def length(profile: str) -> int:
    """Return how many steps the life of this model has."""
    life = Life(profile)
    assert waiting(life.live())
    assert set(life.steps) >= {
        *(Lifecycle.BOOTING, Lifecycle.WAITING, Lifecycle.ACTIVATING, Lifecycle.ONLINE),
        *(Lifecycle.UPDATING, Lifecycle.RESETTING),
    }
    return len(life.steps)


def is_legal(flash: Flash) -> bool:
    """Say whether a binding is whole or gone, but for a reset that is going to be finished."""
    binding = (flash.sec_key, flash.local_key, flash.schema_id, flash.time_zone, flash.region)
    whole_or_gone = all(binding) or not any((*binding, flash.env, flash.ssid, flash.password))
    return whole_or_gone and (flash.resetting is None or flash.activated)


@pytest.mark.parametrize("dying", [False, True])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_life_cut_off_at_any_step_goes_on(profile: str, dying: bool) -> None:
    for cut_at in range(length(profile)):
        walker = Life(profile, cut_at=cut_at, dying=dying).live()
        left = read_image(walker.flash)
        assert is_legal(left), cut_at
        revived = Walker(profile, cut_at, walker.flash)
        revived.moody = False
        while not (waiting(revived) or up(revived)):
            revived.polite()
            assert len(revived.told) < STEPS_MAX, cut_at
        now = revived.device.flash
        assert is_legal(now)
        assert now.resetting is None
        assert now.activated == up(revived) == (left.activated and left.resetting is None)
        assert now.software == left.software, "no half firmware"
