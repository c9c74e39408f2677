"""The servers that firmware knows by heart: who turns to them, and when."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device import built_in
from tests.device.stage import BOUND, CODE, Stage

ANCHOR = b"DER"


@pytest.mark.parametrize(
    ("region", "env", "https", "mqtt"),
    [
        ("EU", "pro", "a2.tuyaeu.com", "m2.tuyaeu.com"),
        ("UE", "pro", "a2-ueaz.tuyaus.com", "m2-ueaz.tuyaus.com"),
        ("IN", "pr_0", "a2-ind.wgine.com", "m2-ind.wgine.com"),
        ("AZ", "pr_0", "a2-us.wgine.com", "m2-us.wgine.com"),
        ("", "", "a2.tuyacn.com", "m2.tuyacn.com"),
        ("XX", "test", "a2.tuyacn.com", "m2.tuyacn.com"),
        ("XX", "pr_0", "a2-cn.wgine.com", "m2-cn.wgine.com"),
    ],
)
def test_hosts(region: str, env: str, https: str, mqtt: str) -> None:
    servers = built_in.servers(region, env, ANCHOR)
    assert (servers.https, servers.mqtt) == ((https, 443), (mqtt, 8883))
    assert servers.anchor == ANCHOR


def without_iot_dns(flash: bytes, anchor: bytes = ANCHOR, *, knows: bool = True) -> Stage:
    stage = Stage(flash=flash)
    stage.habits(built_in_servers=knows)
    stage.device.iot_dns_anchor = anchor
    stage.boot()
    if not stage.device.flash.activated:
        stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "refused"))
    return stage


def test_a_bound_device_goes_on_with_them() -> None:
    stage = without_iot_dns(BOUND.image())
    assert (stage.session, stage.notes()) == ("DECLARING", ["call_failed"])
    call = stage.last(fx.SendHttp)
    assert (call.host, call.port, call.anchor) == ("a2.tuyaeu.com", 443, ANCHOR)
    stage.reply_success()
    assert stage.last(fx.OpenMqtt) == fx.OpenMqtt("m2.tuyaeu.com", 8883, ANCHOR)


def test_an_activation_goes_on_with_those_of_its_token() -> None:
    stage = without_iot_dns(b"")
    call = stage.last(fx.SendHttp)
    assert (stage.state, call.host) == ("ACTIVATING", "a2.tuyaeu.com")
    assert call.target.startswith("/d.json?a=tuya.device.active&")
    stage.tell(ev.HttpFailed(call.call, "refused"))
    stage.wait(1000)
    assert stage.last(fx.SendHttp).target == "/v2/url_config"


@pytest.mark.parametrize(("anchor", "knows"), [(b"", True), (ANCHOR, False)])
def test_nobody_else_does(anchor: bytes, knows: bool) -> None:
    """Without a certificate of its own a simulated device would talk to the vendor."""
    stage = without_iot_dns(BOUND.image(), anchor, knows=knows)
    assert stage.session == "BACKOFF"
    assert {call.host for call in stage.all(fx.SendHttp)} == {"dns"}
