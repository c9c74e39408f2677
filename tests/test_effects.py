"""Effects and events are logged: what they carry of secrets does not show."""

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device import signals as sig
from firmware_sim.wire.provisioning import TokenForm, TokenParts


def test_secrets_do_not_show() -> None:
    heard = (
        ev.FrameDecoded(b"secret1"),
        ev.MqttReceived(b"secret1"),
        ev.LanReceived(1, b"secret1"),
        ev.HttpReplied(1, 200, b"secret1"),
        sig.PairingRead("shop", "secret1", "secret1"),
        sig.TokenOffered(1, 2, "secret1", TokenForm.ECB),
        sig.TokenHeard(TokenParts("EU", "secret1", "secret1")),
        sig.TokenBrought(TokenParts("EU", "secret1", "secret1")),
        ev.DatagramReceived(7000, b"secret1"),
    )
    carriers = (
        fx.JoinWifi("shop", "secret1"),
        fx.SendHttp(1, "cloud", 80, "/d.json?sign=secret1", b"secret1", 100),
        fx.SendMqtt(b"secret1"),
        fx.SaveFlash(b"secret1"),
        fx.LanSend(1, b"secret1"),
        fx.SendDatagram("127.0.0.1", 7000, b"secret1"),
    )
    assert "secret1" not in repr(carriers)
    assert "secret1" not in repr(heard)
    assert "shop" in repr(carriers)
    assert "cloud:80/d.json" in repr(carriers)
