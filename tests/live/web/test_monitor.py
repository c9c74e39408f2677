"""The monitor's page in a real browser: a screenshot of it is read as a camera would read it."""

import io
import logging
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.symbol import Luma
from fleet.web.app import make_app
from fleet.web.monitor import Look, Monitor, make_rooms
from tests.camera.pictures import PAYLOAD, picture
from tests.live.web.conftest import Watched
from tests.live.web.served import served

LOG = logging.getLogger(__name__)
Profiles = Callable[..., Watched]
DECODER = make_decoder("pyzbar")
LONG = b"x" * 300


@contextmanager
def monitor(look: Look | None = None) -> Iterator[str]:
    """Serve a monitor; gives its URL."""
    shown = Monitor(look or Look(), "zxing")
    with served(make_app(make_rooms(shown)), closing=shown.feed.close) as url:
        yield url


def put(url: str, content: bytes | None, kind: str = "text/plain") -> None:
    """Show a frame as a test script does; None takes it away."""
    method = "DELETE" if content is None else "PUT"
    frame = urllib.request.Request(f"{url}/devices/0/frame", data=content, method=method)
    frame.add_header("content-type", kind)
    with urllib.request.urlopen(frame, timeout=30) as reply:
        assert reply.status == 204


def shows(page: Page, number: int) -> Luma:
    """Return what is on the screen once frame `number` is there, as rows of grey."""
    expect(page.locator("#screen")).to_have_attribute("data-number", str(number))
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        return np.asarray(shot.convert("L"))


def width_of_dark(luma: Luma) -> int:
    """Return how many columns have something dark in them, from the first to the last."""
    columns = np.flatnonzero((luma < 128).any(axis=0))
    return int(columns[-1] - columns[0] + 1)


def test_codes_come_and_go_at_once_and_are_crisp(profile: Profiles) -> None:
    with monitor() as url:
        page = profile().open(f"{url}/monitor")
        assert shows(page, 0).min() == 255, "white, and nothing on it"
        for number, payload in enumerate((PAYLOAD, LONG), 1):
            put(url, payload)
            luma = shows(page, number)
            assert DECODER.decode(luma) == payload
            assert set(np.unique(luma)) == {0, 255}, "no edge between modules is grey"
            modules = 17 + 4 * (3 if payload is PAYLOAD else 13)  # versions 3 and 13
            times, rest = divmod(width_of_dark(luma), modules)
            assert (rest, times) == (0, 900 * 90 // 100 // (modules + 8))
        put(url, None)
        expect(page.locator("#screen img")).to_have_count(0)
        assert page.screenshot(), "and the page lives"


def test_a_picture_is_shown_as_it_is_and_fits(profile: Profiles) -> None:
    with Image.open(io.BytesIO(picture())) as code:
        photograph = io.BytesIO()
        code.resize((2000, 2000)).convert("RGB").save(photograph, "JPEG")
    with monitor() as url:
        page = profile().open(f"{url}/monitor")
        put(url, picture(), "image/png")
        assert DECODER.decode(shows(page, 1)) == PAYLOAD
        put(url, photograph.getvalue(), "image/jpeg")
        assert DECODER.decode(shows(page, 2)) == PAYLOAD
        box = page.locator("#screen img").bounding_box()
        assert box is not None
        assert box["width"] == pytest.approx(810, abs=1)


def test_size_brightness_and_colours(profile: Profiles) -> None:
    with monitor(Look(size_pct=40, brightness_pct=50, invert=True, black=True)) as url:
        page = profile().open(f"{url}/monitor")
        assert shows(page, 0).max() == 0
        put(url, PAYLOAD)
        luma = shows(page, 1)
        assert luma.max() == pytest.approx(128, abs=1)
        assert DECODER.decode(luma) is None, "what is inverted, few cameras read"
        assert DECODER.decode(255 - luma) == PAYLOAD
        box = page.locator("#screen img").bounding_box()
        assert box is not None
        assert 280 < box["width"] <= 360


def test_a_frame_of_a_server_that_is_gone_is_not_shown(profile: Profiles) -> None:
    watched = profile()
    with monitor() as url:
        page = watched.open(f"{url}/monitor")
        put(url, PAYLOAD)
        shows(page, 1)
    expect(page.locator("#screen img")).to_have_count(0)
    watched.expected += ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING"]
