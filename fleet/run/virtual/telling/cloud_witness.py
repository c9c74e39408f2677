"""Sees the cloud of a virtual run: who asks what, which function answers, what is committed."""

from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from urllib.parse import parse_qsl, urlsplit

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.errors import PeerError
from firmware_sim.events import DeadlineReached, Event
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.wire import atop, mqtt, mqtt_rpc
from firmware_sim.wire.ciphers import aes_key
from fleet.cloud.api import device_calls
from fleet.cloud.api.console_api import order_unbind_token
from fleet.cloud.cloud import Cloud
from fleet.cloud.devices import ACTIVATION_CLIENT
from fleet.cloud.messages import (
    CloseStream,
    Commit,
    HttpRequested,
    PushRaised,
    SendReply,
    SendStream,
    StreamClosed,
    StreamReceived,
)
from fleet.cloud.reasons import Refused
from fleet.cloud.sessions import APP, CONSOLE
from fleet.run.virtual.cloud import VirtualCloud
from fleet.run.virtual.telling import cloud_words, wire_words
from fleet.run.virtual.telling.line import Line, Lines, Turn, place_of

CLOUD, PERSON = "cloud", "person"
LIFE = "life"
"""Who enters what befalls the cloud itself."""
NOBODY = -1
"""The number of what concerns no single device."""

_COMMIT_WIDTH = 80
_BEARER = "Bearer "
_ASIDE = (mqtt.Pingreq, mqtt.Unsubscribe, mqtt.Disconnect)
_ASIDE_ANSWERS = ("PINGRESP", "UNSUBACK")
Tell = Callable[[str, int, Lines], None]


class CloudWitness:
    """Tells of each step: `arrived` is what it begins with, `decided` what it has come to.

    `started` is called at the beginning of each of the cloud's lives.
    """

    def __init__(
        self,
        cloud: VirtualCloud,
        agenda: Agenda,
        uuids: Sequence[str],
        addresses: Sequence[str],
        tell: Tell,
    ) -> None:
        """Look at `cloud`; of the devices there are the uuids and the addresses, in their order."""
        self._cloud = cloud
        self._agenda = agenda
        self._uuids = uuids
        self._of_uuid = {uuid: index for index, uuid in enumerate(uuids)}
        self._of_address = {ip: index for index, ip in enumerate(addresses)}
        self._tell = tell
        self._event: Event = DeadlineReached()
        self._key = ""
        self._lines: list[Line] = []
        self._index = NOBODY
        self._decoders: dict[int, mqtt.Decoder] = {}
        self._of_conn: dict[int, int] = {}

    @property
    def _node(self) -> Cloud:
        assert self._cloud.node is not None, "it is told of while it is up"
        return self._cloud.node

    def started(self) -> None:
        """Tell that it is there, for the first time or again; it knows no client any more."""
        self._decoders.clear()
        self._of_conn.clear()
        self._tell(LIFE, NOBODY, (Line(CLOUD, "takes connections from now on"),))

    # --- what comes in --------------------------------------------------------------------------

    def arrived(self, event: Event) -> None:
        """Take what the cloud is about to be told, while it is as it was."""
        self._event, self._index, self._lines = event, NOBODY, []
        if isinstance(event, HttpRequested):
            self._lines += self._asked(event)
        elif isinstance(event, StreamReceived):
            self._lines += self._heard(event)
        elif isinstance(event, StreamClosed):
            self._decoders.pop(event.conn, None)
            self._index = self._of_conn.pop(event.conn, NOBODY)
            self._lines.append(Line(CLOUD, "its MQTT client is gone"))

    def _asked(self, request: HttpRequested) -> Iterator[Line]:
        handler = self._node.handler_of(request)
        self._index = self._of_address.get(request.headers.get("x-peer-ip", ""), NOBODY)
        if self._index != NOBODY:
            self._key = self._key_for(request)
            told = wire_words.request(request.target, request.body)
            yield Line(CLOUD, f"<- {told}", place_of(handler))
            return
        name = getattr(handler, "__name__", "").strip("_").replace("_", " ")
        path = wire_words.path_shown(request.target)
        turn = Turn.UNBIND if handler is order_unbind_token else None
        text = f"{name}: {request.method} {path}"
        batch = dict(parse_qsl(urlsplit(request.target).query)).get("batch", "")
        yield Line(self._caller(request), text, place_of(handler), turn=turn, batch=batch)

    def _key_for(self, request: HttpRequested) -> str:
        """Return the key that a device's call is signed with, by the books."""
        devices = self._node.state.devices
        try:
            query = atop.decode_query(request.target)
        except PeerError:
            return ""
        device = devices.get(query.uuid) if query.uuid else devices.by_dev_id(query.dev_id or "")
        if device is None:
            return ""
        return device.auth_key if query.uuid else device.sec_key

    def _caller(self, request: HttpRequested) -> str:
        state, token = self._node.state, request.authorization.removeprefix(_BEARER)
        for kind in (CONSOLE, APP):
            try:
                name = state.sessions.subject(kind, token, self._agenda.now_ms)
            except Refused:
                continue
            user = state.users.get(name)
            return name if user is None else user.name
        return cloud_words.name_given(request.body) or "somebody"

    def _heard(self, event: StreamReceived) -> Iterator[Line]:
        decoder = self._decoders.setdefault(event.conn, mqtt.Decoder())
        try:
            packets = decoder.feed(event.data)
        except PeerError:
            packets = []
        for packet in packets:
            if isinstance(packet, mqtt.Connect):
                self._of_conn[event.conn] = self._index_of(packet.client_id)
        self._index = self._of_conn.get(event.conn, NOBODY)
        told = wire_words.said(packets, self._keys(self._index))
        place = place_of(self._act(packets[0])) if packets else ""
        aside = all(isinstance(one, _ASIDE) for one in packets)
        yield Line(
            CLOUD, f"<- MQTT {told or 'part of a packet'}, {len(event.data)} B", place, aside
        )

    def _act(self, packet: mqtt.Packet) -> Callable[..., object]:
        """Return what takes a packet; of a message, what takes that, if it is something special."""
        broker = self._node.act_of(packet)
        if not isinstance(packet, mqtt.Publish):
            return broker
        if packet.topic.startswith("rpc/req/"):
            try:
                call = mqtt_rpc.decode_request(packet.payload)
            except PeerError:
                return broker
            return device_calls.handler_of(call.a) or broker
        message = wire_words.opened(packet.payload, self._keys(self._index))
        taker = None if message is None else self._node.taker_of(message.protocol)
        return taker or broker

    def _index_of(self, client_id: str) -> int:
        device = self._node.state.devices.by_dev_id(client_id)
        uuid = client_id.removeprefix(ACTIVATION_CLIENT) if device is None else device.uuid
        return self._of_uuid.get(uuid, NOBODY)

    def _keys(self, index: int) -> tuple[bytes, ...]:
        """Return the keys that messages to and from a device may be sealed with."""
        device = None if index == NOBODY else self._node.state.devices.get(self._uuids[index])
        if device is None:
            return ()
        return tuple(aes_key(text) for text in (device.local_key, device.auth_key) if text)

    # --- what comes out -------------------------------------------------------------------------

    def decided(self, effects: list[Effect]) -> None:
        """Tell of a step: what came in, what is committed, what is said to whom."""
        lines, self._lines = self._lines, []
        said: dict[int, bytes] = {}
        for effect in effects:
            if isinstance(effect, SendStream):
                said[effect.conn] = said.get(effect.conn, b"") + effect.data
            else:
                lines += self._done(effect)
        for conn, data in said.items():
            self._said(conn, data, lines)
        if isinstance(self._event, StreamClosed) and len(lines) == 1:  # it had said goodbye
            lines = [msgspec.structs.replace(lines[0], aside=True)]
        self._tell(CLOUD, self._index, tuple(lines))
        self._event, self._index = DeadlineReached(), NOBODY

    def _done(self, effect: Effect) -> Iterator[Line]:
        if isinstance(effect, Commit):
            batch = cloud_words.batch(effect.changes)
            verb = "commits"
            for text in wrap("; ".join(cloud_words.kept(effect.changes)), _COMMIT_WIDTH):
                yield Line(CLOUD, f"{verb:<7} {text}", batch=batch)
                verb = ""
        elif isinstance(effect, PushRaised):
            kind = effect.biz_code or "a status report"
            yield Line(CLOUD, f"pushes {kind} to the developers", aside=True)
        elif isinstance(effect, CloseStream):
            yield Line(CLOUD, "closes an MQTT connection", aside=True)
        elif isinstance(effect, SendReply) and isinstance(self._event, HttpRequested):
            yield Line(CLOUD, f"-> {cloud_words.answer(self._event, effect, self._key)}")

    def _said(self, conn: int, data: bytes, lines: list[Line]) -> None:
        """Add what a client of the broker is told, to its own story if the step is another's."""
        index = self._of_conn.get(conn, NOBODY)
        told = wire_words.packets(data, self._keys(index))
        line = Line(CLOUD, f"-> MQTT {told}", aside=told.startswith(_ASIDE_ANSWERS))
        if index == self._index:
            lines.append(line)
        else:
            self._tell(CLOUD, index, (line,))
