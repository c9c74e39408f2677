"""What may reach a device in a walk: codes, frames of LAN clients, offers of tokens, settings."""

from collections.abc import Callable

from firmware_sim import events as ev
from firmware_sim.wire import lan_frame, lan_message
from firmware_sim.wire.discovery import Solicitation, encode_solicitation
from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.provisioning import QrText, TokenForm, encode_qr, encode_token_bind
from tests.device.stage import LOCAL_KEY, NONCE, TOKEN

OTHER_CODE = encode_qr(QrText("nowhere", "password1", "EUother123pro0"))
ASK_ALL = encode_solicitation(Solicitation("127.0.0.1", "app"), NONCE)
REQUESTS = (
    (Command.HEART_BEAT, b"{}"),
    (Command.DP_QUERY, b'{"devId":"x"}'),
    (Command.DP_QUERY_NEW, b"{}"),
    (Command.CONTROL, b'{"dps":{"101":false,"1":true}}'),
    (Command.CONTROL_NEW, b'{"protocol":5,"t":1,"data":{"dps":{"101":true}}}'),
    (Command.DP_REFRESH, b'{"dpId":[101]}'),
    (Command.SESSION_START, bytes(16)),
    (Command.SESSION_FINISH, bytes(32)),
    (Command.GATEWAY_RESET, b"{}"),
)
OFFERS = (
    encode_token_bind(TOKEN, 1),
    encode_token_bind("EUother123pro0", 2, TokenForm.PLAIN),
    encode_token_bind(TOKEN, 3, TokenForm.GCM, NONCE),
    lan_frame.encode(lan_frame.Frame(1, Command.TOKEN_BIND, b'{"token":"short"}')),
)
LAN_BYTES = (
    lan_frame.encode(lan_frame.Frame(1, 0x42, b"?")),
    b"GET / HTTP/1.1\r\n\r\n",
    *(
        lan_message.seal(
            lan_frame.Frame(5, command, body), version, LOCAL_KEY.encode(), nonce=NONCE
        )
        for command, body in REQUESTS
        for version in LanVersion
    ),
)
COMMANDS = (
    b'{"101":false}',
    b'{"101":true,"110":3}',
    b'{"7":1}',
    b'{"1":false}',
    b"[]",
    b'{"101":9}',
)


def move_child(pick: Callable[[int], int]) -> ev.Event:
    """Let something happen to a sub-device, there or not; `pick` returns a number below another."""
    kinds = (ev.ChildReached, ev.ChildLost, ev.ChildJoined, ev.ChildLeft)
    return kinds[pick(len(kinds))](pick(5))
