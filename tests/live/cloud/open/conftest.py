"""A camera of the demo data set that is online."""

import pytest

from fleet.cloud.edge.local import LocalCloud
from fleet.run.shelf import Shelf
from tests.live.cloud.open.stand import Camera


@pytest.fixture
def camera(tuya_cloud: LocalCloud, tuya_devices: Shelf) -> Camera:
    """Return Anna's camera at the front door, powered and online."""
    return Camera(tuya_cloud, tuya_devices)
