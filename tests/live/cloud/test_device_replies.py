"""What devices are answered by a cloud on a socket: heads of the length that is reckoned with."""

import json
import socket
from collections.abc import Iterator

import pytest

from firmware_sim.wire import atop, atop_old, iot_dns
from firmware_sim.wire.atop_calls import ACTIVATION_REPLY_SIZE_MAX
from fleet.cloud.api import device_room
from fleet.cloud.edge.local import LocalCloud

UUID, AUTH_KEY = "uuid0001", "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with LocalCloud() as cloud:
        yield cloud.ready.http_port


def exchange(port: int, request: bytes) -> tuple[bytes, bytes]:
    """Send bytes, and return head and body of what comes back until the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stream:
        stream.sendall(request)
        answer = b""
        while more := stream.recv(65_536):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


def post(port: int, target: str, body: bytes) -> tuple[bytes, bytes]:
    head = (
        f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: TUYA_IOT_SDK\r\n"
        "Content-Type: application/x-www-form-urlencoded;charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return exchange(port, head.encode() + body)


def test_a_head_has_the_room_that_is_left_for_it(port: int) -> None:
    request = iot_dns.encode_request(iot_dns.Request("pro", "EU"))
    for target, body in ((iot_dns.PATH, request), ("/d.json?a=x", b"data=00")):
        head, answer = post(port, target, body)
        assert head.startswith(b"HTTP/1.1 200")
        assert answer
        digits = len(str(ACTIVATION_REPLY_SIZE_MAX)) - len(str(len(answer)))
        assert len(head) + digits <= device_room.HEAD_SIZE_MAX


def test_the_oldest_firmware_writes_what_no_other_program_would(port: int) -> None:
    """A GET with braces and quotation marks in its address; the cloud knows no such device."""
    target, body = atop.encode_request(
        atop_old.TOKEN_GET.name,
        atop_old.TOKEN_GET.version,
        2,
        AUTH_KEY,
        b"",
        uuid=UUID,
        et=atop.ET_NONE,
        old=True,
        other=atop_old.other_text("12345678"),
    )
    assert '{"' in target
    assert body == b""
    request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    _, answer = exchange(port, request.encode())
    assert json.loads(answer)["errorCode"] == "DEVICE_UNKNOWN"
