"""A cloud with TLS on every port: clients that trust it, clients that do not, and the farewell."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire import atop, iot_dns, mqtt
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.errors import CloudRefused
from fleet.cloud.edge.process import ServerConfig, stay
from fleet.cloud.edge.server import Ready
from fleet.cloud.settings import Settings
from tests.live.cloud.edge.stage import LOOPBACK
from tests.live.cloud.edge.test_process import started


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    data = str(tmp_path_factory.mktemp("cloud"))
    with started(ServerConfig(data=data, tls=True, device_https_port=0)) as child:
        yield child.ready()


def trust(ready: Ready) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ready.ca_file)


def test_every_address_says_that_it_is_encrypted(ready: Ready) -> None:
    assert ready.url.startswith("https://")
    assert ready.mqtt_url.startswith("mqtts://")
    assert ready.push_url.startswith("wss://")


def test_devices_are_told_a_port_of_their_own_and_whom_to_trust(ready: Ready) -> None:
    body = iot_dns.encode_request(iot_dns.Request(env="pro"))
    reply = httpx.post(ready.url + iot_dns.PATH, content=body, verify=trust(ready))
    told = iot_dns.decode_reply(reply.content)
    assert told.ca == ready.anchor
    assert told.https_url == ready.device_url + atop.PATH
    host, port = iot_dns.split_host_port(told.https_url, 443)
    assert port not in {ready.http_port, ready.mqtt_port}
    again = httpx.post(f"https://{host}:{port}{iot_dns.PATH}", content=body, verify=trust(ready))
    assert again.content == reply.content


def test_a_client_that_does_not_know_the_authority_goes_away(ready: Ready) -> None:
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(ready.url)


def test_a_client_that_does_not_encrypt_gets_nothing(ready: Ready) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://{ready.host}:{ready.http_port}/")


def test_mqtt_ends_with_a_farewell(ready: Ready) -> None:
    plain = socket.create_connection((ready.host, ready.mqtt_port), timeout=10)
    with trust(ready).wrap_socket(plain, server_hostname=LOOPBACK) as stream:
        stream.sendall(mqtt.encode(mqtt.Connect("nobody", "nobody", "wrong")))
        assert stream.recv(100) == mqtt.encode(mqtt.Connack(mqtt.NOT_AUTHORIZED))
        assert stream.recv(100) == b""  # without close_notify this would be an SSLEOFError


def test_the_certificate_is_for_every_name_that_clients_are_told() -> None:
    settings = Settings(open_hosts=("EU eu.cloud.example:8443", "AZ 192.0.2.7"))
    config = ServerConfig(tls=True, told_host="cloud.example", settings=settings)
    with started(config) as child:
        ready = child.ready()
        for name in ("cloud.example", "eu.cloud.example", "192.0.2.7", LOOPBACK):
            plain = socket.create_connection((ready.host, ready.http_port), timeout=10)
            with trust(ready).wrap_socket(plain, server_hostname=name) as stream:
                assert stream.getpeercert()


def test_the_authority_survives_a_restart(tmp_path: Path) -> None:
    config = ServerConfig(data=str(tmp_path), tls=True)
    anchors = []
    for _ in range(2):
        with started(config) as child:
            anchors.append(child.ready().anchor)
    assert anchors[0] == anchors[1] != b""


def test_a_database_has_no_room_for_an_authority() -> None:
    with pytest.raises(UsageError, match="name a folder"):
        stay(ServerConfig(data="postgresql://nobody@127.0.0.1/none", tls=True), lambda *_: None)


@pytest.mark.parametrize(
    "config",
    [
        ServerConfig(device_https_port=0),
        ServerConfig(tls_folder="somewhere"),
    ],
)
def test_what_is_of_no_use_without_tls_is_refused(config: ServerConfig) -> None:
    with pytest.raises(UsageError, match="of use with TLS only"):
        stay(config, lambda *_: None)


def test_the_phone_knows_a_cloud_by_its_certificate(ready: Ready) -> None:
    async def visit(ca_file: str) -> None:
        async with CloudLink(ready.url, ca_file=ca_file) as link:
            await ConsoleClient.login(link, "nobody", "wrong")

    with pytest.raises(CloudRefused):
        asyncio.run(visit(ready.ca_file))
    with pytest.raises(UsageError, match="set SSL_CERT_FILE"):  # at once, not after all patience
        asyncio.run(visit(""))
