"""Consumers: the people who own devices. They register themselves from the app.

A consumer is named by a `uid` everywhere; the name is only for logging in.
"""

from fleet.cloud.keys import LOWER, Entropy, hash_password, password_fits, random_text
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

_UID_LENGTH = 20


class User(Record, gc=False):
    """One consumer. An empty `password_hash` admits nobody."""

    TABLE = "users"
    KEY = ("uid",)

    uid: str
    name: str
    password_hash: str

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
        self._by_name = {user.name: user for user in self._users}

    def __len__(self) -> int:
        """Return the number of consumers."""
        return len(self._users)

    def get(self, uid: str) -> User | None:
        """Return the consumer of that uid."""
        return self._users.get(uid)

    def register(self, name: str, password: str, uid: str = "") -> User:
        """Add a consumer; `uid` is drawn unless given. Refused when the name is taken."""
        if name in self._by_name:
            raise Refused(Reason.NAME_TAKEN, "another user has this name")
        if len(self._users) >= self._settings.users_max:
            raise Refused(Reason.TOO_MANY, "no more users can register")
        uid = uid or self._settings.region.lower() + random_text(self._entropy, _UID_LENGTH, LOWER)
        kept = hash_password(password, self._entropy, self._settings.password_iterations)
        user = self._users.put(User(uid, name, kept))
        self._by_name[name] = user
        return user

    def log_in(self, name: str, password: str) -> User:
        """Return the consumer of that name. Refused when name or password are wrong."""
        user = self._by_name.get(name)
        if user is None or not password_fits(password, user.password_hash):
            raise Refused(Reason.BAD_LOGIN, "wrong name or password")
        return user
