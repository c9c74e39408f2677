"""pytest plugin `fleet`: a cloud, and devices, for tests of programs that talk to them.

Installed with this package, so a test only has to name a fixture; the README of `fleet.cloud` says
how they are used. Nothing is imported before a test asks for it: other people's test runs load
this module as well.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fleet.cloud.edge.local import LocalCloud
    from fleet.cloud.seed import Seed
    from fleet.cloud.settings import Settings
    from fleet.run.shelf import Shelf


@pytest.fixture
def tuya_cloud_seed() -> "Seed":
    """Return what the cloud starts with: the demo data set. Redefine it to have another one."""
    from fleet.cloud.toml_file import demo_seed

    return demo_seed()


@pytest.fixture
def tuya_cloud_settings() -> "Settings":
    """Return the cloud's settings. Redefine it to have others."""
    from fleet.cloud.edge.local import SETTINGS

    return SETTINGS


@pytest.fixture
def tuya_cloud(
    tuya_cloud_seed: "Seed", tuya_cloud_settings: "Settings", monkeypatch: pytest.MonkeyPatch
) -> Iterator["LocalCloud"]:
    """Return a cloud of the test's own: new data, free ports, and a clock that the test moves."""
    import time

    from fleet.cloud.edge.local import LocalCloud

    wall_s, wall_ns = time.time, time.time_ns
    with LocalCloud(tuya_cloud_seed, tuya_cloud_settings) as cloud:
        # Libraries sign with the system's time, so it has to move along.
        monkeypatch.setattr(time, "time", lambda: wall_s() + cloud.clients_ahead_s)
        monkeypatch.setattr(
            time, "time_ns", lambda: wall_ns() + round(cloud.clients_ahead_s * 1_000_000_000)
        )
        yield cloud


@pytest.fixture
def tuya_devices(tuya_cloud: "LocalCloud") -> Iterator["Shelf"]:
    """Return a shelf on which devices of that cloud can be switched on and off."""
    from fleet.run.shelf import Shelf

    with Shelf(tuya_cloud) as shelf:
        yield shelf
