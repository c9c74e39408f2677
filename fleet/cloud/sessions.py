"""Logins of console and consumer app: bearer tokens, of which only a hash is kept.

They are records, so that a cloud that was killed and started again still knows who is logged in.
"""

from fleet.cloud.keys import Entropy, random_text, session_hash
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

CONSOLE = "console"
APP = "app"

_TOKEN_LENGTH = 32


class Session(Record, gc=False):
    """One login: of an account in the console, or of a consumer (by uid) in the app."""

    TABLE = "sessions"
    KEY = ("token_hash",)

    token_hash: str
    kind: str
    subject: str
    expires_ms: int


class Sessions:
    """All logins that may still be alive."""

    def __init__(
        self, settings: Settings, load: Loader, journal: Journal, entropy: Entropy
    ) -> None:
        """Take the stored logins."""
        self._settings = settings
        self._entropy = entropy
        self._sessions: Ledger[Session] = Ledger(Session, load, journal)
        self._by_subject: dict[tuple[str, str], list[Session]] = {}
        for session in self._sessions:
            self._by_subject.setdefault((session.kind, session.subject), []).append(session)

    def open(self, kind: str, subject: str, now_ms: int) -> str:
        """Log `subject` in and return the bearer token; its dead and surplus logins end."""
        mine = self._by_subject.setdefault((kind, subject), [])
        mine.sort(key=lambda session: session.expires_ms)
        while mine and (
            mine[0].expires_ms <= now_ms or len(mine) >= self._settings.sessions_per_subject_max
        ):
            self._sessions.remove(mine.pop(0))
        token = random_text(self._entropy, _TOKEN_LENGTH)
        expires_ms = now_ms + self._settings.session_life_s * 1000
        mine.append(self._sessions.put(Session(session_hash(token), kind, subject, expires_ms)))
        return token

    def end_all(self, kind: str, subject: str) -> None:
        """Log `subject` out everywhere."""
        for session in self._by_subject.pop((kind, subject), []):
            self._sessions.remove(session)

    def subject(self, kind: str, token: str, now_ms: int) -> str:
        """Return who `token` belongs to. Refused when it is unknown, expired or of another kind."""
        session = self._sessions.get(session_hash(token))
        if session is None or session.kind != kind or session.expires_ms <= now_ms:
            raise Refused(Reason.NO_SESSION, "log in first")
        return session.subject
