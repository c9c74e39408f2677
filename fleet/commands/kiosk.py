"""A browser that fills the screen with one page and has no other purpose, as long as it is needed."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_GRACE_S = 3.0
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FIREFOXES = ("firefox", "firefox-esr")
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


def command(url: str, profile: Path, environment: Mapping[str, str]) -> list[str]:
    """Return the words that open `url` on the whole screen; [] where there is no screen or browser.

    `profile` is an empty folder for what browsers keep.
    """
    if not any(environment.get(name) for name in _SCREENS):
        return []
    path = environment.get("PATH", "")
    for name in _CHROMIUMS:
        if (found := shutil.which(name, path=path)) is not None:
            return [found, *_chromium(url, profile)]
    for name in _FIREFOXES:
        if (found := shutil.which(name, path=path)) is not None:
            return [found, "--kiosk", "--new-instance", "--profile", str(profile), url]
    return []


def _chromium(url: str, profile: Path) -> list[str]:
    words = [
        "--kiosk",
        f"--app={url}",
        f"--user-data-dir={profile}",
        *("--no-first-run", "--no-default-browser-check", "--noerrdialogs"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--disable-session-crashed-bubble", "--password-store=basic"),
    ]
    # The sandbox of a browser needs somebody else than root, who is everybody in a container.
    return words if os.geteuid() else [*words, "--no-sandbox"]


@asynccontextmanager
async def kiosk(url: str) -> AsyncIterator[bool]:
    """Show a page on the whole screen as long as the block lasts; gives whether there is one."""
    # A browser may still write into its folder while it ends.
    with tempfile.TemporaryDirectory(prefix="fleet-kiosk-", ignore_cleanup_errors=True) as folder:
        words = command(url, Path(folder), os.environ)
        if not words:
            yield False
            return
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is ours, and all its processes end together
        )
        try:
            yield True
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await process.wait()
                return
