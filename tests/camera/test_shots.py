"""Frames and results as owner and worker tell each other; what is refused before it is sent."""

import numpy as np

from firmware_sim.camera.shots import SIZE_MAX, FrameResult, Outcome, one_line, oversize, task_of


def test_a_picture_goes_as_it_is_and_a_frame_as_its_rows() -> None:
    luma = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert task_of(luma) == task_of(luma[:, :])
    assert (task_of(luma).content, task_of(luma).width_px) == (bytes(range(6)), 3)
    assert task_of(luma[:, ::2]).content == bytes([0, 2, 3, 5]), "rows need not lie side by side"
    assert task_of(b"file").width_px == 0


def test_what_is_too_large() -> None:
    frame = np.broadcast_to(np.uint8(0), (10_000, 10_000))
    assert oversize(frame) == "10000 x 10000: 100 megapixels, at most 50"
    assert oversize(frame[:5_000]) == ""
    assert oversize(bytes(SIZE_MAX + 1)) == "a file of more than 50 MB"
    assert oversize(b"") == ""


def test_no_result_shows_what_was_read() -> None:
    shown = repr(FrameResult(Outcome.READ, b"correct horse"))
    assert "horse" not in shown
    assert "read" in shown


def test_what_a_worker_says_is_one_line_without_control_signs() -> None:
    assert one_line("a\x1b[2J\nb" + "x" * 1000) == "a[2Jb" + "x" * 293
