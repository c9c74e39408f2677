"""Cameras of a virtual world read what is shown to them while they look, again and again."""

from firmware_sim import events as ev
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.eyes import Eyes
from firmware_sim.runtime.virtual.place import Place
from tests.runtime.virtual.support import Sight, Told

CODE, OTHER = b"code", b"other"


class Desk:
    def __init__(self, seed: int = 1) -> None:
        self.agenda = Agenda(0)
        self.eyes = Eyes(self.agenda, Sight(), seed)
        self.seen: list[tuple[int, bytes]] = []
        self.place = Place.__new__(Place)
        self.place.index = 0
        self.place._world = Told(lambda event: self.take(event))

    def take(self, event: ev.Event) -> None:
        assert isinstance(event, ev.FrameDecoded)
        self.seen.append((self.agenda.now_ms, event.text))

    def texts(self) -> list[bytes]:
        return [text for _, text in self.seen]


def test_a_code_is_read_in_its_frame_and_in_each_one_after_it() -> None:
    desk = Desk()
    desk.eyes.open_lens(desk.place)
    desk.eyes.show(0, CODE)
    desk.agenda.run_until(1_000)
    first_ms = desk.seen[0][0]
    assert 400 <= first_ms < 600
    assert [at_ms - first_ms for at_ms, _ in desk.seen][:3] == [0, 200, 400]


def test_nothing_is_read_with_a_closed_lens_or_no_phone() -> None:
    desk = Desk()
    desk.eyes.show(0, CODE)
    desk.agenda.run_until(2_000)
    desk.eyes.open_lens(desk.place)
    desk.agenda.run_until(2_300)
    desk.eyes.show(0, None)
    desk.agenda.run_until(9_000)
    desk.eyes.show(0, CODE)
    desk.eyes.close_lens(0)
    desk.agenda.run_until(20_000)
    assert desk.seen == []


def test_another_code_is_read_from_its_own_beginning() -> None:
    desk = Desk()
    desk.eyes.open_lens(desk.place)
    desk.eyes.show(0, CODE)
    desk.agenda.run_until(300)
    desk.eyes.show(0, OTHER)
    desk.agenda.run_until(690)
    assert set(desk.texts()) <= {OTHER}
    desk.agenda.run_until(2_000)
    assert set(desk.texts()) == {OTHER}


def test_a_code_that_cannot_be_read_is_not() -> None:
    desk = Desk()
    desk.eyes.open_lens(desk.place)
    desk.eyes.show(0, b"illegible")
    desk.agenda.run_until(60_000)
    assert (desk.seen, desk.agenda.next_ms) == ([], None)


def test_cameras_do_not_expose_in_step() -> None:
    def first_ms(seed: int) -> int:
        desk = Desk(seed)
        desk.eyes.open_lens(desk.place)
        desk.eyes.show(0, CODE)
        desk.agenda.run_until(1_000)
        return desk.seen[0][0]

    assert first_ms(1) == first_ms(1)
    assert len({first_ms(seed) for seed in range(20)}) > 10
