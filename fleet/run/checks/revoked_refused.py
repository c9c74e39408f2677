"""A revoked or replaced key is never accepted again, and nothing is said to a session that has one.

From the moment at which the disk has it: no CONNECT with such a key that arrives later is let in, no
call that is signed with it succeeds, and a session of a replaced key ends. With a revoked key a
device may only ask what has become of it. A device that knows of its reset has no other, and one that
gets an owner has a new one.
"""

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.errors import BadChecksum, PeerError
from firmware_sim.events import Event
from firmware_sim.wire import atop, atop_messages, atop_old, mqtt, mqtt_payload
from fleet.cloud.devices import Device
from fleet.cloud.messages import HttpRequested, SendStream
from fleet.run.checks.keyring import Standing
from fleet.run.checks.scene import Checker, Scene

QUESTIONS = (
    atop_messages.INFO_SYNC.name,
    atop_messages.DELETE_STATUS_GET.name,
    atop_messages.EXIST.name,
    atop_old.EXIST.name,
)
"""What a device may ask with a revoked key: whose it is."""
ENDS_MS = 1_000
"""So long after its key was replaced a session may stand: its end leaves with the answer."""


class _Held(msgspec.Struct, frozen=True):
    """A device and a key that somebody came with."""

    uuid: str
    key: str


class Watcher(Checker):
    """Looks at whoever comes with a key: over MQTT, and with a call."""

    def __init__(self, scene: Scene) -> None:
        """Know the keys that were given."""
        super().__init__(scene)
        self._keys = scene.keys
        self._doomed: dict[int, _Held] = {}  # CONNECTs by connection
        self._calls: dict[int, tuple[_Held, atop.Query]] = {}  # by exchange
        self._sessions: dict[int, _Held] = {}
        self._conns: dict[str, dict[int, None]] = {}  # of the sessions, by uuid
        self._ended_ms: dict[int, int] = {}  # sessions whose key was replaced, and when
        self._lasting: dict[int, None] = {}  # those of them that nobody was told of
        scene.books.look(Device, self._changed)

    # --- over MQTT ------------------------------------------------------------------------------

    def knocked(self, conn: int, packet: mqtt.Connect) -> None:
        """Remember who comes with a key that is void by now."""
        held = self._by_password(packet)
        if held is not None and self._void(held):
            self._doomed[conn] = held

    def admitted(self, conn: int, packet: mqtt.Connect) -> None:
        """Look whether somebody was let in with a key that was void already when he came."""
        held = self._doomed.pop(conn, None)
        if held is not None and self._void(held):
            standing = self._standing(held).name.lower()
            self.violated(held.uuid, f"was let in with a {standing} key")
        held = self._by_password(packet)
        if held is not None:
            self._sessions[conn] = held
            self._conns.setdefault(held.uuid, {})[conn] = None

    def gone(self, conn: int) -> None:
        """Forget a connection."""
        self._doomed.pop(conn, None)
        held = self._sessions.pop(conn, None)
        if held is not None:
            del self._conns[held.uuid][conn]
        self._ended_ms.pop(conn, None)
        self._lasting.pop(conn, None)

    def told(self, effect: Effect) -> None:
        """Look whether a session is spoken with whose key was replaced."""
        if not isinstance(effect, SendStream) or effect.conn not in self._ended_ms:
            return
        # In the same millisecond, what was decided before may be on its way still.
        if self.scene.now_ms > self._ended_ms[effect.conn]:
            uuid = self._sessions[effect.conn].uuid
            self.violated(uuid, "is spoken with in a session of a replaced key")

    def written(self) -> None:
        """Look whether a session stands for too long whose key was replaced."""
        self._look_for_old_sessions()

    def ended(self) -> None:
        """Look once more."""
        self._look_for_old_sessions()

    def _look_for_old_sessions(self) -> None:
        if not self._lasting:
            return
        late_ms = self.scene.now_ms - ENDS_MS
        for conn in [conn for conn in self._lasting if self._ended_ms[conn] < late_ms]:
            del self._lasting[conn]
            self.violated(self._sessions[conn].uuid, "has a session of a replaced key still")

    def _changed(self, before: Device | None, after: Device | None) -> None:
        if after is not None and after.reset_told and not after.revoked:
            self.violated(after.uuid, "knows of its reset, and its key is not revoked")
        if before is None or after is None or not before.sec_key:
            return
        if before.sec_key == after.sec_key:
            if after.owner not in ("", before.owner):
                self.violated(after.uuid, "has another owner, and the key that it had before")
            return
        for conn in self._conns.get(after.uuid, ()):
            if self._sessions[conn].key == before.sec_key:
                self._ended_ms[conn] = self.scene.now_ms
                self._lasting[conn] = None

    # --- calls ----------------------------------------------------------------------------------

    def arrived(self, event: Event) -> None:
        """Remember a call that is signed with a key that is void by now."""
        if not isinstance(event, HttpRequested) or not event.target.startswith(_PATHS):
            return
        try:
            query = atop.decode_query(event.target)
        except PeerError:
            return
        device = self._keys.by_dev_id(query.dev_id or "")
        if device is None:
            return
        held = self._by_signature(device, query)
        if held is None or not self._void(held):
            return
        if self._standing(held) is Standing.REPLACED or query.a not in QUESTIONS:
            self._calls[event.exchange] = held, query

    def answered(self, request: HttpRequested, body: bytes) -> None:
        """Look whether such a call has succeeded."""
        call = self._calls.pop(request.exchange, None)
        if call is None or not self._void(call[0]):
            return
        held, query = call
        try:
            inner = atop.decode_inner(atop.decode_reply(body, held.key, query.et))
        except PeerError:
            return
        if inner.success:
            standing = self._standing(held).name.lower()
            self.violated(held.uuid, f"was answered to {query.a} with a {standing} key")

    def crashed(self) -> None:
        """Forget everybody: nobody is answered, and no session stands."""
        for kept in (
            *(self._doomed, self._calls, self._sessions),
            *(self._conns, self._ended_ms, self._lasting),
        ):
            kept.clear()

    # --- keys -----------------------------------------------------------------------------------

    def _by_password(self, packet: mqtt.Connect) -> _Held | None:
        device = self._keys.by_dev_id(packet.client_id)
        if device is None:
            return None
        keys = self._keys.given(device.uuid)
        fits = (key for key in keys if mqtt_payload.mqtt_password(key) == packet.password)
        key = next(fits, None)
        return _Held(device.uuid, key) if key is not None else None

    def _by_signature(self, device: Device, query: atop.Query) -> _Held | None:
        for key in self._keys.given(device.uuid):
            try:
                atop.check_sign(query, key)
            except BadChecksum:
                continue
            return _Held(device.uuid, key)
        return None

    def _standing(self, held: _Held) -> Standing:
        return self._keys.standing(self._keys.devices[held.uuid], held.key)

    def _void(self, held: _Held) -> bool:
        return self._standing(held) in (Standing.REVOKED, Standing.REPLACED)


_PATHS = (atop.PATH, atop.OLD_PATH)
