"""Tokens of the Open API: how a project proves for two hours that it is itself, or acts for a user.

In simple mode a project has one pair of tokens per data centre. In authorization-code mode a
consumer consents, which makes a code; the project redeems it for a pair that carries the
consumer's uid. Who is a user of one of its apps may as well log in through it, which makes the
same kind of pair. An access token lives two hours. A refresh token works once, whenever that is: it
makes a new pair, and the old one ends. A consent ends by itself after two hours and cannot be
revoked ("Get a Token", "Open API FAQ", "Associated user authorized login", developer.tuya.com).

Tokens are kept as they are, since a repeated request is answered with the same pair; they are
found by their hashes, so that the time it takes tells nothing about a token that is almost right.
"""

from fleet.cloud.keys import LOWER, Entropy, random_text, session_hash
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

_TOKEN_BYTES = 16
_CODE_LENGTH = 32


class OpenToken(Record, gc=False):
    """The pair of a project in one data centre; `uid` is who let it act, "" in simple mode.

    `ends_ms` is when that person's consent ends; 0 where there is none: in simple mode, and for
    a user of the project who logged in.
    """

    TABLE = "open_tokens"
    KEY = ("access_id", "region", "uid")

    access_id: str
    region: str
    uid: str
    access_token: str
    refresh_token: str
    expires_ms: int
    ends_ms: int = 0

    def remaining_s(self, now_ms: int) -> int:
        """Return the seconds that the access token still lives, rounded up."""
        return -(-max(0, self.expires_ms - now_ms) // 1000)

    def __repr__(self) -> str:
        """Show whose it is, not the tokens."""
        return f"OpenToken({self.access_id!r}, {self.region!r}, uid={self.uid!r})"


class OpenCode(Record, gc=False):
    """A consumer's consent that the project has not redeemed yet; the latest one counts."""

    TABLE = "open_codes"
    KEY = ("access_id", "uid")

    access_id: str
    uid: str
    code: str
    expires_ms: int

    def __repr__(self) -> str:
        """Show between whom it is, not the code."""
        return f"OpenCode({self.access_id!r}, uid={self.uid!r})"


class OpenTokens:
    """All pairs and codes."""

    def __init__(
        self, settings: Settings, load: Loader, journal: Journal, entropy: Entropy
    ) -> None:
        """Take the stored pairs and codes."""
        self._settings = settings
        self._entropy = entropy
        self._tokens: Ledger[OpenToken] = Ledger(OpenToken, load, journal)
        self._codes: Ledger[OpenCode] = Ledger(OpenCode, load, journal)
        self._by_access = {session_hash(token.access_token): token for token in self._tokens}
        self._by_refresh = {session_hash(token.refresh_token): token for token in self._tokens}
        self._by_code = {session_hash(code.code): code for code in self._codes}
        self._by_uid: dict[str, dict[tuple[str, str], OpenToken]] = {}
        for token in self._tokens:
            self._file(token)

    # --- getting tokens -------------------------------------------------------------------------

    def simple(self, access_id: str, region: str, now_ms: int) -> OpenToken:
        """Return the pair of simple mode: the one that is alive, or else a new one."""
        kept = self._tokens.get((access_id, region, ""))
        if kept is not None and now_ms < kept.expires_ms and self._settings.open_token_same:
            return kept
        return self._issue(access_id, region, "", now_ms, 0)

    def consent(self, access_id: str, uid: str, now_ms: int) -> OpenCode:
        """Make the code by which the project may act for `uid`; an earlier code ends.

        Refused when there are too many consents.
        """
        before = self._codes.get((access_id, uid))
        if before is not None:
            self._forget_code(before)
        self._make_room(now_ms)
        text = random_text(self._entropy, _CODE_LENGTH, LOWER)
        expires_ms = now_ms + self._settings.open_code_life_s * 1000
        code = self._codes.put(OpenCode(access_id, uid, text, expires_ms))
        self._by_code[session_hash(text)] = code
        return code

    def consented(self, access_id: str, code: str, now_ms: int) -> OpenCode:
        """Return the consent that a code stands for. OpenRefused (1107) for any other code."""
        kept = self._by_code.get(session_hash(code))
        if kept is None or kept.access_id != access_id or now_ms >= kept.expires_ms:
            raise OpenRefused(Code.CODE_INVALID)
        return kept

    def redeem(self, access_id: str, region: str, code: str, now_ms: int) -> OpenToken:
        """Return the pair that a code is good for, once. OpenRefused (1107) for any other code."""
        kept = self.consented(access_id, code, now_ms)
        self._forget_code(kept)
        ends_ms = now_ms + self._settings.open_grant_life_s * 1000
        return self._issue(access_id, region, kept.uid, now_ms, ends_ms)

    def log_in(self, access_id: str, region: str, uid: str, now_ms: int) -> OpenToken:
        """Return the pair of a user who has proved who it is: the one that is alive, or a new one.

        While a consent of that user lasts, the pair ends with it. Refused when there are too many.
        """
        kept = self._tokens.get((access_id, region, uid))
        if kept is not None and now_ms < kept.expires_ms and self._settings.open_token_same:
            return kept
        if kept is None:
            self._make_room(now_ms)
        ends_ms = kept.ends_ms if kept is not None and now_ms < kept.ends_ms else 0
        return self._issue(access_id, region, uid, now_ms, ends_ms)

    def refresh(self, access_id: str, region: str, refresh_token: str, now_ms: int) -> OpenToken:
        """Return a new pair for the old one, which ends. OpenRefused (1010) for any other token."""
        kept = self._by_refresh.get(session_hash(refresh_token))
        if kept is None or (kept.access_id, kept.region) != (access_id, region):
            raise OpenRefused(Code.TOKEN_INVALID)
        if kept.ends_ms and now_ms >= kept.ends_ms:
            raise OpenRefused(Code.TOKEN_INVALID)
        return self._issue(access_id, region, kept.uid, now_ms, kept.ends_ms)

    def associated(self, access_id: str, region: str, uid: str, now_ms: int) -> OpenToken:
        """Return the pair of a consumer whose consent lasts. OpenRefused (1107) for any other."""
        kept = self._tokens.get((access_id, region, uid))
        if kept is None or now_ms >= min(kept.ends_ms, kept.expires_ms):
            raise OpenRefused(Code.CODE_INVALID)
        return kept

    # --- what they are good for -----------------------------------------------------------------

    def holder(self, access_id: str, region: str, access_token: str, now_ms: int) -> str:
        """Return the uid that an access token carries, "" in simple mode.

        OpenRefused: 1002 for no token, 1010 for one that is unknown here or has expired.
        """
        if not access_token:
            raise OpenRefused(Code.TOKEN_NULL)
        kept = self._by_access.get(session_hash(access_token))
        if (
            kept is None
            or (kept.access_id, kept.region) != (access_id, region)
            or now_ms >= kept.expires_ms
        ):
            raise OpenRefused(Code.TOKEN_INVALID)
        return kept.uid

    def granted_by(self, uid: str, now_ms: int) -> list[str]:
        """Return the access ids of the projects that consumer `uid` lets act now, sorted."""
        consents = self._by_uid.get(uid)
        if consents is None:  # so it is for nearly everybody
            return []
        return sorted({token.access_id for token in consents.values() if now_ms < token.ends_ms})

    # --- details --------------------------------------------------------------------------------

    def _issue(self, access_id: str, region: str, uid: str, now_ms: int, ends_ms: int) -> OpenToken:
        before = self._tokens.get((access_id, region, uid))
        if before is not None:
            self._unlist(before)
        expires_ms = now_ms + self._settings.open_token_life_s * 1000
        token = self._tokens.put(
            OpenToken(
                access_id=access_id,
                region=region,
                uid=uid,
                access_token=self._entropy(_TOKEN_BYTES).hex(),
                refresh_token=self._entropy(_TOKEN_BYTES).hex(),
                expires_ms=min(expires_ms, ends_ms) if ends_ms else expires_ms,
                ends_ms=ends_ms,
            )
        )
        self._by_access[session_hash(token.access_token)] = token
        self._by_refresh[session_hash(token.refresh_token)] = token
        self._file(token)
        return token

    def _file(self, token: OpenToken) -> None:
        self._by_uid.setdefault(token.uid, {})[token.access_id, token.region] = token

    def _unlist(self, token: OpenToken) -> None:
        del self._by_access[session_hash(token.access_token)]
        del self._by_refresh[session_hash(token.refresh_token)]
        consents = self._by_uid[token.uid]
        del consents[token.access_id, token.region]
        if not consents:
            del self._by_uid[token.uid]

    def _forget_code(self, code: OpenCode) -> None:
        self._codes.remove(code)
        del self._by_code[session_hash(code.code)]

    def _make_room(self, now_ms: int) -> None:
        """Forget what has ended once there is no room for more; Refused when all of it lasts."""
        limit = self._settings.open_grants_max
        if len(self._tokens) + len(self._codes) < limit:
            return
        for code in [code for code in self._codes if now_ms >= code.expires_ms]:
            self._forget_code(code)
        for token in [token for token in self._tokens if token.uid and _idle(token, now_ms)]:
            self._unlist(token)
            self._tokens.remove(token)
        if len(self._tokens) + len(self._codes) >= limit:
            raise Refused(Reason.TOO_MANY, "wait until somebody's consent ends")


def _idle(token: OpenToken, now_ms: int) -> bool:
    """Tell whether a user's pair is over; who is logged in may come back, but can log in again."""
    return (token.ends_ms or token.expires_ms) <= now_ms
