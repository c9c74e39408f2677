"""A watched device does what any device does, and its watcher sees which rows made it do so."""

import pytest

from firmware_sim import events as ev
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.watched import Fired, WatchedDevice
from firmware_sim.effects import Effect
from firmware_sim.events import Event
from hw_profiles import catalog
from tests.device.stage import AUTH_KEY, CODE, T0_MS, UUID

EVENTS: tuple[tuple[int, Event], ...] = (
    (0, ev.PowerApplied()),
    (2000, ev.DeadlineReached()),
    (2000, ev.ButtonPressed()),
    (2500, ev.ButtonReleased()),
    (2600, ev.FrameDecoded(b"no code")),
    (2700, ev.FrameDecoded(CODE)),
    (3000, ev.WifiJoined("10.0.0.2")),
    (3100, ev.HttpFailed(1, "dns")),
    (9000, ev.PowerRemoved()),
)


class Book:
    """Writes down what it sees."""

    def __init__(self) -> None:
        self.steps: list[tuple[Event, list[Fired], list[Effect]]] = []
        self.states: list[str] = []

    def before(self, device: WatchedDevice, _: Event) -> None:
        self.states.append(device.lifecycle.name)

    def after(
        self, _: WatchedDevice, event: Event, fired: list[Fired], effects: list[Effect]
    ) -> None:
        self.steps.append((event, fired, effects))


def arguments(profile: str) -> tuple[object, ...]:
    return (catalog.load(profile), Identity(UUID, AUTH_KEY, "pid1"), 1, ("dns", 80))


@pytest.fixture
def book() -> Book:
    book = Book()
    device = WatchedDevice(*arguments("ipc-red-green"), watcher=book)
    for delay_ms, event in EVENTS:
        device.handle(event, T0_MS + delay_ms)
    return book


@pytest.mark.parametrize("profile", catalog.names())
def test_nothing_else_is_different(profile: str) -> None:
    plain = Device(*arguments(profile))  # type: ignore[arg-type]
    watched = WatchedDevice(*arguments(profile), watcher=Book())
    for delay_ms, event in EVENTS:
        now_ms = T0_MS + delay_ms
        assert watched.handle(event, now_ms) == plain.handle(event, now_ms)
        assert watched.next_deadline_ms() == plain.next_deadline_ms()


def test_the_watcher_sees_every_step_from_before_it_to_its_effects(book: Book) -> None:
    assert [event for event, _, _ in book.steps] == [event for _, event in EVENTS]
    assert book.states[:3] == ["OFF", "BOOTING", "WAITING"]
    assert book.states[-2:] == ["ACTIVATING", "ACTIVATING"]
    assert all(effects for _, _, effects in book.steps[:2])


def test_rows_come_in_the_order_in_which_they_fired(book: Book) -> None:
    _, fired, _ = book.steps[5]
    rows = [(one.machine.attribute, one.state, str(one.row)) for one in fired if one.row]
    assert rows == [
        ("lifecycle", "WAITING", "WAITING --FrameDecoded / read_code--> (stay)"),
        ("lifecycle", "WAITING", "WAITING --PairingRead / take_code--> JOINING"),
    ]
    assert all(one.place.startswith("firmware_sim/device/lifecycle.py:") for one in fired[:2])


def test_what_a_table_ignores_is_seen_with_the_place_of_the_table(book: Book) -> None:
    _, fired, _ = book.steps[0]
    [ignored] = [one for one in fired if one.row is None]
    assert (ignored.machine.attribute, ignored.state) == ("button", "UP")
    assert ignored.place == ignored.machine.place
