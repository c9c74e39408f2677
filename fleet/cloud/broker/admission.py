"""Who is let in: the answer to a CONNECT, and who is known by which client id.

Source: OASIS MQTT Version 3.1.1, sections 3.1 and 3.2.
"""

from collections import Counter

from firmware_sim.wire import mqtt
from fleet.cloud.broker.limits import BrokerSettings
from fleet.cloud.broker.session import Session
from fleet.cloud.broker.shelf import Shelf
from fleet.cloud.happenings import Directories, Directory

ACCEPTED = 0  # CONNACK return codes, section 3.2.2.3
BAD_PROTOCOL_LEVEL = 1
BAD_CLIENT_ID = 2
UNAVAILABLE = 3
NOT_AUTHORIZED = 5


class Admission:
    """All sessions by client id: those with a connection in `clients`, lasting ones in `kept`."""

    def __init__(self, directories: Directories, settings: BrokerSettings, shelf: Shelf) -> None:
        """Know nobody yet."""
        self._directories = directories
        self._settings = settings
        self._shelf = shelf
        self.clients: dict[str, Session] = {}
        self.kept: dict[str, Session] = {}
        self._guests: Counter[str] = Counter()  # sessions by user name

    def note(self, session: Session) -> None:
        """Count a session that begins."""
        if session.backlog is not None:
            self._guests[session.username] += 1
        if session.lasting:
            self.kept[session.client_id] = session

    def forget(self, session: Session) -> None:
        """Forget one that ends."""
        if session.lasting:
            del self.kept[session.client_id]
        if session.backlog is not None:
            self._guests[session.username] -= 1
            if not self._guests[session.username]:
                del self._guests[session.username]

    def guests_called(self, username: str) -> list[Session]:
        """Return the sessions of all guests with a name, with connections and without."""
        everybody = {**self.kept, **self.clients}
        return [
            session
            for session in everybody.values()
            if session.backlog is not None and session.username == username
        ]

    def known(self, session: Session) -> bool:
        """Return whether the directory that let a client in still knows it."""
        found = self._directories.of(session.client_id, session.username)
        return found is session.directory

    def decide(
        self, packet: mqtt.Connect, conn: int, now_ms: int
    ) -> tuple[int, str, Directory | None]:
        """Return the CONNACK code, the client id, and who decides about the client.

        One that comes without an id is given one that nobody has [MQTT-3.1.3-6].
        """
        username = packet.username or ""
        directory = self._directories.of(packet.client_id, username)
        client_id = packet.client_id or self._free_id(conn, username, directory)
        return self._code(packet, client_id, directory, now_ms), client_id, directory

    def _code(
        self, packet: mqtt.Connect, client_id: str, directory: Directory | None, now_ms: int
    ) -> int:
        clean = packet.clean_session
        if len(client_id) > self._settings.client_id_size_max or not (packet.client_id or clean):
            return BAD_CLIENT_ID  # [MQTT-3.1.3-7, MQTT-3.1.3-8]
        if directory is None:
            return NOT_AUTHORIZED
        guests = directory.guests
        if not packet.client_id and guests is None:
            return BAD_CLIENT_ID
        username = packet.username or ""
        password = (packet.password or "").encode("utf-8", "surrogateescape")
        code = directory.admit(packet.client_id, username, password, now_ms)
        if code != ACCEPTED or guests is None:
            return code
        if not clean and client_id not in self.kept and self._shelf.full:
            return UNAVAILABLE
        older = self.clients.get(client_id) or self.kept.get(client_id)
        if older is None:
            return UNAVAILABLE if self._guests[username] >= guests.connections_max else ACCEPTED
        # Nobody takes over what belongs to somebody else.
        same = older.backlog is not None and older.username == username
        return ACCEPTED if same else BAD_CLIENT_ID

    def _free_id(self, conn: int, username: str, directory: Directory | None) -> str:
        client_id = f"auto-{conn}"
        while (
            client_id in self.clients
            or client_id in self.kept
            or self._directories.of(client_id, username) is not directory
        ):
            client_id += "-"
        return client_id
