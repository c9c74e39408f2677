"""A worker process: what it is told, and what it may use."""

import os
import resource
import signal
import sys

import pytest

from firmware_sim.camera.process import MEMORY_MAX, settle, spawn

PROGRAM = "tests.camera.told"


def test_a_process_is_told_its_words_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_WEB_PASSWORD", "correct horse")
    monkeypatch.setenv("DISPLAY", ":7")
    child, stream = spawn(PROGRAM, "one", "two words", keep=["DISPLAY", "NOT_SET"])
    with stream, child:
        stream.settimeout(60)
        said = b"".join(iter(lambda: stream.recv(65536), b"")).decode().split("\n")
    assert said[:2] == ["one", "two words"]
    assert "FLEET_WEB_PASSWORD" not in said
    assert {"PATH", "PYTHONPATH", "OPENBLAS_NUM_THREADS", "DISPLAY"} <= set(said)
    assert "NOT_SET" not in said


def test_a_worker_lets_others_go_first_and_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setattr(signal, "signal", lambda *args: done.append(args))
    monkeypatch.setattr(os, "nice", lambda step: done.append(("nice", step)))
    monkeypatch.setattr(resource, "setrlimit", lambda what, most: done.append((what, most[0])))
    settle()
    assert done[:2] == [(signal.SIGINT, signal.SIG_IGN), ("nice", 5)]
    assert (resource.RLIMIT_AS, MEMORY_MAX) in done
    assert (resource.RLIMIT_FSIZE, 0) in done
    assert (resource.RLIMIT_CORE, 0) in done


def test_a_program_that_cannot_be_started_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(FileNotFoundError):
        spawn(PROGRAM)
