import os
import subprocess
import sys

import pytest

from fleet.run import usage
from fleet.run.usage import Meter, Usage, descendants, usage_of


def test_nobody_s_processes_are_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "_PROC", None)
    assert descendants([]) == {}


def test_our_own_cost_is_seen() -> None:
    own = usage_of(os.getpid())
    assert own.rss_bytes > 1 << 20
    assert own.cpu_s > 0


def test_a_process_that_is_gone_costs_nothing() -> None:
    assert usage_of(2**22 + 1) == Usage()


def test_a_process_without_memory_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "_stat", lambda pid: None)
    assert usage_of(os.getpid()).cpu_s == 0


def test_children_are_found_and_remembered_after_their_death() -> None:
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
    assert child.stdin is not None
    try:
        meter = Meter()
        while True:
            [family] = descendants([child.pid]).values()
            meter.sample({"shards": [child.pid], "cloud": []})
            if len(family) == 2 and meter.cpu_s("shards") > 0:
                break
    finally:
        child.stdin.close()
        child.wait()
    before = meter.cpu_s("shards")
    meter.sample({"shards": []})
    assert meter.cpu_s("shards") == before
    assert meter.cpu_s() == pytest.approx(before + meter.cpu_s("runner"))
    assert meter.peak_rss_bytes > usage_of(os.getpid()).rss_bytes // 2
    assert 0 < meter.rss_bytes <= meter.peak_rss_bytes
    assert meter.elapsed_s > 0


def test_a_group_may_have_parts() -> None:
    meter = Meter()
    busy = "import time\nwhile time.process_time() < 0.05: pass\ninput()"  # some ticks of the clock
    children = [
        subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE) for _ in range(2)
    ]
    try:
        while not all(meter.by_group().get(f"shards/{n}", 0) > 0 for n in range(2)):
            meter.sample({f"shards/{n}": [child.pid] for n, child in enumerate(children)})
    finally:
        for child in children:
            child.communicate(b"\n")
    costs = meter.by_group()
    assert set(costs) == {"runner", "shards/0", "shards/1"}
    assert meter.cpu_s("shards") == pytest.approx(costs["shards/0"] + costs["shards/1"])
    assert meter.cpu_s("shards/1") == costs["shards/1"]
