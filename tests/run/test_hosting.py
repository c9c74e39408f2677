import asyncio
import io
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.errors import UsageError
from fleet import doctor
from fleet.lan import entry
from fleet.lan.namespace import plan
from fleet.run import hosting
from fleet.run.hosting import external_broker, first_of, in_loop, settle, stop_signal

LAN = plan("shop", 3, "10.77.0.0/16")


@pytest.mark.parametrize(
    ("name", "home", "place"),
    [("", None, doctor.LOOPBACK), ("shop", LAN, doctor.Lan("10.77.0.10", "10.77.255.255"))],
)
def test_the_machine_is_judged_where_the_devices_will_be(
    name: str, home: object, place: doctor.Lan, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def enter(*words: object) -> object:
        asked.append(words)
        return LAN

    def hold(lan: object) -> io.BytesIO:
        asked.append(lan)
        return io.BytesIO()  # all that it is asked for is to be closed

    monkeypatch.setattr(entry, "enter", enter)
    monkeypatch.setattr(hosting, "AddressBlock", hold)
    monkeypatch.setattr(doctor, "require", lambda *words, **options: asked.append((words, options)))
    options = {"shards": 2, "decoder": "zxing", "data_dir": Path("d")}
    assert settle(name, 3, shards=2, decoder="zxing", data_dir=Path("d")) == home
    entered = [("shop", 3), LAN] if name else []
    assert asked == [*entered, ((3,), options | {"lan": place})]


async def fail(error: Exception) -> None:
    raise error


async def fail_together(*errors: Exception) -> None:
    async with asyncio.TaskGroup() as group:
        for error in errors:
            group.create_task(fail(error))


def ends(work: Coroutine[None, None, None], *, stop: bool = False, failure: str = "") -> bool:
    async def scene() -> bool:
        event, failed = asyncio.Event(), asyncio.get_running_loop().create_future()
        if stop:
            event.set()
        if failure:
            failed.set_exception(UsageError(failure))
        return await first_of(work, event, failed)

    return in_loop(scene())


def test_work_that_is_done() -> None:
    assert ends(asyncio.sleep(0))


def test_work_that_is_stopped_is_cancelled() -> None:
    cancelled = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.append(True)

    assert not ends(work(), stop=True)
    assert cancelled == [True]


def test_a_failure_elsewhere_ends_the_work() -> None:
    with pytest.raises(UsageError, match="disk full"):
        ends(asyncio.sleep(60), failure="disk full")


def test_an_error_of_the_work_is_raised_as_it_is() -> None:
    with pytest.raises(KeyError):
        ends(fail(KeyError("x")))


def test_of_many_errors_the_one_that_can_be_explained_is_raised() -> None:
    with pytest.raises(UsageError, match="the cloud is away"):
        ends(fail_together(KeyError("x"), UsageError("the cloud is away")))
    with pytest.raises(KeyError):
        ends(fail_together(KeyError("x"), ValueError("y")))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_an_event_as_long_as_the_block_lasts(number: int) -> None:
    before = signal.getsignal(number)

    async def scene() -> None:
        async with stop_signal() as stop, asyncio.timeout(5):
            os.kill(os.getpid(), number)
            await stop.wait()

    in_loop(scene())
    assert signal.getsignal(number) in (before, signal.SIG_DFL, signal.default_int_handler)


def test_a_broker_of_others_is_used_in_the_clear_only() -> None:
    assert external_broker("", tls=True) is None
    address = external_broker("mqtt://admin:secret@127.0.0.1:1883", tls=False)
    assert address is not None
    assert address.port == 1883
    for url in ("mqtts://admin:secret@127.0.0.1", "mqtt://admin:secret@broker?told=other:8883"):
        with pytest.raises(
            UsageError, match="--tls: of no use with --broker; devices trust"
        ) as why:
            external_broker(url, tls=True)
        assert "secret" not in str(why.value)
    with pytest.raises(UsageError, match="begins with mqtt://"):
        external_broker("http://admin:secret@127.0.0.1", tls=False)
