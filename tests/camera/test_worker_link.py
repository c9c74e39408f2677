"""One worker process seen from its owner: hello, frames, an owner that dies, Ctrl-C."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_sim.camera.messages import Hello, Report, Sight
from firmware_sim.camera.worker_link import Job, WorkerLink
from tests.camera.pools import easy_look, is_alive, run, text_of, until

ROOT = Path(__file__).parents[2]


class Owner:
    def __init__(self) -> None:
        self.heard: list[Hello | Report] = []
        self.ended = 0
        self.link = WorkerLink(
            "zxing", (60, 60), lambda _, answer: self.heard.append(answer), self.end
        )

    def end(self, link: WorkerLink) -> None:
        assert link is self.link
        self.ended += 1


def test_a_worker_says_hello_and_answers() -> None:
    async def story() -> None:
        owner = Owner()
        await owner.link.connect()
        await until(lambda: len(owner.heard) == 1)
        assert owner.heard == [Hello()]
        result: asyncio.Future[Sight] = asyncio.get_running_loop().create_future()
        owner.link.give([Job(easy_look(4), result)])
        assert list(owner.link.jobs) == [4]
        await until(lambda: len(owner.heard) == 2)
        report = owner.heard[1]
        assert isinstance(report, Report)
        assert report.sights == [Sight(4, 0, text_of(4))]
        assert owner.ended == 0
        owner.link.process.kill()
        await owner.link.gone
        assert owner.ended == 1
        assert not is_alive(owner.link.process.pid)

    run(story)


def test_ctrl_c_in_the_terminal_does_not_reach_a_worker() -> None:
    async def story() -> None:
        owner = Owner()
        assert os.getpgid(owner.link.process.pid) != os.getpgid(0)
        await owner.link.connect()
        await until(lambda: bool(owner.heard))
        os.kill(owner.link.process.pid, signal.SIGINT)
        owner.link.give([Job(easy_look(1), asyncio.get_running_loop().create_future())])
        await until(lambda: len(owner.heard) == 2)
        owner.link.process.kill()
        await owner.link.gone

    run(story)


def test_a_worker_ends_by_itself_when_its_owner_is_killed() -> None:
    program = (
        "import asyncio\n"
        "from firmware_sim.camera.pool import DecodePool\n"
        "async def main():\n"
        "    pool = await DecodePool.open('zxing')\n"
        "    print(*pool.worker_pids, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        worker_pid = int(owner.stdout.readline())
        assert is_alive(worker_pid)
        owner.kill()
    run(lambda: until(lambda: not is_alive(worker_pid)))


def test_a_job_that_nobody_waits_for_any_more() -> None:
    async def story() -> None:
        result: asyncio.Future[Sight] = asyncio.get_running_loop().create_future()
        job = Job(easy_look(1), result)
        result.cancel()
        job.resolve(b"late")
        assert result.cancelled()

    run(story)


def test_a_program_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        with pytest.raises(FileNotFoundError):
            Owner()

    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    run(story)
