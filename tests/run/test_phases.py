from fleet.run.messages import Seen
from fleet.run.phases import REBIND, UNBIND, PhaseClock, method_of


class Told:
    """A clock, a device that moves through states, and what was recorded."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str, int]] = []
        self.clock = PhaseClock(lambda phase, ms: self.recorded.append((phase, ms)))

    def enter(self, at_ms: int, lifecycle: str, light: str = "", operator: str = "") -> None:
        self.clock.saw(Seen(0, at_ms, lifecycle, "DOWN", light, operator, ""))


def test_boot_and_reset() -> None:
    told = Told()
    told.enter(100, "BOOTING")
    told.enter(2100, "WAITING", operator="waiting")
    told.clock.pressed(3000)
    told.enter(6000, "RESETTING")
    told.enter(6800, "BOOTING")
    told.enter(8800, "WAITING", operator="waiting")
    assert told.recorded == [("boot", 2000), ("reset", 3800), ("boot", 2000)]


def test_an_unbinding_by_qr() -> None:
    told = Told()
    told.clock.purpose = UNBIND
    told.enter(100, "WAITING", operator="waiting")
    told.clock.shown(1000)
    told.enter(1700, "JOINING", operator="unbinding")
    told.enter(2000, "ACTIVATING", operator="unbinding")
    told.enter(2010, "ONLINE")
    told.enter(2500, "RESETTING", operator="unbinding")
    told.enter(3300, "BOOTING", operator="unbinding")
    told.enter(5300, "WAITING", "unbound", "unbound")
    assert told.recorded == [
        ("scan", 700),
        ("join", 300),
        ("activate", 10),
        ("boot", 2000),
        ("unbind", 3600),
    ]


def test_a_code_that_is_in_view_before_the_lens_opens() -> None:
    told = Told()
    told.clock.shown(1000)
    told.enter(3000, "WAITING", operator="waiting")
    told.enter(3400, "JOINING", operator="unbinding")
    assert told.recorded == [("scan", 400)]


def test_a_code_that_went_away_was_not_scanned() -> None:
    told = Told()
    told.enter(1, "WAITING", operator="waiting")
    told.clock.shown(1000)
    told.clock.shown(0)
    told.enter(1400, "JOINING", operator="unbinding")
    assert told.recorded == []


def test_a_rebinding_by_wire_ends_with_the_session() -> None:
    told = Told()
    told.clock.purpose = REBIND
    told.enter(100, "WAITING", operator="waiting")
    told.enter(1000, "ACTIVATING", operator="unbinding")
    told.enter(1020, "ONLINE", "reconnecting")
    told.enter(1070, "ONLINE", "online")
    told.enter(9000, "ONLINE", "online")
    assert told.recorded == [("activate", 20), ("rebind", 70)]


def test_online_is_not_the_end_of_an_unbinding() -> None:
    told = Told()
    told.clock.purpose = UNBIND
    told.enter(1, "WAITING", operator="waiting")
    told.enter(10, "ACTIVATING", operator="unbinding")
    told.enter(20, "ONLINE", "online")
    assert told.recorded == [("activate", 10)]


def test_failure_and_power_loss_end_a_phase_uncounted() -> None:
    for end in ("FAILED", "OFF"):
        told = Told()
        told.clock.purpose = UNBIND
        told.enter(1, "WAITING", operator="waiting")
        told.clock.pressed(5)
        told.enter(10, "ACTIVATING", operator="unbinding")
        told.enter(20, end)
        told.enter(30, "RESETTING")
        told.enter(40, "WAITING", "unbound", "unbound")
        assert told.recorded == []


def test_how_a_model_gets_its_token() -> None:
    assert (method_of(wired=False), method_of(wired=True)) == ("qr", "wired")
