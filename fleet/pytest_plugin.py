"""pytest plugin `fleet`: a cloud, and devices, for tests of programs that talk to them.

Installed with this package, so a test only has to name a fixture; `fleet/README.md` says how they
are used. Nothing is imported before a test asks for it: other people's test runs load this module
as well.
"""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fleet.cloud.edge.local import LocalCloud
    from fleet.cloud.seed import Seed
    from fleet.cloud.settings import Settings
    from fleet.run.shelf import Shelf

_CLOUD: "pytest.StashKey[LocalCloud]" = pytest.StashKey()


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
    tuya_cloud_seed: "Seed", tuya_cloud_settings: "Settings", request: pytest.FixtureRequest
) -> Iterator["LocalCloud"]:
    """Return a cloud of the test's own: new data, free ports, and a clock that the test moves."""
    from fleet.cloud.edge.local import LocalCloud

    with LocalCloud(tuya_cloud_seed, tuya_cloud_settings) as cloud, cloud.moving_clients():
        request.node.stash[_CLOUD] = cloud
        yield cloud


@pytest.fixture
def tuya_devices(tuya_cloud: "LocalCloud") -> Iterator["Shelf"]:
    """Return a shelf on which devices of that cloud can be switched on and off."""
    from fleet.run.shelf import Shelf

    with Shelf(tuya_cloud) as shelf:
        yield shelf


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what happened at the cloud of a test that failed."""
    report = yield
    cloud = item.stash.get(_CLOUD, None)
    if cloud is not None and report.failed:
        report.sections.append(("tuya_cloud", "\n".join(cloud.diary)))
    return report
