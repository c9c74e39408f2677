"""What holds for every test: no network outside the folders named `live`, and repeatable chance.

Loops, pools and worker processes use pipes and local sockets, so only the internet families are
off. (uvloop does not use Python's sockets; a test that drives it belongs under `live`.)
"""

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer

    from tests.workers import Sharing

hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    from tests import workers

    return workers.count()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "Sharing":
    from tests import workers

    return workers.Sharing(config, log, together=not workers.may_move())


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        from tests import workers

        workers.move()


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines that are marked `anyio` in asyncio."""
    return "asyncio"


_INTERNET = (socket.AF_INET, socket.AF_INET6)


def _refusing(name: str) -> Callable[..., Any]:
    original = getattr(socket.socket, name)

    def method(self: socket.socket, *args: Any) -> Any:
        if self.family in _INTERNET:
            # Not an Exception: code that survives a broken network must not survive this.
            pytest.fail(f"socket.{name} outside a folder named live")
        return original(self, *args)

    return method


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "live" in request.path.parent.relative_to(request.config.rootpath).parts:
        return
    for name in ("bind", "connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, _refusing(name))
