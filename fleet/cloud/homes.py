"""Homes: where a consumer's devices are, who lives there, and the rooms.

A home has one owner, who made it, and members: administrators and plain members ("Home
Management", developer.tuya.com). Each device of a consumer is in a home; the first one is made
when the first device needs it. Rooms hold devices of their home.

This service keeps homes and answers who is what in which; what that allows is decided elsewhere
(`fleet.cloud.rights`). Bounds are ours.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from fleet.cloud.devices import Device
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.numbers import new_number
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record


class Role(StrEnum):
    """What a consumer is in a home."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class Member(msgspec.Struct, frozen=True, gc=False):
    """Somebody who lives in a home without owning it; `role` is ADMIN or MEMBER."""

    uid: str
    role: str
    name: str


class Room(msgspec.Struct, frozen=True, gc=False):
    """A room, and the device ids of what was put there; some may have left the home since."""

    room_id: str
    name: str
    devices: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True):
    """What a home is called and where it is; longitude and latitude in degrees."""

    name: str
    geo_name: str = ""
    lon: float = 0.0
    lat: float = 0.0


class Home(Record, gc=False):
    """One home. `members` are those besides the owner."""

    TABLE = "homes"
    KEY = ("home_id",)

    home_id: str
    owner: str
    name: str
    geo_name: str = ""
    lon: float = 0.0
    lat: float = 0.0
    members: tuple[Member, ...] = ()
    rooms: tuple[Room, ...] = ()
    created_ms: int = 0

    @property
    def uids(self) -> tuple[str, ...]:
        """Return all who live there, the owner first."""
        return (self.owner, *(member.uid for member in self.members))

    def role(self, uid: str) -> str:
        """Return what `uid` is there (a value of `Role`), "" for a stranger."""
        if uid == self.owner:
            return Role.OWNER.value
        member = self.member(uid)
        return member.role if member is not None else ""

    def member(self, uid: str) -> Member | None:
        """Return the member of that uid; the owner is none."""
        return next((member for member in self.members if member.uid == uid), None)

    def room(self, room_id: str) -> Room | None:
        """Return the room of that id."""
        return next((room for room in self.rooms if room.room_id == room_id), None)


class Homes:
    """All homes."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored homes."""
        self._settings = settings
        self._homes: Ledger[Home] = Ledger(Home, load, journal)
        self._by_uid: dict[str, tuple[str, ...]] = {}  # sorted
        for home in self._homes:
            self._file(home)

    def __len__(self) -> int:
        """Return the number of homes."""
        return len(self._homes)

    # --- look up --------------------------------------------------------------------------------

    def get(self, home_id: str) -> Home | None:
        """Return the home of that id."""
        return self._homes.get(home_id)

    def role(self, uid: str, home_id: str) -> str:
        """Return what `uid` is in a home: "owner", "admin", "member", or "" for a stranger."""
        home = self._homes.get(home_id)
        return home.role(uid) if home is not None else ""

    def of_user(self, uid: str) -> list[Home]:
        """Return the homes in which a consumer lives, oldest first."""
        found = [self._homes.get(home_id) for home_id in self._by_uid.get(uid, ())]
        return sorted((home for home in found if home is not None), key=_age)

    def first_of(self, uid: str) -> Home | None:
        """Return the oldest home that a consumer owns."""
        return next((home for home in self.of_user(uid) if home.owner == uid), None)

    def of_device(self, device: Device) -> Home | None:
        """Return the home that a device is in; None when its owner has none, or it has no owner.

        A device whose owner does not live where it was put is in the owner's first home.
        """
        home = self._homes.get(device.home)
        if home is not None and home.role(device.owner):
            return home
        return self.first_of(device.owner)

    # --- homes ----------------------------------------------------------------------------------

    def make(self, owner: str, place: Place, now_ms: int, rooms: Iterable[str] = ()) -> Home:
        """Make a home with rooms of these names. Refused when there are too many of either."""
        owned = sum(home.owner == owner for home in self.of_user(owner))
        if owned >= self._settings.homes_per_user_max:
            raise Refused(Reason.TOO_MANY, "this consumer has too many homes")
        home_id = new_number(lambda one: self._homes.get(one) is not None, owner, now_ms)
        home = Home(home_id, owner, **msgspec.structs.asdict(place), created_ms=now_ms)
        for name in rooms:
            home = self._with_room(home, name)
        self._file(home)
        return self._homes.put(home)

    def change(self, home: Home, place: Place) -> Home:
        """Give the home another name or place."""
        return self._replace(home, **msgspec.structs.asdict(place))

    def remove(self, home: Home) -> None:
        """Forget a home; its devices have been taken care of."""
        for uid in home.uids:
            self._unfile(uid, home.home_id)
        self._homes.remove(home)

    def take_in(self, uid: str, home_id: str, dev_id: str, now_ms: int) -> tuple[Home, bool]:
        """Return the home for a device that `uid` has just bound, and whether it had to be made.

        That is the one named, if `uid` owns or administers it, else the first of `uid`'s own. A
        device that had been there before is in no room.
        """
        named = self._homes.get(home_id)
        manages = named is not None and named.role(uid) in {Role.OWNER, Role.ADMIN}
        home = named if manages else self.first_of(uid)
        if home is None:
            return self.make(uid, Place(self._settings.first_home_name), now_ms), True
        if any(dev_id in room.devices for room in home.rooms):
            home = self._replace(home, rooms=_without(home.rooms, {dev_id}))
        return home, False

    # --- members --------------------------------------------------------------------------------

    def put_member(self, home: Home, member: Member) -> Home:
        """Let somebody live in the home, or change role and name. Refused when it is full."""
        others = tuple(one for one in home.members if one.uid != member.uid)
        if len(others) >= self._settings.home_members_max:
            raise Refused(Reason.TOO_MANY, "the home is full")
        self._file_one(member.uid, home.home_id)
        return self._replace(home, members=(*others, member))

    def drop_member(self, home: Home, uid: str) -> Home:
        """Let somebody live there no longer."""
        self._unfile(uid, home.home_id)
        return self._replace(
            home, members=tuple(member for member in home.members if member.uid != uid)
        )

    # --- rooms ----------------------------------------------------------------------------------

    def add_room(self, home: Home, name: str) -> Home:
        """Add a room, which is then the last. Refused when there are too many."""
        return self._homes.put(self._with_room(home, name))

    def put_room(self, home: Home, room: Room) -> Home:
        """Replace a room by one with its id; what is put into it leaves the other rooms."""
        others = _without(home.rooms, set(room.devices))
        rooms = tuple(room if one.room_id == room.room_id else one for one in others)
        return self._replace(home, rooms=rooms)

    def drop_room(self, home: Home, room_id: str) -> Home:
        """Remove a room; its devices stay in the home."""
        rooms = tuple(room for room in home.rooms if room.room_id != room_id)
        return self._replace(home, rooms=rooms)

    # --- details --------------------------------------------------------------------------------

    def _with_room(self, home: Home, name: str) -> Home:
        if len(home.rooms) >= self._settings.home_rooms_max:
            raise Refused(Reason.TOO_MANY, "the home has too many rooms")
        room_id = new_number(lambda one: home.room(one) is not None, home.home_id, "room")
        room = Room(room_id, name)
        return msgspec.structs.replace(home, rooms=(*home.rooms, room))

    def _replace(self, home: Home, **changes: object) -> Home:
        return self._homes.put(msgspec.structs.replace(home, **changes))

    def _file(self, home: Home) -> None:
        for uid in home.uids:
            self._file_one(uid, home.home_id)

    def _file_one(self, uid: str, home_id: str) -> None:
        self._by_uid[uid] = tuple(sorted({*self._by_uid.get(uid, ()), home_id}))

    def _unfile(self, uid: str, home_id: str) -> None:
        self._by_uid[uid] = tuple(one for one in self._by_uid[uid] if one != home_id)
        if not self._by_uid[uid]:
            del self._by_uid[uid]


def _age(home: Home) -> tuple[int, str]:
    return home.created_ms, home.home_id


def _without(rooms: tuple[Room, ...], dev_ids: set[str]) -> tuple[Room, ...]:
    return tuple(
        msgspec.structs.replace(
            room, devices=tuple(dev_id for dev_id in room.devices if dev_id not in dev_ids)
        )
        for room in rooms
    )
