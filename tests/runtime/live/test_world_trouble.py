"""A live world in trouble: no cloud, no cable, no power, no port, no disk, and mistakes of our own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from firmware_sim.camera.scene import LensSettings
from firmware_sim.device.cloud_calls import Servers, versions
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash
from firmware_sim.device.profile import Timings
from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import UsageError
from firmware_sim.events import ButtonPressed, ButtonReleased, PowerApplied, PowerRemoved
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live import dialer
from firmware_sim.runtime.live.eyes import Eyes
from firmware_sim.runtime.live.journal import FlashJournal
from firmware_sim.runtime.live.world import LiveWorld
from firmware_sim.wire.provisioning import QrText, encode_qr
from hw_profiles import catalog

FAST = Timings(boot_ms=40, erase_ms=40, reset_hold_ms=100, retry_ms=20, announce_ms=60_000)
IP = "127.88.9.1"
FLASH = Flash(
    dev_id="6ctrouble",
    sec_key="s" * 16,
    local_key="l" * 16,
    region="EU",
    ssid="anna",
    password="annas wifi",
)
Scene = Callable[[], Coroutine[Any, Any, None]]


class Bench:
    """A world with one device, bound at home; its cloud is at `port`, where mostly nobody is."""

    def __init__(
        self,
        profile: str = "ipc-red-green",
        *,
        port: int = 1,
        host: str = "127.0.0.1",
        journal: FlashJournal | None = None,
        eyes: Eyes | None = None,
        flash: Flash = FLASH,
    ) -> None:
        self.told: list[StateShown | Noted] = []
        self.react: Callable[[StateShown | Noted], None] = lambda _: None
        self.world = LiveWorld(
            sites={"home": AccessPoint({"anna": "annas wifi"}, 10), "field": AccessPoint({}, 10)},
            observer=self.observe,
            journal=journal,
            eyes=eyes,
            broadcast_ip=IP,
        )
        model = msgspec.structs.replace(catalog.load(profile), timings=FAST)
        identity = Identity("trouble", "0" * 32, "pid0")
        self.device = Device(model, identity, 1, (host, port), flash.image())
        self.world.add(self.device, ip=IP, site="home")
        self.place = self.world._places[0]

    def observe(self, _: int, what: StateShown | Noted, __: int) -> None:
        self.told.append(what)
        self.react(what)

    def power(self, *, on: bool) -> None:
        self.world.tell(0, PowerApplied() if on else PowerRemoved())

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.002)

    def state(self, name: str) -> Callable[[], bool]:
        return lambda: name in (self.device.lifecycle.name, self.device.session.name)

    def noted(self, kind: str) -> list[str]:
        return [each.detail for each in self.told if isinstance(each, Noted) and each.kind == kind]


def play(scene: Scene) -> None:
    """Run a scene on either kind of loop, and see that no socket and no file is left behind."""
    for factory in (asyncio.new_event_loop, uvloop.new_event_loop):
        with asyncio.Runner(loop_factory=factory) as runner:
            before = descriptors()
            runner.run(asyncio.wait_for(scene(), 30))
            runner.run(asyncio.sleep(0.01))
            assert descriptors() == before


def descriptors() -> int:
    """Count what is open, but for what the loops open for themselves when they need it first."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(not str(link.readlink()).startswith(("/dev/null", "anon_inode")) for link in links)


# --- networks that come and go ------------------------------------------------------------------


def test_no_cloud_no_network_and_a_lost_network() -> None:
    async def scene() -> None:
        bench = Bench()
        bench.world.show(0, b"nobody looks: a world without eyes")
        bench.power(on=True)
        await bench.until(bench.state("BACKOFF"))
        assert bench.place.calls >= 1
        bench.world.move(0, "field")
        assert bench.device.lifecycle.name == "REJOINING"
        await bench.until(lambda: len(bench.told) > 3)
        bench.world.move(0, "home")
        await bench.until(bench.state("ONLINE"))
        await bench.world.close()
        assert bench.world.failure is None
        assert "online" not in [each.light for each in bench.told if isinstance(each, StateShown)]

    play(scene)


def test_a_broker_that_hangs_up_is_noticed() -> None:
    async def scene() -> None:
        bench = Bench()
        async with await asyncio.start_server(lambda _, out: out.close(), "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            bench.device.flash.versions = versions(bench.device)
            bench.power(on=True)
            bench.device.endpoints = Servers(("127.0.0.1", port), ("127.0.0.1", port))
            await bench.until(lambda: bench.noted("mqtt_lost"))
            assert bench.place.connects >= 1
            await bench.world.close()

    play(scene)


def test_a_cable_that_was_plugged_in_the_dark_works_with_the_light_on() -> None:
    async def scene() -> None:
        bench = Bench("gateway")
        bench.world.plug(0, connected=False)
        bench.power(on=True)
        await bench.until(bench.state("REJOINING"))
        bench.power(on=False)
        bench.world.plug(0, connected=True)
        await asyncio.sleep(0.4)
        assert bench.place.joining is None
        assert not bench.place.linked
        bench.power(on=True)
        await bench.until(bench.state("ONLINE"))
        bench.world.plug(0, connected=False)
        bench.world.plug(0, connected=True)
        bench.world.plug(0, connected=False)
        bench.world.plug(0, connected=True)
        assert bench.device.lifecycle.name == "REJOINING"
        await bench.until(bench.state("ONLINE"))
        assert bench.place.lan is not None
        bench.world.move(0, "field")
        await bench.until(bench.state("ONLINE"))
        await bench.world.close()

    play(scene)


def test_a_site_that_is_none() -> None:
    async def scene() -> None:
        bench = Bench()
        with pytest.raises(UsageError, match="no site 'moon'; allowed: home, field"):
            bench.world.move(0, "moon")
        with pytest.raises(UsageError, match="no site 'moon'"):
            bench.world.add(bench.device, ip=IP, site="moon")
        await bench.world.close()

    play(scene)


# --- power that comes and goes ------------------------------------------------------------------


class Mute:
    """A server that takes connections and never says a word."""

    def __init__(self) -> None:
        self.open_now = self.most = self.total = 0

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[int]:
        async with await asyncio.start_server(self._listen, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.total += 1
        self.open_now += 1
        self.most = max(self.most, self.open_now)
        with suppress(ConnectionResetError):
            while await reader.read(1000):
                pass
        self.open_now -= 1
        writer.close()


def test_power_cuts_leave_no_connection_behind() -> None:
    async def scene() -> None:
        mute = Mute()
        async with mute.serve() as port:
            bench = Bench(port=port)
            for _ in range(5):
                bench.power(on=True)
                await bench.until(lambda: mute.open_now)
                bench.power(on=False)
                assert bench.place.call is None
                await bench.until(lambda: not mute.open_now)
            assert mute.most == 1
            await bench.world.close()
            assert bench.world._dialer._tasks == set()
            bench.power(on=True)
            assert bench.device.lifecycle.name == "OFF", "a closed world tells nobody anything"

    play(scene)


def test_a_call_that_a_reset_forgot_makes_room_for_the_next() -> None:
    async def scene() -> None:
        mute = Mute()
        async with mute.serve() as port:
            bench = Bench(port=port)
            bench.power(on=True)
            await bench.until(lambda: mute.open_now)
            bench.world.tell(0, ButtonPressed())
            await bench.until(bench.state("WAITING"))
            assert mute.open_now == 1, "nobody told the server"
            bench.place.see(encode_qr(QrText("anna", "annas wifi", "EUabcd1234pro0")))
            await bench.until(lambda: mute.total == 2)
            await bench.until(lambda: mute.open_now == 1)
            assert bench.place.call is not None
            await bench.world.close()

    play(scene)


@contextmanager
def deaf() -> Iterator[int]:
    """A port that takes no connection: its queue of one is full."""
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        first.connect(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.parametrize("limit_s", [0.05, 60.0])
def test_what_never_connects_is_given_up(monkeypatch: pytest.MonkeyPatch, limit_s: float) -> None:
    monkeypatch.setattr(dialer, "CONNECT_S", limit_s)
    monkeypatch.setattr(dialer, "CONNECTS_AT_ONCE_MAX", 1)

    async def scene() -> None:
        with deaf() as port:
            bench = Bench(port=port)
            bench.power(on=True)
            await bench.until(lambda: bench.world._dialer._tasks)
            if limit_s < 1:
                await bench.until(lambda: "TimeoutError" in bench.noted("call_failed"))
            for _ in range(3):
                bench.power(on=False)
                bench.power(on=True)
                await asyncio.sleep(0.1)
            await bench.world.close()
            assert bench.world._dialer._tasks == set()
            assert bench.world.failure is None

    play(scene)


# --- what stops a world -------------------------------------------------------------------------


def test_a_host_that_can_be_no_name_stops_nothing() -> None:
    async def scene() -> None:
        bench = Bench(host="x" * 64 + ".example")
        bench.power(on=True)
        await bench.until(bench.state("BACKOFF"))
        await bench.world.close()
        assert bench.world.failure is None

    play(scene)


def test_flash_that_cannot_be_kept_stops_the_world(tmp_path: Path) -> None:
    (tmp_path / "full").symlink_to("/dev/full")

    async def scene() -> None:
        bench = Bench(journal=FlashJournal(tmp_path / "full"))
        bench.power(on=True)
        bench.world.tell(0, ButtonPressed())
        await bench.until(lambda: bench.world.failure)
        assert "No space left" in str(bench.world.failure)
        lights = [each.light for each in bench.told if isinstance(each, StateShown)]
        assert "resetting" not in lights, "nothing is told that could not be kept"
        bench.world.tell(0, ButtonReleased())
        assert bench.device.button.name == "HELD"
        await bench.world.close()

    play(scene)


def test_a_taken_lan_port_stops_the_world() -> None:
    async def scene() -> None:
        with socket.socket() as other:
            other.bind((IP, 6668))
            other.listen()
            bench = Bench("gateway")
            bench.power(on=True)
            await bench.until(lambda: bench.world.failure)
            assert str(bench.world.failure).startswith(f"cannot listen on {IP}:6668 (Address")
            await bench.world.close()

    play(scene)


def test_decoders_that_do_not_start_stop_the_world() -> None:
    class Broken:
        def submit(self, _: object) -> None:
            raise UsageError("decode worker cannot be started")

    async def scene() -> None:
        eyes = Eyes(Broken(), LensSettings(frames_per_second=100), 1)  # type: ignore[arg-type]
        bench = Bench(eyes=eyes, flash=Flash())
        bench.world.show(0, b"a code")
        bench.power(on=True)
        await bench.until(lambda: bench.world.failure)
        assert str(bench.world.failure) == "decode worker cannot be started"
        await bench.world.close()

    play(scene)


def test_a_mistake_in_the_midst_of_a_call_stops_the_world_too() -> None:
    async def scene() -> None:
        bench = Bench()

        def trip(what: StateShown | Noted) -> None:
            assert not isinstance(what, Noted), "our own mistake"

        bench.react = trip
        since_ms = bench.world.now_ms()
        bench.power(on=True)
        await bench.until(lambda: bench.world.failure)
        assert isinstance(bench.world.failure, AssertionError)
        assert bench.world.now_ms() > since_ms
        await bench.world.close()

    play(scene)


def test_a_mistake_of_our_own_stops_the_world_and_is_said() -> None:
    async def scene() -> None:
        bench = Bench()

        def trip(_: StateShown | Noted) -> None:
            raise AssertionError("our own mistake")

        bench.react = trip
        with pytest.raises(AssertionError, match="our own mistake"):
            bench.power(on=True)
        assert isinstance(bench.world.failure, AssertionError)
        bench.power(on=False)
        assert bench.device.lifecycle.name == "BOOTING"
        await bench.world.close()

    play(scene)


def test_an_observer_may_act_and_the_step_is_finished_first() -> None:
    async def scene() -> None:
        bench = Bench()

        def pull_the_plug(what: StateShown | Noted) -> None:
            if isinstance(what, StateShown) and what.lifecycle == "ONLINE":
                bench.power(on=False)
                assert bench.device.lifecycle.name == "ONLINE"

        bench.react = pull_the_plug
        bench.power(on=True)
        await bench.until(lambda: bench.place.calls)
        assert bench.device.lifecycle.name == "OFF"
        assert bench.place.call is None
        await bench.world.close()
        assert bench.world.failure is None

    play(scene)
