"""Who looks at the pages: one session for each browser, known by a cookie.

A session says whether its browser has given the password, and holds what a room keeps for it. Its
proof against forged requests is a second secret, which only a page of ours can have read.
"""

import secrets
from collections import OrderedDict

from fleet.cloud.keys import secret_fits

COOKIE = "fleet_session"
SESSIONS_MAX = 1000
IDLE_S_MAX = 12 * 3600
_SECRET_BYTES = 24


class Session:
    """One browser. `kept` is for rooms, by their names: whatever they want to find again."""

    def __init__(self, now_s: float, *, trusted: bool) -> None:
        """Begin with new secrets."""
        self.id = secrets.token_urlsafe(_SECRET_BYTES)
        self.proof = secrets.token_urlsafe(_SECRET_BYTES)
        self.trusted = trusted
        self.used_s = now_s
        self.kept: dict[str, object] = {}

    def __repr__(self) -> str:
        """Show neither secret."""
        return f"Session(trusted={self.trusted})"

    def proves(self, proof: str) -> bool:
        """Say whether this is the proof that only its own pages can know."""
        return secret_fits(proof, self.proof)


class Sessions:
    """All sessions, the least used first; there is a bound, and idle ones end."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_id: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_id)

    def find(self, session_id: str, now_s: float) -> Session | None:
        """Return the session with this id, if it has not been idle for too long."""
        session = self._by_id.get(session_id)
        if session is None:
            return None
        if now_s - session.used_s > IDLE_S_MAX:
            del self._by_id[session_id]
            return None
        session.used_s = now_s
        self._by_id.move_to_end(session_id)
        return session

    def begin(self, now_s: float, *, trusted: bool) -> Session:
        """Return a new session; if there are too many, the one that was idle longest ends."""
        session = Session(now_s, trusted=trusted)
        self._by_id[session.id] = session
        if len(self._by_id) > SESSIONS_MAX:
            self._by_id.popitem(last=False)
        return session

    def end(self, session: Session) -> None:
        """Forget a session."""
        self._by_id.pop(session.id, None)
