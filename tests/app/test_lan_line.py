"""What a connection does between its events, without sockets: timers, pushes, and who is told."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.lan_version import LanVersion
from fleet.app import lan_control
from fleet.app.errors import DeviceClosed, DeviceSilent, WrongKey
from fleet.app.lan_control import LanControl, Peer, Request
from fleet.app.lan_happenings import Acknowledged, Push
from fleet.app.lan_line import PUSHES_MAX, Line
from tests.app.fake_device import DEV_ID, KEY, FakeDevice, FakeLink
from tests.app.lan_pair import CHANCE


class Wire(asyncio.Transport):
    """Joins a line and a fake device in memory."""

    def __init__(self, line: Line, link: FakeLink) -> None:
        super().__init__()
        self.link = link
        self._line = line
        self._soon = asyncio.get_running_loop().call_soon
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.bring(self.link.receive(bytes(data)))

    def bring(self, data: bytes) -> None:
        """Let the line have these bytes."""
        self._soon(self._line.data_received, data)

    def abort(self) -> None:
        if not self._closed:
            self._closed = True
            self._soon(self._line.connection_lost, None)


def connect(
    fake: FakeDevice, *, answer_ms: int = 5000, on_push: Callable[[Push], None] | None = None
) -> tuple[Line, Wire]:
    """Return a line to the device, connected and perhaps not ready yet."""
    control = LanControl(Peer(DEV_ID, KEY, fake.version), CHANCE, answer_ms=answer_ms)
    line = Line("device d", control, on_push)
    wire = Wire(line, FakeLink(fake))
    line.connection_made(wire)
    return line, wire


def query(control: LanControl, now_ms: int) -> Request:
    return control.query(now_ms)


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))


@pytest.mark.parametrize("version", list(LanVersion))
def test_the_heart_goes_on_by_itself(version: LanVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan_control, "HEARTBEAT_MS", 5)
    fake = FakeDevice(version)

    async def story() -> None:
        line, _ = connect(fake)
        await line.ready()
        while fake.asked.count(Command.HEART_BEAT) < 3:
            await asyncio.sleep(0.001)
        await line.close()
        beats = fake.asked.count(Command.HEART_BEAT)
        await asyncio.sleep(0.02)
        assert fake.asked.count(Command.HEART_BEAT) == beats

    run(story)


def test_a_device_whose_heart_stops_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan_control, "HEARTBEAT_MS", 5)
    fake = FakeDevice(LanVersion.V33)
    fake.mute = {Command.HEART_BEAT}

    async def story() -> None:
        line, _ = connect(fake, answer_ms=5)
        while line.ended is None:
            await line.news()
        with pytest.raises(DeviceSilent, match="no answer to command 0x09"):
            await line.ask(query)

    run(story)


def test_one_timer_serves_all_requests() -> None:
    async def story() -> None:
        line, _ = connect(FakeDevice(LanVersion.V33))
        heartbeat = line._timer
        await line.ask(query)
        request_timer = line._timer
        assert request_timer is not heartbeat
        for _ in range(5):
            await line.ask(query)
        assert line._timer is request_timer
        await line.close()

    run(story)


def test_the_latest_pushes_are_kept() -> None:
    async def story() -> None:
        line, wire = connect(FakeDevice(LanVersion.V31))
        count = PUSHES_MAX + 3
        wire.bring(b"".join(wire.link.push({1: number}) for number in range(count)))
        await line.news()
        assert len(line.pushes) == PUSHES_MAX
        assert line.dropped == 3
        [first, *_] = line.pushes
        assert first.status.dps == {1: 3}  # type: ignore[union-attr]
        await line.close()

    run(story)


def test_who_listens_keeps_nothing_here() -> None:
    heard: list[Push] = []

    async def story() -> None:
        line, wire = connect(FakeDevice(LanVersion.V34), on_push=heard.append)
        await line.ready()
        wire.bring(wire.link.say(0, Command.GATEWAY_UNBOUND, b"{}"))
        wire.bring(wire.link.push({1: True}))
        await line.ask(query)
        assert len(heard) == 2
        assert not line.pushes
        await line.close()

    run(story)


def test_everybody_who_waits_is_told_of_the_end() -> None:
    fake = FakeDevice(LanVersion.V33)
    fake.mute = {Command.DP_QUERY}

    async def story() -> None:
        line, wire = connect(fake)
        waiting = [asyncio.ensure_future(line.ask(query)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        wire.abort()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(end) for end in ends] == [asyncio.CancelledError, DeviceClosed, DeviceClosed]
        assert ends[1] is not ends[2]  # or each would carry the other's trace

    run(story)


def test_an_answer_to_somebody_who_is_gone_is_no_trouble() -> None:
    async def story() -> None:
        line, _ = connect(FakeDevice(LanVersion.V33))
        gone = asyncio.ensure_future(line.ask(query))
        await asyncio.sleep(0)
        gone.cancel()
        answer = await line.ask(lambda control, now_ms: control.control(now_ms, {1: True}))
        assert answer == Acknowledged(0)
        assert line._waiting == {}
        await line.close()

    run(story)


def test_what_cannot_be_read_is_told_when_it_happens() -> None:
    async def story() -> None:
        line, wire = connect(FakeDevice(LanVersion.V34))
        stranger = FakeLink(FakeDevice(LanVersion.V34, "fedcba9876543210"))
        line.data_received(stranger.say(1, Command.SESSION_RESPONSE, bytes(48)))
        with pytest.raises(WrongKey, match="device d: cannot read what it says"):
            await line.ready()
        await line.close()
        wire.bring(b"too late")
        await asyncio.sleep(0)

    run(story)


def test_a_line_that_never_was_can_be_closed() -> None:
    async def story() -> None:
        control = LanControl(Peer(DEV_ID, KEY, LanVersion.V33), CHANCE)
        await Line("device d", control, None).close()

    run(story)
