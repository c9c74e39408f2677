"""One URL says where a broker is and as whom to connect; nothing of it is shown when it is wrong."""

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.external.address import Access, BrokerAddress, parse_address


def test_the_shortest_form() -> None:
    address = parse_address("mqtt://admin:secret@broker.test")
    assert address == BrokerAddress(
        host="broker.test",
        port=1883,
        username="admin",
        password="secret",
        told="broker.test:1883",
    )
    assert address.url_for_devices(tls=False) == "mqtt://broker.test:1883"


def test_all_that_can_be_said() -> None:
    url = "mqtts://a%40b:p%2Fw%3A@[::1]:9?access=http&ca=/some/ca.pem&told=mqtt.shop.test:8883"
    assert parse_address(url) == BrokerAddress(
        host="::1",
        port=9,
        username="a@b",
        password="p/w:",
        told="mqtt.shop.test:8883",
        tls=True,
        ca_file="/some/ca.pem",
        access=Access.HTTP,
    )
    assert parse_address("mqtts://a:b@[::1]").told == "[::1]:8883"
    assert parse_address(url).url_for_devices(tls=True) == "mqtts://mqtt.shop.test:8883"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker",
        "http://admin:hidden@broker",
        "mqtt://broker",
        "mqtt://admin@broker",
        "mqtt://admin:hidden@",
        "mqtt://admin:hidden@broker:0x",
        "mqtt://admin:hidden@broker:99999",
        "mqtt://admin:hid/den@broker",
        "mqtt://admin:hid#den@broker",
        "mqtt://admin:hidden@broker/topic",
        "mqtt://admin:hidden@broker?told",
        "mqtt://admin:hidden@broker?hidden=1",
        "mqtt://admin:hidden@broker?access=hidden",
        "mqtt://admin:hidden@broker?told=hidden",
        "mqtt://admin:hidden@broker?told=h:0",
        "mqtt://admin:hidden@broker?told=h:70000",
        "mqtt://admin:hidden@[broker",
    ],
)
def test_what_is_no_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(url)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(parse_address("mqtt://admin:secret@broker.test"))
