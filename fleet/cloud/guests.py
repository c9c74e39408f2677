"""Guests of the broker: MQTT clients with a name that are no devices, and what each may do.

A monitor that hears all devices, a bridge to somebody's house automation, a test that plays the
attacker. They are not accounts: a guest sees topics, whosever devices these belong to, so it is
whoever runs the cloud that lets one in. Passwords are kept as hashes, like everybody's.
"""

from collections.abc import Iterable

from firmware_sim.wire import mqtt
from fleet.cloud.broker.topics import covers
from fleet.cloud.keys import Entropy, hash_password, password_fits
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

FILTERS_MAX = 100


class Guest(Record, gc=False):
    """One guest. It may hear, and send to, what one of its filters covers."""

    TABLE = "mqtt_guests"
    KEY = ("name",)

    name: str
    password_hash: str
    read_filters: tuple[str, ...]
    write_filters: tuple[str, ...]

    def may_read(self, topic_filter: str) -> bool:
        """Tell whether it may hear all that `topic_filter` matches."""
        return any(covers(mine, topic_filter) for mine in self.read_filters)

    def may_write(self, topic: str) -> bool:
        """Tell whether it may send to `topic`."""
        return any(covers(mine, topic) for mine in self.write_filters)

    def __repr__(self) -> str:
        """Show who it is, not what the password hashes to."""
        return f"Guest({self.name!r})"


class Guests:
    """All guests."""

    def __init__(
        self, settings: Settings, load: Loader, journal: Journal, entropy: Entropy
    ) -> None:
        """Take the stored guests."""
        self._settings = settings
        self._entropy = entropy
        self._guests: Ledger[Guest] = Ledger(Guest, load, journal)

    def __len__(self) -> int:
        """Return the number of guests."""
        return len(self._guests)

    def get(self, name: str) -> Guest | None:
        """Return the guest of a user name."""
        return self._guests.get(name)

    def all(self) -> list[Guest]:
        """Return all guests, sorted by name."""
        return sorted(self._guests, key=lambda guest: guest.name)

    def put(
        self, name: str, password: str, read: Iterable[str] = (), write: Iterable[str] = ()
    ) -> Guest:
        """Add a guest, or change one; without a password it keeps the one that it has.

        Refused without any password, for what is no topic filter, and when there are too many.
        """
        before = self.get(name)
        read, write = tuple(read), tuple(write)
        for topic_filter in read + write:
            if not mqtt.is_topic_filter(topic_filter):
                raise Refused(Reason.BAD_REQUEST, f"{topic_filter!r} is not a topic filter")
        if len(read) > FILTERS_MAX or len(write) > FILTERS_MAX:
            raise Refused(Reason.TOO_MANY, f"a guest has at most {FILTERS_MAX} filters of a kind")
        if before is None and len(self) >= self._settings.mqtt_guests_max:
            raise Refused(Reason.TOO_MANY, "remove a guest first")
        if not password and before is None:
            raise Refused(Reason.BAD_REQUEST, "a guest needs a password")
        kept = before.password_hash if before is not None else ""
        if password:
            kept = hash_password(password, self._entropy, self._settings.password_iterations)
        return self._guests.put(Guest(name, kept, read, write))

    def remove(self, name: str) -> None:
        """Take a guest away. Refused when there is none of that name."""
        guest = self.get(name)
        if guest is None:
            raise Refused(Reason.NOT_FOUND, "there is no guest of this name")
        self._guests.remove(guest)

    def fits(self, name: str, password: str) -> bool:
        """Tell whether this is the password of a guest."""
        guest = self.get(name)
        return guest is not None and password_fits(password, guest.password_hash)
