"""Consumers: the people who own devices, each a user of one app in one data centre.

They register themselves from an app, or the developer of the app registers them ("Sync User
Account", developer.tuya.com). A consumer is named by a `uid` everywhere; the name is only for
logging in, and is unique within its app and data centre.

Developers hand passwords in as MD5 in hex, and what they hand in is kept as it comes: a password
in clear can be registered, but nobody logs in with it ("Open API FAQ"). So what is kept is the hash
of that digest, whoever registered the user. A user who is to be deleted stays for some days, in
which that can be taken back ("Pre-delete the user account").

Each project has one more app, that of its asset users: people who work with the devices in its
assets and have no homes. Their digest is SHA-256 ("Register User", "Log in to the Client").
"""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Container, Iterator
from enum import IntEnum
from typing import NamedTuple

import msgspec

from fleet.cloud.keys import LOWER, Entropy, hash_password, password_fits, random_text
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.ordered import Ordered
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import DAY_MS, Settings
from fleet.cloud.store.records import Record

ASSET_APPS = "assets:"
"""What the names of all apps begin with whose users are asset users; the access id follows."""

_UID_LENGTH = 20


class UsernameType(IntEnum):
    """What a user name is."""

    MOBILE = 1
    EMAIL = 2
    OTHER = 3


class App(NamedTuple):
    """One app in one data centre: the users there have names of their own."""

    region: str
    schema: str


class Profile(msgspec.Struct, frozen=True):
    """What is known of a consumer; empty texts stand for "not said". `time_zone` is a zone id.

    `country_code` is a calling code (`86`), `username_type` a value of `UsernameType`.
    """

    country_code: str = ""
    username_type: int = UsernameType.OTHER.value
    nick_name: str = ""
    time_zone: str = ""


class User(Record, gc=False):
    """One consumer. An empty `password_hash` admits nobody.

    `region` is a data centre ("": the server's own). `password_md5` says that the hash is not of
    the password but of its digest, as of everybody who registered with a later version than the
    first. `delete_at_ms` is when the user is to be deleted, or 0.
    """

    TABLE = "users"
    KEY = ("uid",)

    uid: str
    name: str
    password_hash: str
    schema: str = "fleet"
    region: str = ""
    username_type: int = UsernameType.OTHER.value
    country_code: str = ""
    nick_name: str = ""
    time_zone: str = ""
    password_md5: bool = False
    created_ms: int = 0
    updated_ms: int = 0
    delete_at_ms: int = 0

    def __repr__(self) -> str:
        """Show who it is, not what the password hashes to."""
        return f"User({self.uid!r}, {self.name!r})"


class Users:
    """All consumers."""

    def __init__(
        self, settings: Settings, load: Loader, journal: Journal, entropy: Entropy
    ) -> None:
        """Take the stored consumers."""
        self._settings = settings
        self._entropy = entropy
        self._users: Ledger[User] = Ledger(User, load, journal)
        self._by_name: dict[App, dict[str, str]] = {}
        self._order: dict[App, Ordered[tuple[int, str]]] = {}  # by time of registration
        self._leaving = sorted((user.delete_at_ms, user.uid) for user in self._users if _ends(user))
        for user in self._users:
            self._file(user)

    def __len__(self) -> int:
        """Return the number of consumers."""
        return len(self._users)

    # --- look up --------------------------------------------------------------------------------

    def get(self, uid: str) -> User | None:
        """Return the consumer of that uid."""
        return self._users.get(uid)

    def find(self, app: App, name: str) -> User | None:
        """Return the user of an app who has that name."""
        return self._users.get(self._by_name.get(app, {}).get(name, ""))

    def app(self, schema: str = "", region: str = "") -> App:
        """Return an app; without schema the one of those who belong to no developer's app."""
        return App(region or self._settings.region, schema or self._settings.app_schema)

    def app_of(self, user: User) -> App:
        """Return the app, and with it the data centre, that a user is a user of."""
        return App(user.region or self._settings.region, user.schema)

    def count(self, schemas: Container[str]) -> int:
        """Return how many users the apps of these names have, in all data centres."""
        return sum(len(order) for app, order in self._order.items() if app.schema in schemas)

    def of_apps(self, schemas: Container[str]) -> Iterator[str]:
        """Go through the uids of the users of the apps of these names, in all data centres."""
        for app, order in self._order.items():
            if app.schema in schemas:
                yield from (uid for _, uid in order.items)

    def registered(self, app: App, start_ms: int = 0, end_ms: int = 2**53) -> list[str]:
        """Return the uids of the users of an app who registered in [start, end), oldest first."""
        order = self._order.get(app, Ordered()).items
        first, last = bisect_left(order, (start_ms, "")), bisect_left(order, (end_ms, ""))
        return [uid for _, uid in order[first:last]]

    # --- transitions ----------------------------------------------------------------------------

    def register(
        self,
        name: str,
        password: str,
        uid: str = "",
        *,
        now_ms: int,
        app: App | None = None,
        profile: Profile | None = None,
        digested: bool = False,
    ) -> User:
        """Add a consumer; `uid` is drawn unless given. Refused when the app has one of that name.

        With `digested` the password is, or should be, the digest of the user's.
        """
        app = app or self.app()
        kept = password if digested or not password else _digest(app, password)
        if self.find(app, name) is not None:
            raise Refused(Reason.NAME_TAKEN, "another user has this name")
        if len(self._users) >= self._settings.users_max:
            raise Refused(Reason.TOO_MANY, "no more users can register")
        user = User(
            uid or app.region.lower() + random_text(self._entropy, _UID_LENGTH, LOWER),
            name,
            self._hash(kept),
            app.schema,
            app.region,
            **msgspec.structs.asdict(profile or Profile()),
            password_md5=True,
            created_ms=now_ms,
            updated_ms=now_ms,
        )
        self._file(user)
        return self._users.put(user)

    def update(
        self, user: User, password: str, nick_name: str, time_zone: str, now_ms: int
    ) -> User:
        """Replace a user's password (its MD5) and, unless empty, nick name and time zone."""
        return self._replace(
            user,
            password_hash=self._hash(password),
            password_md5=True,
            nick_name=nick_name or user.nick_name,
            time_zone=time_zone or user.time_zone,
            updated_ms=now_ms,
        )

    def log_in(
        self, name: str, password: str, app: App | None = None, *, digested: bool = False
    ) -> User:
        """Return the user of that name. Refused when name or password are wrong.

        With `digested` the password is the digest of the user's. It says nothing about a user of
        an old database, who has to log in with the password itself once.
        """
        app = app or self.app()
        user = self.find(app, name)
        given = password if digested else _digest(app, password)
        if user is None or not self._fits(user, password, given, digested=digested):
            raise Refused(Reason.BAD_LOGIN, "wrong name or password")
        return user if user.password_md5 else self._replace_hash(user, given)

    # --- deletion -------------------------------------------------------------------------------

    @property
    def next_deletion_ms(self) -> int | None:
        """Return when the next user is to be deleted, or None."""
        return self._leaving[0][0] if self._leaving else None

    def due(self, now_ms: int, count_max: int) -> list[User]:
        """Return the users whose days are over, so many at most, in the order of their dates."""
        ended = bisect_left(self._leaving, (now_ms + 1, ""))
        found = (self._users.get(uid) for _, uid in self._leaving[: min(ended, count_max)])
        return [user for user in found if user is not None]

    def prepare_delete(self, user: User, now_ms: int) -> User:
        """Let the user be deleted in some days; a date that stands is kept."""
        if _ends(user):
            return user
        delete_at_ms = now_ms + self._settings.user_delete_days * DAY_MS
        insort(self._leaving, (delete_at_ms, user.uid))
        return self._replace(user, delete_at_ms=delete_at_ms)

    def cancel_delete(self, user: User) -> User:
        """Let the user stay after all."""
        if not _ends(user):
            return user
        self._leaving.remove((user.delete_at_ms, user.uid))
        return self._replace(user, delete_at_ms=0)

    def remove(self, user: User) -> None:
        """Forget a user."""
        if _ends(user):
            self._leaving.remove((user.delete_at_ms, user.uid))
        app = self.app_of(user)
        del self._by_name[app][user.name]
        self._order[app].remove((user.created_ms, user.uid))
        self._users.remove(user)

    # --- details --------------------------------------------------------------------------------

    def _fits(self, user: User, password: str, digest: str, *, digested: bool) -> bool:
        if user.password_md5:
            return password_fits(digest, user.password_hash)
        return not digested and password_fits(password, user.password_hash)

    def _replace_hash(self, user: User, digest: str) -> User:
        return self._replace(user, password_hash=self._hash(digest), password_md5=True)

    def _hash(self, password: str) -> str:
        return hash_password(password, self._entropy, self._settings.password_iterations)

    def _replace(self, user: User, **changes: object) -> User:
        return self._users.put(msgspec.structs.replace(user, **changes))

    def _file(self, user: User) -> None:
        app = self.app_of(user)
        self._by_name.setdefault(app, {})[user.name] = user.uid
        self._order.setdefault(app, Ordered()).add((user.created_ms, user.uid))


def _ends(user: User) -> bool:
    return user.delete_at_ms != 0


def _digest(app: App, password: str) -> str:
    """Return what clients make of a password before they send it."""
    octets = password.encode("utf-8", "surrogatepass")
    if app.schema.startswith(ASSET_APPS):
        return hashlib.sha256(octets).hexdigest()
    return hashlib.md5(octets, usedforsecurity=False).hexdigest()
