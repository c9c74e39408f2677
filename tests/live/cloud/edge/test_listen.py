"""Listening: which ports, and one line for each thing that can be wrong with them."""

import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.edge import listen
from fleet.cloud.edge.listen import Listeners, bind, connection_limits, raise_files_limit
from tests.live.cloud.edge.stage import LOOPBACK


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    listeners = Listeners(LOOPBACK, 0, 0)
    yield listeners
    listeners.close()


def test_both_ports_take_connections_before_anything_is_served(listeners: Listeners) -> None:
    assert listeners.http_port != listeners.mqtt_port
    for port in (listeners.http_port, listeners.mqtt_port):
        socket.create_connection((LOOPBACK, port)).close()


def test_a_free_port_is_none_that_the_kernel_gives_to_clients(listeners: Listeners) -> None:
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert listeners.http_port < low
    assert listeners.mqtt_port < low


def test_the_next_cloud_of_a_process_is_not_where_the_last_one_was() -> None:
    ports = []
    for _ in range(3):
        one = Listeners(LOOPBACK, 0, 0)
        ports += [one.http_port, one.mqtt_port]
        one.close()
    assert len(set(ports)) == 6


def test_replies_do_not_wait_for_acknowledgements() -> None:
    with bind(LOOPBACK, 0) as listener, socket.create_connection(listener.getsockname()):
        listener.settimeout(5)
        served, _ = listener.accept()
        with served:
            assert served.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_without_quiet_ports_the_kernel_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen, "_QUIET_PORTS_TRIED", 0)
    with bind(LOOPBACK, 0) as listener:
        assert listener.getsockname()[1] > 0


def test_the_same_port_can_be_had_again_at_once() -> None:
    first = bind(LOOPBACK, 0)
    port = first.getsockname()[1]
    client = socket.create_connection((LOOPBACK, port))
    served, _ = first.accept()
    served.close()  # first to close: this side is in TIME_WAIT
    client.close()
    first.close()
    bind(LOOPBACK, port).close()


def test_ipv6_and_names_are_as_good() -> None:
    for host in ("::1", "localhost"):
        with bind(host, 0) as listener:
            assert listener.getsockname()[1] > 0


@pytest.mark.parametrize(
    ("host", "port", "complaint"),
    [
        (LOOPBACK, 65_536, "65536 is not a port"),
        (LOOPBACK, -1, "-1 is not a port"),
        ("no.such.name.invalid", 0, "'no.such.name.invalid' is no address"),
        ("x" * 100, 0, "is no address"),
        ("0.0.0.0", 0, "can be reached by other machines.*127.0.0.1"),
        ("::", 0, "can be reached by other machines"),
        ("192.0.2.1", 0, "can be reached by other machines"),
    ],
)
def test_a_wrong_address_is_refused_with_what_to_do(host: str, port: int, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        bind(host, port)


def test_an_address_of_another_machine_is_refused_even_when_public() -> None:
    with pytest.raises(UsageError, match=r"192\.0\.2\.1:0: .* use 127\.0\.0\.1"):
        bind("192.0.2.1", 0, public=True)


def test_all_addresses_when_told_so() -> None:
    with bind("0.0.0.0", 0, public=True) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"


def test_a_port_in_use_is_named_and_the_other_one_given_back(listeners: Listeners) -> None:
    with pytest.raises(UsageError, match=f"{LOOPBACK}:{listeners.mqtt_port}: the port is in use"):
        Listeners(LOOPBACK, 0, listeners.mqtt_port)
    with pytest.raises(UsageError, match="choose another port"):
        bind(LOOPBACK, listeners.http_port)


def test_data_centres_have_ports_of_their_own_all_or_none(listeners: Listeners) -> None:
    more = Listeners(LOOPBACK, 0, 0, device_port=0, region_ports={"AZ": 0, "IN": 0})
    ports = {more.http_port, more.mqtt_port, more.device_port, *more.region_ports.values()}
    assert len(ports) == 5
    assert [*more.all_http.values()] == ["", "", "AZ", "IN"]
    more.close()
    with pytest.raises(UsageError, match="the port is in use"):
        Listeners(LOOPBACK, 0, 0, region_ports={"AZ": more.http_port, "IN": listeners.http_port})
    bind(LOOPBACK, more.http_port).close()


def test_connections_are_shared_out_below_the_limit_of_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def limit(files: int) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))

    limit(20_000)
    http, mqtt = connection_limits()
    assert http > 5_000
    assert mqtt > 10_000
    assert http + mqtt < 20_000
    limit(resource.RLIM_INFINITY)
    assert sum(connection_limits()) > 500_000
    limit(100)
    with pytest.raises(UsageError, match="may open 100 files"):
        connection_limits()


def test_the_limit_of_files_is_raised_as_far_as_it_goes() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (500, before[1]))
        raise_files_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
