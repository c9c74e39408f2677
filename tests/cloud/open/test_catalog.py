"""What the vendor serves and we do not: the names are found, and nothing served is among them."""

import pytest

from fleet.cloud.open.catalog import UNSERVED, unserved
from fleet.cloud.open.table import ROUTES


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1.0/iot-01/app/ticket/users", "login by a ticket"),
        ("/v1.0/users/ay1/ticket", "login-free ticket"),
        ("/v1.0/iot-02/users/ay1", "more of asset users"),
        ("/v1.0/iot-02/assets", "more of assets"),
        ("/v1.1/iot-02/cross-level-sub-assets", "more of assets"),
        ("/v1.0/m/life/users/homes", "device-sharing SDK"),
        ("/v1.0/3rdcloud/devices/x/unbind", "third-party cloud devices"),
        ("/v1.0/infrareds/x/remotes/", "infrared remotes"),
        ("/v1.0/homes/1/scenes/2/trigger", "scenes"),
        ("/v2.0/cloud/timer/device/x", "timers"),
        ("/v2.0/cloud/thing/group", "device groups"),
        ("/v2.0/cloud/thing/signal/detection/issue", "signal strength"),
        ("/v1.0/devices/x/stream/actions/allocate", "video streams"),
        ("/v1.0/users/u/devices/x/webrtc-configs", "video streams"),
        ("/v1.0/devices/x/door-lock/temp-passwords", "door locks"),
        ("/v2.0/cloud/thing/x/firmware", "firmware updates"),
        ("/v2.0/iot-03/weather/current", "weather"),
        ("/v1.0/iot-03/messages/sms/actions/push", "messages to people"),
    ],
)
def test_paths_of_public_clients_are_known(path: str, name: str) -> None:
    entry = unserved(path)
    assert entry is not None
    assert entry.name == name


def test_what_nobody_knows_has_no_entry() -> None:
    assert unserved("/v1.0/gibberish") is None
    assert unserved("") is None


def test_only_logins_need_no_token() -> None:
    open_ones = {entry.name for entry in UNSERVED if not entry.needs_token}
    assert open_ones == {"login by a ticket"}


def test_each_name_comes_once() -> None:
    assert len({entry.name for entry in UNSERVED}) == len(UNSERVED)


def test_nothing_that_is_served_is_among_them_but_by_another_method() -> None:
    found = [unserved(route.pattern) for route in ROUTES]
    assert all(entry.name.startswith("more of ") for entry in found if entry is not None)
