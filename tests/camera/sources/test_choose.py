"""Which source a word means, and what is said of one that is none."""

import os
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.camera.sources import files, video
from firmware_sim.camera.sources.choose import frames_of
from firmware_sim.errors import UsageError
from tests.camera.pictures import picture


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each kind of source be its name."""

    def name(kind: str) -> Any:
        return lambda *arguments, **options: (kind, *arguments, *options.values())

    monkeypatch.setattr(files, "one", name("one"))
    monkeypatch.setattr(files, "folder", name("folder"))
    monkeypatch.setattr(video, "video", name("video"))
    monkeypatch.setenv("DISPLAY", ":7")


def chosen(source: str, *, follow: bool = False) -> Any:
    return frames_of(source, follow=follow)


def test_pictures_by_name_or_beginning_and_videos_otherwise(tmp_path: Path) -> None:
    named, begun, other = (tmp_path / name for name in ("a.PNG", "photo", "clip.mp4"))
    named.write_bytes(b"")
    begun.write_bytes(picture("WEBP"))
    other.write_bytes(b"....ftypisom")
    assert chosen(str(named)) == ("one", named)
    assert chosen(str(begun)) == ("one", begun)
    assert chosen(str(other)) == ("video", "file", str(other))


def test_folders_and_devices(tmp_path: Path) -> None:
    assert chosen(str(tmp_path), follow=True) == ("folder", tmp_path, True)
    assert chosen("/dev/null") == ("video", "camera", "/dev/null")


@pytest.mark.parametrize(
    ("source", "display"),
    [("screen", ":7"), ("screen:99", ":99"), ("screen:0.0+10,20", ":0.0+10,20")],
)
def test_screens(source: str, display: str) -> None:
    assert chosen(source) == ("video", "screen", display)


def test_what_is_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.png").write_bytes(b"")
    monkeypatch.delenv("DISPLAY")
    for source, follow, why in (
        ("", False, "empty name"),
        ("screen", False, "DISPLAY is not set"),
        (str(tmp_path / "none"), False, r"none: cannot be read \(No such file"),
        (str(tmp_path / "pipe"), False, "neither a file nor a folder nor a camera"),
        (str(tmp_path / "a.png"), True, "--follow is for folders"),
    ):
        with pytest.raises(UsageError, match=why):
            chosen(source, follow=follow)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "clip"
    path.write_bytes(b"")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UsageError, match=r"clip: cannot be read \(Permission denied\)"):
        chosen(str(path))
