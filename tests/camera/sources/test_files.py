"""Picture files: one, a folder in the order of names, and what appears in it later."""

import asyncio
import os
from contextlib import aclosing
from pathlib import Path

import pytest

from firmware_sim.camera.shots import SIZE_MAX, Shot
from firmware_sim.camera.sources import files
from firmware_sim.camera.sources.files import content_of, folder, one
from firmware_sim.errors import UsageError

pytestmark = pytest.mark.anyio


async def all_of(path: Path) -> list[Shot]:
    async with aclosing(folder(path)) as shots:
        return [shot async for shot in shots]


async def test_one_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"content")
    async with aclosing(one(path)) as shots:
        assert [shot async for shot in shots] == [Shot(0.0, 0, str(path), b"content")]


async def test_a_folder_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", ".hidden", "c.txt"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a link to itself").symlink_to("a link to itself")
    (tmp_path / "a link to nothing").symlink_to("nothing")
    shots = await all_of(tmp_path)
    assert [shot.frame for shot in shots] == [b"a.png", b"b.png", b"c.txt"]
    assert [shot.number for shot in shots] == [0, 1, 2]


async def test_a_file_that_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise UsageError(f"{path.name}: cannot be read (Permission denied)")

    (tmp_path / "a.png").write_bytes(b"x")
    monkeypatch.setattr(files, "content_of", refuse)
    (shot,) = await all_of(tmp_path)
    assert (shot.frame, shot.problem) == (b"", "a.png: cannot be read (Permission denied)")


async def test_what_appears_later_is_taken_once_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "POLL_S", 0.0)
    growing = tmp_path / "b.png"
    (tmp_path / "a.png").write_bytes(b"one")
    async with asyncio.timeout(30), aclosing(folder(tmp_path, follow=True)) as shots:
        assert (await anext(shots)).frame == b"one"
        following = asyncio.ensure_future(anext(shots))
        for size in range(1, 4):
            growing.write_bytes(b"x" * size)
            await asyncio.sleep(0.01)
        shot = await following
        while shot.frame != b"xxx":  # a slow writer may well be taken for one who has finished
            shot = await anext(shots)
        growing.write_bytes(b"again")
        assert (await anext(shots)).frame == b"again"
        growing.unlink()
        await asyncio.sleep(0.05)
        growing.write_bytes(b"again")
        assert (await anext(shots)).name == str(growing)


async def test_a_folder_that_goes_away_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "POLL_S", 0.0)
    path = tmp_path / "in"
    path.mkdir()
    (path / "a.png").write_bytes(b"one")
    async with aclosing(folder(path, follow=True)) as shots:
        await anext(shots)
        (path / "a.png").unlink()
        path.rmdir()
        with pytest.raises(UsageError, match="the folder is not there"):
            await anext(shots)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="it is no file"):
        content_of(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"none: cannot be read \(No such file"):
        content_of(tmp_path / "none")
    with pytest.raises(UsageError, match="cannot be read"):
        content_of(tmp_path)


def test_no_more_is_read_than_may_be(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(4 * SIZE_MAX)
    assert len(content_of(path)) == SIZE_MAX + 1
