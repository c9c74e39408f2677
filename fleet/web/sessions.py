"""Who looks at the pages: one session for each browser, known by a cookie.

A session says whether its browser has given the password, and holds what a room keeps for it. Its
proof against forged requests is a second secret, which only a page of ours can have read.
"""

import asyncio
import secrets
from collections import OrderedDict

from fleet.cloud.keys import secret_fits

COOKIE = "fleet_session"
SESSIONS_MAX = 1000
IDLE_S_MAX = 12 * 3600
_SECRET_BYTES = 24


class Session:
    """One browser. `kept` is for rooms, by their names: whatever they want to find again.

    `over` is set when it ends: streams that were begun in it end then too.
    """

    def __init__(self, now_s: float, *, trusted: bool) -> None:
        """Begin with new secrets."""
        self.id = secrets.token_urlsafe(_SECRET_BYTES)
        self.proof = secrets.token_urlsafe(_SECRET_BYTES)
        self.trusted = trusted
        self.used_s = now_s
        self.over = asyncio.Event()
        self.kept: dict[str, object] = {}

    def __repr__(self) -> str:
        """Show neither secret."""
        return f"Session(trusted={self.trusted})"

    def proves(self, proof: str) -> bool:
        """Say whether this is the proof that only its own pages can know."""
        return secret_fits(proof, self.proof)


class Sessions:
    """All sessions, the least used first; there is a bound, and idle ones end.

    Whoever takes a new session with each request pushes out others that nobody has come back to:
    trusted ones that somebody has come back to are kept apart.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._new: OrderedDict[str, Session] = OrderedDict()
        self._known: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._new) + len(self._known)

    def find(self, session_id: str, now_s: float) -> Session | None:
        """Return the session with this id, if it has not been idle for too long."""
        self.expire(now_s)
        session = self._new.pop(session_id, None) or self._known.pop(session_id, None)
        if session is None:
            return None
        session.used_s = now_s
        (self._known if session.trusted else self._new)[session_id] = session
        return session

    def begin(self, now_s: float, *, trusted: bool) -> Session:
        """Return a new session; if there are too many, one that was idle for long ends."""
        self.expire(now_s)
        session = Session(now_s, trusted=trusted)
        self._new[session.id] = session
        if len(self) > SESSIONS_MAX:
            crowd = self._new if len(self._new) > SESSIONS_MAX // 2 else self._known
            self.end(next(iter(crowd.values())))
        return session

    def end(self, session: Session) -> None:
        """Forget a session."""
        self._new.pop(session.id, None)
        self._known.pop(session.id, None)
        session.over.set()

    def expire(self, now_s: float) -> None:
        """End those that have been idle for too long."""
        for sessions in (self._new, self._known):
            while sessions:
                idlest = next(iter(sessions.values()))
                if now_s - idlest.used_s <= IDLE_S_MAX:
                    break
                self.end(idlest)
