"""A LAN client on the stage: it speaks one version to the device and reads what comes back."""

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.wire import lan_body, lan_message, lan_session
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.lan_frame import Command, Frame, cut
from firmware_sim.wire.lan_version import LanVersion
from tests.device.stage import DEV_ID, LOCAL_KEY, Stage, online

RANDOM = bytes(range(16))
NONCE = bytes(12)


def bound(version: LanVersion, profile: str = "gateway") -> Stage:
    """Return a stage with a device that is online and speaks `version` on its LAN."""
    stage = online(profile)
    stage.device.lan_version = version
    return stage


def settable(stage: Stage) -> tuple[int, bool]:
    """Return a switch of the device and what it is not yet."""
    for point in stage.device.profile.data_points:
        if point.mode == "rw" and isinstance(point.initial, bool):
            return point.id, not point.initial
    raise AssertionError("no switch in this profile")


class Peer:
    """One connection. Answers are `Frame`s whose payload is the plain body."""

    def __init__(self, stage: Stage, version: LanVersion, conn: int = 1) -> None:
        self.stage = stage
        self.version = version
        self.conn = conn
        self.key = LOCAL_KEY.encode()
        self.sequence = 0
        stage.tell(ev.LanOpened(conn))

    def negotiated(self) -> "Peer":
        """Agree on a session key, if this version has one."""
        if self.version.negotiates:
            (response,) = self.ask(Command.SESSION_START, RANDOM)
            theirs = lan_session.check_response(response.payload, self.key, RANDOM)
            assert self.ask(Command.SESSION_FINISH, lan_session.finish(self.key, theirs)) == []
            self.key = lan_session.session_key(self.version, self.key, RANDOM, theirs)
        return self

    def frame(self, command: int, body: bytes = b"") -> bytes:
        """Return the bytes of the next request."""
        self.sequence += 1
        frame = Frame(self.sequence, command, body)
        return lan_message.seal(frame, self.version, self.key, nonce=NONCE)

    def ask(self, command: int, body: bytes = b"") -> list[Frame]:
        """Send a request; return what this client hears in the same step."""
        return self.send(self.frame(command, body))

    def send(self, data: bytes) -> list[Frame]:
        return self.heard(self.stage.tell(ev.LanReceived(self.conn, data)))

    def heard(self, effects: list[fx.Effect]) -> list[Frame]:
        """Return the frames for this client among effects."""
        return [
            self.open(effect.data)
            for effect in effects
            if isinstance(effect, fx.LanSend) and effect.conn == self.conn
        ]

    def open(self, data: bytes) -> Frame:
        frame = lan_message.unframe(cut(data), self.version, self.key, from_device=True)
        body = lan_message.reveal(frame, self.version, self.key)
        return Frame(frame.sequence, frame.command, body, frame.return_code)

    @property
    def closed(self) -> bool:
        return fx.LanClose(self.conn) in self.stage.said

    def query(self, cid: str | None = None) -> list[Frame]:
        body = lan_body.encode_query(self.version, DEV_ID, 1, cid)
        return self.ask(lan_body.query_command(self.version), body)

    def control(self, dps: dict[int, Value], cid: str | None = None) -> list[Frame]:
        body = lan_body.encode_control(self.version, DEV_ID, 1, dps, cid)
        return self.ask(lan_body.control_command(self.version), body)
