"""Users of an app, and programs: the app's maker, a stranger, and ones that a user let in.

The consumers of the seed (uid0 to uid5) are users of the app "fleet", which is the maker's as well.
"""

import hashlib
from typing import Any

import msgspec

from fleet.cloud.seed import ProjectSeed
from fleet.cloud.settings import Settings
from tests.cloud.open.program import OTHER_ID, OTHER_SECRET, Program, connected, open_seed, project
from tests.cloud.support import BUYER, PARTNER, SETTINGS, World

SECRET = hashlib.md5(b"secret").hexdigest()
GUEST_ID, GUEST_SECRET = "guest0client0id00000", "00112233445566778899aabbccddeeff"


class PeopleWorld:
    """A world with three programs: `maker`, `other` with an app of its own, `guest` with none."""

    def __init__(self, settings: Settings = SETTINGS, prefix: str = "", **choices: Any) -> None:
        start = open_seed()
        own = project(schemas=("app", "fleet"), **choices)
        other = ProjectSeed(
            access_id=OTHER_ID, secret=OTHER_SECRET, owner=PARTNER, name="o", schemas=("theirs",)
        )
        guest = ProjectSeed(access_id=GUEST_ID, secret=GUEST_SECRET, owner=BUYER, name="g")
        seed = msgspec.structs.replace(start, projects=(own, other, guest))
        self.world = World(settings, seed)
        self.maker = connected(self.world, prefix=prefix)
        self.other = connected(self.world, access_id=OTHER_ID, secret=OTHER_SECRET)

    def guest(self, number: int) -> Program:
        """Return the guest's program with the token of a consumer who consented."""
        program = Program(self.world, GUEST_ID, GUEST_SECRET)
        session = self.world.consumer(number)
        form = {"access_id": GUEST_ID}
        code = self.world.get("POST", "/app/v1/consents", form, session)["code"]
        query = {"grant_type": "2", "code": code}
        program.keep(program.call("GET", "/v1.0/token", query, token=""))
        return program

    def ask(
        self, method: str, path: str, form: object = None, by: Program | None = None, **query: Any
    ) -> Any:
        """Make a call (of the maker unless said otherwise); return the result of a success."""
        envelope = self._call(method, path, form, by, query)
        assert envelope["success"], envelope
        return envelope["result"]

    def refused(
        self, method: str, path: str, form: object = None, by: Program | None = None, **query: Any
    ) -> int:
        """Make a call that is refused; return the code."""
        envelope = self._call(method, path, form, by, query)
        assert not envelope["success"], envelope
        code: int = envelope["code"]
        return code

    def told(self) -> list[str]:
        """Return the codes of all push messages since the last time."""
        codes = [push.biz_code for push in self.world.pushes]
        self.world.pushes.clear()
        return codes

    def _call(
        self, method: str, path: str, form: object, by: Program | None, query: dict[str, Any]
    ) -> dict[str, Any]:
        body = b"" if form is None else msgspec.json.encode(form)
        texts = {name: str(value) for name, value in query.items()}
        return (by or self.maker).call(method, path, texts, body)


def user_form(**choices: Any) -> dict[str, Any]:
    """Return the body that registers a user; `choices` replace fields."""
    return {"country_code": "49", "username": "zoe", "password": SECRET, **choices}


def register(world: PeopleWorld, **choices: Any) -> str:
    """Register a user of the maker's app; return the uid."""
    uid: str = world.ask("POST", "/v1.0/apps/app/user", user_form(**choices))["uid"]
    return uid
