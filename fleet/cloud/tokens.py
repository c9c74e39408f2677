"""Pairing and unbinding tokens: what a QR code or a LAN frame carries into a device.

The text has 14 characters: region (2), token (8), secret (4); firmware sends only the middle 8
with its activation (tuya/TuyaOpen, src/tuya_cloud_service/netmgr/netconn_wifi.c; "Generate
Pairing Token", developer.tuya.com). A pairing token binds one device and dies of it. An unbinding
token is ours in form, as the vendor publishes none: it releases up to 30 devices.

Dead tokens are remembered, up to a number per person, so that a refusal by one of them can be
shown to whoever made it. Anybody may register as a consumer, so the pairing tokens of all of them
together have a bound as well.
"""

import msgspec

from firmware_sim.wire.provisioning import TokenParts
from fleet.cloud.devices import Site
from fleet.cloud.keys import LOWER, Entropy, random_text
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

FAILURES_MAX = 16

_TOKEN_LENGTH = 8
_BATCH_LENGTH = 12


class PairFailure(msgspec.Struct, frozen=True):
    """A device that tried a pairing token in vain."""

    uuid: str
    reason: str


class PairToken(Record):
    """Binds one device to consumer `uid`, at `site`. `spent_by` is the uuid of what it bound."""

    TABLE = "pair_tokens"
    KEY = ("token",)

    token: str
    text: str
    uid: str
    expires_ms: int
    spent_by: str = ""
    failed: tuple[PairFailure, ...] = ()
    site: Site = Site()

    def alive(self, now_ms: int) -> bool:
        """Tell whether the token can still bind a device."""
        return not self.spent_by and now_ms < self.expires_ms

    def __repr__(self) -> str:
        """Show whose it is, not the token."""
        return f"PairToken(uid={self.uid!r}, spent_by={self.spent_by!r})"


class UnbindToken(Record, gc=False):
    """Releases up to `devices_max` devices in the name of `account`; `used` were released."""

    TABLE = "unbind_tokens"
    KEY = ("token",)

    token: str
    text: str
    batch: str
    account: str
    method: str
    devices_max: int
    expires_ms: int
    used: int = 0
    cancelled: bool = False

    def alive(self, now_ms: int) -> bool:
        """Tell whether the token is neither expired nor cancelled (it may be full)."""
        return not self.cancelled and now_ms < self.expires_ms

    def __repr__(self) -> str:
        """Show the batch, not the token."""
        return f"UnbindToken(batch={self.batch!r}, account={self.account!r}, used={self.used})"


class Tokens:
    """All tokens that are alive or still remembered."""

    def __init__(
        self, settings: Settings, load: Loader, journal: Journal, entropy: Entropy
    ) -> None:
        """Take the stored tokens."""
        self._settings = settings
        self._entropy = entropy
        self._pair: Ledger[PairToken] = Ledger(PairToken, load, journal)
        self._unbind: Ledger[UnbindToken] = Ledger(UnbindToken, load, journal)
        self._by_batch = {token.batch: token.token for token in self._unbind}
        pairs = sorted(self._pair, key=lambda token: token.expires_ms)
        self._pair_order = dict.fromkeys(token.token for token in pairs)  # first to expire first
        self._held: dict[str, list[str]] = {}
        owned = [(token.expires_ms, token.uid, token.token) for token in self._pair]
        owned += [(token.expires_ms, token.account, token.token) for token in self._unbind]
        for _, subject, name in sorted(owned):
            self._held.setdefault(subject, []).append(name)

    # --- pairing --------------------------------------------------------------------------------

    def make_pair_token(
        self, uid: str, now_ms: int, *, site: Site | None = None, life_s: int | None = None
    ) -> PairToken:
        """Make a token that binds one device to consumer `uid`.

        `site` is what the device will be told to be at; its region, of two letters, begins the
        token's text. Refused when there are too many tokens.
        """
        if len(self._pair_order) >= self._settings.pair_tokens_max:
            self._forget_a_pair_token(now_ms)
        site = site or Site()
        name = self._new_name(uid, now_ms)
        self._pair_order[name] = None
        expires_ms = now_ms + (life_s or self._settings.pair_token_life_s) * 1000
        text = self._text(name, site.region)
        return self._pair.put(PairToken(name, text, uid, expires_ms, site=site))

    def pair_token(self, token: str) -> PairToken | None:
        """Return the pairing token of these 8 characters, dead or alive."""
        return self._pair.get(token)

    def spend(self, token: PairToken, uuid: str) -> PairToken:
        """Let the token die of having bound device `uuid`."""
        return self._pair.put(msgspec.structs.replace(token, spent_by=uuid))

    def note_failure(self, token: PairToken, uuid: str, reason: Reason) -> PairToken:
        """Remember for the app that `uuid` was refused; once per device and reason."""
        failure = PairFailure(uuid, reason.value)
        if failure in token.failed:
            return token
        failed = (*token.failed, failure)[-FAILURES_MAX:]
        return self._pair.put(msgspec.structs.replace(token, failed=failed))

    # --- unbinding ------------------------------------------------------------------------------

    def make_unbind_token(
        self,
        account: str,
        method: str,
        now_ms: int,
        *,
        devices_max: int | None = None,
        life_s: int | None = None,
    ) -> UnbindToken:
        """Make a token by which `account` may release devices; defaults come from the settings."""
        devices_max = devices_max or self._settings.unbind_devices_per_token_max
        life_s = life_s or self._settings.unbind_token_life_s
        if not 0 < devices_max <= self._settings.unbind_devices_per_token_max:
            limit = self._settings.unbind_devices_per_token_max
            raise Refused(Reason.BAD_REQUEST, f"a token releases 1 .. {limit} devices")
        if not 0 < life_s <= self._settings.unbind_token_life_s_max:
            limit = self._settings.unbind_token_life_s_max
            raise Refused(Reason.BAD_REQUEST, f"a token lives 1 .. {limit} s")
        name = self._new_name(account, now_ms)
        batch = random_text(self._entropy, _BATCH_LENGTH, LOWER)
        self._by_batch[batch] = name
        return self._unbind.put(
            UnbindToken(
                token=name,
                text=self._text(name),
                batch=batch,
                account=account,
                method=method,
                devices_max=devices_max,
                expires_ms=now_ms + life_s * 1000,
            )
        )

    def unbind_token(self, token: str) -> UnbindToken | None:
        """Return the unbinding token of these 8 characters, dead or alive."""
        return self._unbind.get(token)

    def batch(self, account: str, batch: str) -> UnbindToken:
        """Return the token of a batch. Refused when `account` did not make it."""
        token = self._unbind.get(self._by_batch.get(batch, ""))
        if token is None or token.account != account:
            raise Refused(Reason.NOT_FOUND, "you made no such batch")
        return token

    def batches(self, account: str) -> list[UnbindToken]:
        """Return what `account` made and is still remembered, the newest first."""
        made = map(self._unbind.get, reversed(self._held.get(account, [])))
        return [token for token in made if token is not None and token.account == account]

    def cancel(self, token: UnbindToken) -> UnbindToken:
        """Let the token release nothing more."""
        return self._unbind.put(msgspec.structs.replace(token, cancelled=True))

    def count_release(self, token: UnbindToken) -> UnbindToken:
        """Take one place of the token; the caller has made sure that one is free."""
        return self._unbind.put(msgspec.structs.replace(token, used=token.used + 1))

    # --- details --------------------------------------------------------------------------------

    def _text(self, name: str, region: str = "") -> str:
        return TokenParts(region or self._settings.region, name, self._settings.token_secret).text

    def _new_name(self, subject: str, now_ms: int) -> str:
        held = self._held.setdefault(subject, [])
        if len(held) >= self._settings.tokens_per_subject_max:
            dead = next((name for name in held if not self._alive(name, now_ms)), None)
            if dead is None:
                raise Refused(Reason.TOO_MANY, "cancel a token or wait until one expires")
            held.remove(dead)
            self._forget(dead)
        name = random_text(self._entropy, _TOKEN_LENGTH)
        held.append(name)
        return name

    def _forget_a_pair_token(self, now_ms: int) -> None:
        kept = filter(None, map(self._pair.get, self._pair_order))
        dead = next((token for token in kept if not token.alive(now_ms)), None)
        if dead is None:
            raise Refused(Reason.TOO_MANY, "wait until somebody's pairing token expires")
        self._held[dead.uid].remove(dead.token)
        self._forget(dead.token)

    def _alive(self, name: str, now_ms: int) -> bool:
        token = self._pair.get(name) or self._unbind.get(name)
        return token is not None and token.alive(now_ms)

    def _forget(self, name: str) -> None:
        pair, unbind = self._pair.get(name), self._unbind.get(name)
        if pair is not None:
            self._pair.remove(pair)
            del self._pair_order[name]
        if unbind is not None:
            self._unbind.remove(unbind)
            del self._by_batch[unbind.batch]
