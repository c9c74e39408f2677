import msgspec
import pytest

from firmware_sim.wire.lan_version import LanVersion
from fleet.run import messages as msg
from fleet.run.histogram import Histogram

SPEC = msg.DeviceSpec(
    7, "uuid", "AUTHKEY", "pid", "nvr", 9, LanVersion.V34, "127.16.1.8", "homes", b"FLASHKEYS"
)
SITE = msg.SiteSpec("homes", {"net": "WIFIPASSWORD"}, 300)

ORDERS: list[msg.Order] = [
    msg.SetUp(
        0, 1, (SITE,), "127.0.0.1", 80, "127.255.255.255", "zxing", 1, "/tmp/journal", (SPEC,)
    ),
    msg.SwitchPower((1, 2), on=True),
    msg.HoldButton((1,), 3000),
    msg.ShowCode((1,), b"QRSECRET"),
    msg.ShowCode((1,), None),
    msg.MoveTo((1,), "warehouse"),
    msg.Intend((1,), "unbind"),
    msg.TakeSnapshot(),
    msg.Stop(),
]
REPORTS: list[msg.Report] = [
    msg.ShardReady(3),
    msg.ShardBroken("no disk"),
    msg.Observed(
        (msg.Seen(1, 5, "WAITING", "DOWN", "waiting", "waiting", "BootElapsed"),),
        (msg.Heard(1, 5, "bad_qr", "x"),),
    ),
    msg.Pulse({"boot": Histogram({3: 1}, 1, 4.5)}, Histogram(), 4, 2, 1.5),
    msg.Snapshot((msg.Chip(1, "OFF", "DOWN", "NONE", "off", "", "dev", activated=True),)),
]


@pytest.mark.parametrize("message", ORDERS, ids=lambda m: type(m).__name__)
def test_orders_travel(message: msg.Order) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=msg.Order) == message


@pytest.mark.parametrize("message", REPORTS, ids=lambda m: type(m).__name__)
def test_reports_travel(message: msg.Report) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=msg.Report) == message


def test_no_secret_is_shown() -> None:
    shown = "".join(map(repr, ORDERS))
    for secret in ("AUTHKEY", "FLASHKEYS", "WIFIPASSWORD", "QRSECRET"):
        assert secret not in shown
