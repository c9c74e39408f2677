"""Effects are logged: what they carry of secrets does not show."""

from firmware_sim import effects as fx


def test_secrets_do_not_show() -> None:
    carriers = (
        fx.JoinWifi("shop", "secret1"),
        fx.SendHttp(1, "cloud", 80, "/d.json?sign=secret1", b"secret1", 100),
        fx.SendMqtt(b"secret1"),
        fx.SaveFlash(b"secret1"),
    )
    assert "secret1" not in repr(carriers)
    assert "shop" in repr(carriers)
    assert "cloud:80/d.json" in repr(carriers)
