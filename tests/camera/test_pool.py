"""The pool: every camera gets its own result or none, whatever happens to the workers."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_sim.camera import pool as pool_module
from firmware_sim.camera import worker_link
from firmware_sim.camera.decoder import NAMES
from firmware_sim.camera.messages import Look, Sight
from firmware_sim.camera.pool import DecodePool
from firmware_sim.errors import UsageError
from tests.camera.planted import DIES, EATS, HANGS
from tests.camera.planted import PROGRAM as PLANTED
from tests.camera.pools import EASY, easy_look, is_alive, run, stopped, text_of, until

ROOT = Path(__file__).parents[2]
Result = asyncio.Future[Sight]


def submit(pool: DecodePool, look: Look) -> Result:
    result = pool.submit(look)
    assert result is not None
    return result


@pytest.mark.parametrize("name", NAMES)
def test_no_camera_gets_the_text_of_another(name: str) -> None:
    async def camera(pool: DecodePool, number: int) -> None:
        for frame in range(20):
            sight = await submit(pool, Look(number, number, frame, text_of(number)))
            assert (sight.camera, sight.frame) == (number, frame)
            if sight.text is not None:
                assert sight.text == text_of(number)
                return
        pytest.fail(f"camera {number} has not read its code")

    async def story() -> None:
        async with await DecodePool.open(name, workers=2) as pool:
            await asyncio.gather(*(camera(pool, number) for number in range(40)))
            stats = pool.stats
        assert stats.decoded == 40
        assert 3 * 40 <= stats.frames < 8 * 40
        assert (stats.lost, stats.skipped, stats.restarts) == (0, 0, 0)
        assert stats.cpu_ms > 0

    run(story)


def test_a_frame_at_a_worker_bars_the_next_and_a_waiting_one_gives_way_to_it() -> None:
    async def story() -> None:
        async with await DecodePool.open("zxing") as pool:
            with stopped(*pool.worker_pids):
                old = [submit(pool, easy_look(camera)) for camera in range(10)]
                await asyncio.sleep(0.05)
                new = [pool.submit(easy_look(camera, frame=1)) for camera in range(10)]
                assert [result is None for result in new] == [True] * 8 + [False] * 2
                assert [result.done() for result in old] == [False] * 8 + [True] * 2
                assert old[9].result() == Sight(9, 0, None), "replaced, so never looked at"
            sights = await asyncio.gather(*old[:8], *filter(None, new))
            assert [(s.camera, s.frame) for s in sights] == [
                *((camera, 0) for camera in range(8)),
                *((camera, 1) for camera in (8, 9)),
            ]
            assert all(sight.text == text_of(sight.camera) for sight in sights)
            assert pool.stats.skipped == 8 + 2
            assert pool.stats.frames == 10

    run(story)


def test_a_full_pool_says_so_and_keeps_the_turn_of_those_who_wait() -> None:
    async def story() -> None:
        async with await DecodePool.open("zxing", waiting_max=3) as pool:
            with stopped(*pool.worker_pids):
                results = [submit(pool, easy_look(camera)) for camera in range(3)]
                assert pool.submit(easy_look(3)) is None, "three cameras wait"
                newer = submit(pool, easy_look(0, frame=1))
                await asyncio.sleep(0.05)
                results += [submit(pool, easy_look(camera)) for camera in range(3, 6)]
            assert (await newer).text == text_of(0)
            assert [(await r).text is None for r in results] == [True] + [False] * 5
            assert pool.stats.skipped == 2

    run(story)


def test_a_result_that_is_cancelled_disturbs_nobody() -> None:
    async def story() -> None:
        async with await DecodePool.open("zxing") as pool:
            submit(pool, easy_look(1)).cancel()
            assert (await submit(pool, easy_look(2))).text == text_of(2)
            assert pool.stats.frames == 2

    run(story)


def test_a_killed_worker_is_replaced_and_its_frames_are_unread() -> None:
    async def story() -> None:
        async with await DecodePool.open("zxing", workers=2) as pool:
            first, second = pool.worker_pids
            with stopped(first, second):
                results = [submit(pool, easy_look(camera)) for camera in range(6)]
                await asyncio.sleep(0.05)
                os.kill(first, signal.SIGKILL)
                await until(lambda: pool.stats.lost > 0)
            sights = await asyncio.gather(*results)
            assert [sight.camera for sight in sights] == list(range(6))
            lost = [sight for sight in sights if sight.text is None]
            assert len(lost) == pool.stats.lost == 3
            assert all(s.text == text_of(s.camera) for s in sights if s not in lost)
            await until(lambda: len(pool.worker_pids) == 2)
            assert first not in pool.worker_pids
            assert second in pool.worker_pids
            os.kill(second, signal.SIGKILL)
            assert (await submit(pool, easy_look(1))).camera == 1
            assert (await submit(pool, easy_look(1, 1))).text == text_of(1)
            await until(lambda: pool.stats.restarts == 2)
        assert not any(map(is_alive, (first, second)))

    run(story)


# --- planted decoders ---------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "hung"), [(HANGS, 1), (DIES, 0), (EATS, 0)])
def test_a_worker_that_hangs_dies_or_eats_is_replaced(
    monkeypatch: pytest.MonkeyPatch, what: bytes, hung: int
) -> None:
    async def story() -> None:
        async with await DecodePool.open("looks", limit_s=0.5) as pool:
            first = pool.worker_pids
            bad = submit(pool, Look(1, 1, 0, what, EASY))
            other = submit(pool, easy_look(2))
            assert [(await sight).text for sight in (bad, other)] == [None, None]
            assert pool.stats.lost == 2, "they were in one message"
            assert pool.stats.hung == hung
            await until(lambda: len(pool.worker_pids) == 1 and pool.worker_pids != first)
            assert (await submit(pool, easy_look(3))).text == text_of(3)
            assert (pool.stats.restarts, pool.stats.frames) == (1, 1)
        assert not any(map(is_alive, first))

    monkeypatch.setattr(worker_link, "PROGRAM", PLANTED)
    run(story)


def test_a_worker_that_answers_in_time_is_left_alone() -> None:
    async def story() -> None:
        async with await DecodePool.open("zxing", limit_s=2.0) as pool:
            pids = pool.worker_pids
            for frame in range(3):
                assert (await submit(pool, easy_look(1, frame))).text == text_of(1)
            await asyncio.sleep(2.1)  # in which nothing is expected
            assert pool.worker_pids == pids
            assert pool.stats.hung == 0

    run(story)


def test_a_replacement_that_hangs_at_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with await DecodePool.open("zxing") as pool:
            monkeypatch.setattr(worker_link, "PROGRAM", "tests.camera.sleeper")
            monkeypatch.setattr(pool_module, "_START_LIMIT_S", 0.2)
            os.kill(pool.worker_pids[0], signal.SIGKILL)
            with pytest.raises(UsageError, match="did not get ready in time"):
                await insist(pool)

    run(story)


# --- the end ------------------------------------------------------------------------------------


def test_close_leaves_no_process_and_no_waiter_behind() -> None:
    async def story() -> None:
        pool = await DecodePool.open("zxing", workers=2)
        pids = pool.worker_pids
        with stopped(*pids):
            results = [submit(pool, easy_look(camera)) for camera in range(30)]
            await asyncio.sleep(0.05)
            await pool.close()
        assert not any(map(is_alive, pids))
        assert [(await result).text for result in results] == [None] * 30
        assert pool.submit(easy_look(1)) is None
        assert pool.worker_pids == ()
        assert (pool.stats.lost, pool.stats.restarts, pool.stats.hung) == (0, 0, 0)
        await pool.close()

    run(story)


def test_close_while_a_worker_is_being_replaced() -> None:
    async def story() -> None:
        pool = await DecodePool.open("zxing")
        os.kill(pool.worker_pids[0], signal.SIGKILL)
        await until(lambda: pool.stats.restarts == 1)
        await pool.close()
        assert pool.worker_pids == ()

    run(story)


# --- pools that cannot be -----------------------------------------------------------------------


@pytest.mark.parametrize("numbers", [{"workers": 0}, {"waiting_max": 0}])
def test_impossible_numbers(numbers: dict[str, int]) -> None:
    async def story() -> None:
        with pytest.raises(UsageError, match=r"decode pool: .* at least 1"):
            await DecodePool.open("zxing", **numbers)

    run(story)


def test_a_decoder_that_cannot_be_made_is_reported_by_open() -> None:
    async def story() -> None:
        with pytest.raises(UsageError, match="decoder 'quirc' is unknown"):
            await DecodePool.open("quirc", workers=2)

    run(story)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("/bin/false", "decode worker ended at its start, status 1"),
        ("/nowhere/python", "decode worker cannot be started: No such file or directory"),
    ],
)
def test_a_worker_that_cannot_start(
    monkeypatch: pytest.MonkeyPatch, program: str, words: str
) -> None:
    async def story() -> None:
        with pytest.raises(UsageError, match=words):
            await DecodePool.open("zxing", workers=2)

    monkeypatch.setattr(sys, "executable", program)
    run(story)


def test_a_worker_that_never_gets_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        with pytest.raises(UsageError, match=r"decode workers: not ready in 0\.001 s"):
            await DecodePool.open("zxing")

    monkeypatch.setattr(pool_module, "_START_LIMIT_S", 0.001)
    run(story)


async def insist(pool: DecodePool) -> None:
    while True:
        pool.submit(easy_look(2))
        await asyncio.sleep(0.01)


def test_workers_that_can_no_longer_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with await DecodePool.open("zxing") as pool:
            monkeypatch.setattr(sys, "executable", "/bin/false")
            os.kill(pool.worker_pids[0], signal.SIGKILL)
            result = submit(pool, easy_look(1))
            assert (await result).text is None
            with pytest.raises(UsageError, match="decode worker ended at its start, status 1"):
                await insist(pool)
            assert pool.worker_pids == ()
            assert pool.stats.restarts == 3
            assert pool.stats.frames == 0

    run(story)


# --- weight -------------------------------------------------------------------------------------


def test_a_process_that_only_talks_to_a_pool_never_loads_numpy() -> None:
    program = (
        "import sys; import firmware_sim.camera.pool\n"
        "print({'numpy', 'PIL', 'segno'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
