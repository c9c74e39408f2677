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
        "mqtt://admin:hidden@bro ker",
        "mqtt://admin:hidden@broker:0",
        "mqtt://admin:hidden@::1",
        "mqtt://admin:hidden@[::1]x:3",
        "mqtt://admin:hidden%00@broker",
        "mqtt://admin:hidden%ff@broker",
        "mqtt://admin:hidden@broker?access=",
        "mqtt://admin:hidden@broker?access=http&access=dynsec",
        "mqtt://admin:hidden@broker?told=",
        "mqtts://admin:hidden@broker?ca=",
        "mqtt://admin:hidden@broker?ca=/hidden",
    ],
)
def test_what_is_no_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(url)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("tcp://admin:hidden@broker", "begins with mqtt://, or with mqtts://"),
        ("broker:1883", "begins with mqtt://, or with mqtts://"),
        ("mqtt://broker:1883", "names a user and a password"),
        ("mqtt://admin:hid/den@broker", "%2F for a /"),
        ("mqtt://admin:hidden@bro ker", "a host and a port as HOST:PORT"),
        ("mqtt://admin:hidden@broker?told=x", "the option told .* HOST:PORT"),
        ("mqtt://admin:hidden@broker?ca=/x", "ca .* mqtts:// only"),
    ],
)
def test_the_refusal_says_what_to_do(url: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        parse_address(url)


def test_a_plus_in_the_name_of_a_file_is_one() -> None:
    assert parse_address("mqtts://a:b@broker?ca=/c++/x%20y.pem").ca_file == "/c++/x y.pem"


@pytest.mark.parametrize("tls", [False, True])
def test_devices_are_sent_to_a_port_that_speaks_as_they_do(*, tls: bool) -> None:
    s, other = ("s", "") if tls else ("", "s")
    parse_address(f"mqtt{s}://a:b@[::1]:9").check(tls=tls)
    parse_address(f"mqtt{other}://a:b@[::1]:9?told=[::1]:10").check(tls=tls)
    with pytest.raises(UsageError, match=r"--tls.*\?told=HOST:PORT"):
        parse_address(f"mqtt{other}://a:b@[::1]:9").check(tls=tls)


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(parse_address("mqtt://admin:secret@broker.test"))
