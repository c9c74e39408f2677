"""What bytes on the wire mean, with their sizes, and never with a secret that is in them.

Device and cloud see the same bytes, so both use the same words. Payloads of MQTT are opened with
the keys of whoever is told about; what no key opens keeps its meaning to itself.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from firmware_sim.errors import PeerError
from firmware_sim.wire import atop, discovery, iot_dns, mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire.lan_frame import Command, FrameCutter
from firmware_sim.wire.mqtt_payload import Protocol

Keys = Iterable[bytes]

_PATH_SHOWN = 3  # segments of the path of a person's call; tokens and ids come behind
_CODES = {
    mqtt.ACCEPTED: "come in",
    1: "another version of MQTT",
    2: "no such client id",
    3: "not now",
    4: "wrong name or password",
    mqtt.NOT_AUTHORIZED: "not authorised",
}
_PROTOCOLS: Mapping[int, str] = {
    Protocol.DP_REPORT: "these are my data points",
    Protocol.DP_COMMAND: "set these data points",
    Protocol.CHILD_RESET: "give this sub-device up",
    Protocol.RESET: "reset yourself",
    Protocol.UPGRADE_NOTICE: "there may be new firmware",
    Protocol.UPGRADE_PROGRESS: "so much of the firmware is loaded",
    Protocol.CHILDREN_PRESENCE: "these sub-devices came or went",
    Protocol.COMMAND_ACK: "your message was received",
    Protocol.CONFIG_NOTICE: "your configuration has changed",
    Protocol.DP_QUERY: "what are your data points",
    Protocol.ACTIVATION_TOKEN: "here is a token",
}


# --- HTTP ---------------------------------------------------------------------------------------


def call(target: str) -> str:
    """Return the name of the call that a device makes over HTTP."""
    try:
        return atop.decode_query(target).a
    except PeerError:
        return target.partition("?")[0]


def request(target: str, body: bytes) -> str:
    """Return what a device asks over HTTP: the name of the call and who has signed it."""
    size = f"{len(target) + len(body)} B"
    path = target.partition("?")[0]
    try:
        if path == iot_dns.PATH:
            asked = iot_dns.decode_request(body)
            where = f"of region {asked.region}" if asked.region else "to begin with"
            return f"HTTP {path}, {size}: which servers {where}"
        query = atop.decode_query(target)
    except PeerError:
        return f"HTTP {path}, {size}"
    who = f"uuid {query.uuid}" if query.uuid else f"device {query.dev_id}"
    version = f" {query.v}" if query.v else ""
    return f"HTTP {query.a}{version}, {size}, signed by {who}"


def path_shown(target: str) -> str:
    """Return as much of the path of a person's call as says what is asked, and no token."""
    parts = target.partition("?")[0].strip("/").split("/")
    tail = "/..." if len(parts) > _PATH_SHOWN else ""
    return "/" + "/".join(parts[:_PATH_SHOWN]) + tail


# --- MQTT ---------------------------------------------------------------------------------------


def _topic(name: str) -> str:
    """Return a topic without the id at its end, which is that of the device it is about."""
    head, slash, _ = name.rpartition("/")
    return f"{head}{slash}.."


def _topics(names: Iterable[str]) -> str:
    return ", ".join(_topic(name) for name in names)


def _connack(packet: mqtt.Connack, _: Keys) -> str:
    return f"CONNACK {packet.return_code} ({_CODES[packet.return_code]})"


def _publish(packet: mqtt.Publish, keys: Keys) -> str:
    again = ", again" if packet.dup else ""
    return f"PUBLISH {_topic(packet.topic)} QoS {packet.qos}{again}: {_meaning(packet, keys)}"


def _suback(packet: mqtt.Suback, _: Keys) -> str:
    refused = sum(code == mqtt.SUBSCRIBE_REFUSED for code in packet.return_codes)
    return f"SUBACK, {refused} refused" if refused else "SUBACK"


def _bare(packet: mqtt.Packet, _: Keys) -> str:
    return type(packet).__name__.upper()


_PACKETS: Mapping[type[mqtt.Packet], Callable[[Any, Keys], str]] = {
    mqtt.Connect: lambda packet, _: f"CONNECT as {packet.client_id}",
    mqtt.Connack: _connack,
    mqtt.Publish: _publish,
    mqtt.Subscribe: lambda packet, _: f"SUBSCRIBE {_topics(name for name, _ in packet.filters)}",
    mqtt.Suback: _suback,
    mqtt.Unsubscribe: lambda packet, _: f"UNSUBSCRIBE {_topics(packet.filters)}",
}


def packet(told: mqtt.Packet, keys: Keys) -> str:
    """Return what a packet of MQTT says; payloads are opened with one of `keys`."""
    return _PACKETS.get(type(told), _bare)(told, keys)


def packets(data: bytes, keys: Keys) -> str:
    """Return what whole packets say, with their size."""
    return f"{said(mqtt.Decoder().feed(data), keys)}, {len(data)} B"


def said(told: Iterable[mqtt.Packet], keys: Keys) -> str:
    """Return what packets say; several of one kind in a row are named once."""
    texts: list[str] = []
    for each in told:
        text = packet(each, keys)
        head = text.partition(" ")[0]
        if texts and texts[-1].partition(" ")[0] == head != text:
            text = text.removeprefix(head + " ")
            texts[-1] += f", {text}"
        elif not texts or texts[-1] != text:
            texts.append(text)
    return "; ".join(texts)


def _meaning(packet: mqtt.Publish, keys: Keys) -> str:
    """Return what a message is about: a call, the answer to one, or one of the numbered messages."""
    try:
        if packet.topic.startswith("rpc/req/"):
            return f"call {mqtt_rpc.decode_request(packet.payload).a}"
        if packet.topic.startswith("rpc/rsp/"):
            inner = mqtt_rpc.decode_response(packet.payload).inner
            return "answered" if inner.success else f"refused, {inner.error_code}"
        if packet.topic.startswith("rpc/file/"):
            return "a piece of a file"
    except PeerError:
        return "which cannot be read"
    message = opened(packet.payload, keys)
    if message is None:
        return f"{len(packet.payload)} B sealed"
    number = message.protocol
    return f"protocol {number}, {_PROTOCOLS.get(number, 'of another kind')}"


def opened(payload: bytes, keys: Keys) -> mqtt_payload.Message | None:
    """Return the message in a payload that one of `keys` opens, None if none of them does."""
    for key in keys:
        try:
            return mqtt_payload.decode(key, payload)
        except PeerError:
            continue
    return None


# --- the LAN ------------------------------------------------------------------------------------


def frames(data: bytes) -> str:
    """Return which frames a piece of a LAN connection holds."""
    try:
        found = FrameCutter().feed(data)
    except PeerError:
        found = []
    names = ", ".join(_frame(raw.command) for raw in found) or "part of a frame"
    return f"{names}, {len(data)} B"


def _frame(command: int) -> str:
    known = {each.value: each.name.lower().replace("_", " ") for each in Command}
    return f"frame 0x{command:02X} ({known.get(command, 'unknown')})"


def announced(datagram: bytes) -> str:
    """Return what a device says about itself to everybody."""
    try:
        card = discovery.decode_announcement(datagram)
    except PeerError:
        return f"{len(datagram)} B"
    token = ", takes a token" if card.awaits_token else ""
    return f"I am {card.gw_id}, active {card.active}{token}, {len(datagram)} B"
