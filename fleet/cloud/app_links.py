"""Credentials of the MQTT connections over which the programs of users hear of their devices.

A program that acts for a user asks for them and connects to the broker that devices use. What is
published: user name and client id follow from user and program, for ever; the password does not
change while the credentials live, and messages are encrypted with its middle; when they end, all
connections end with them ("Sync Status", developer.tuya.com). Topic and names have the form of
those in public captures: `cloud/token/in/` and `cloud_` with 32 hex digits (0x5e/
homebridge-tuya-platform). That each program of a user has a topic of its own is ours. A broker that keeps one password for a user name
(`fleet.cloud.external`) needs a user name for each program.

They are no records: like the connections they do not survive the cloud's process. A program whose
credentials are unknown is refused with CONNACK code 5, on which tuya/tuya-iot-python-sdk
(`tuya_iot/openmq.py`) asks for new ones.
"""

import hmac
from itertools import takewhile
from typing import ClassVar

import msgspec

from firmware_sim.wire.structs import Secretive
from fleet.cloud.happenings import GuestLimits
from fleet.cloud.keys import Entropy, secret_fits
from fleet.cloud.projects import Project
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings

CLIENT = "cloud_"
"""What the client ids of programs begin with."""

TOPIC = "cloud/token/in/"
"""What the topics begin with that they hear."""

_DIGEST_BYTES = 16
_ACCEPTED, _NOT_AUTHORIZED = 0, 5
_Key = tuple[str, str, str, str]


class AppLink(Secretive, frozen=True):
    """The credentials of one program (`link_id`) of user `uid`, who lets project `access_id` act.

    `version` says how its messages are encrypted; `topic` is where it hears them.
    """

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    access_id: str
    region: str
    uid: str
    link_id: str
    version: str
    client_id: str
    username: str
    password: str
    topic: str
    expires_ms: int

    @property
    def key(self) -> _Key:
        """Return what makes it one of its kind."""
        return self.access_id, self.region, self.uid, self.link_id

    def remaining_s(self, now_ms: int) -> int:
        """Return the seconds that it still lives, rounded up."""
        return -(-max(0, self.expires_ms - now_ms) // 1000)


class AppLinks:
    """All credentials that are alive, and the broker's questions about them."""

    def __init__(self, settings: Settings, entropy: Entropy) -> None:
        """Start without any; passwords are made from `entropy`."""
        self.own_names = False  # whether a program's user name is its client id, and not its user's
        self._settings = settings
        self._entropy = entropy
        self._links: dict[_Key, AppLink] = {}  # in order of their ends, as all live equally long
        self._by_client: dict[str, AppLink] = {}
        self._by_uid: dict[str, dict[_Key, None]] = {}

    def __len__(self) -> int:
        """Return how many are alive."""
        return len(self._links)

    # --- credentials ----------------------------------------------------------------------------

    def open(
        self, project: Project, region: str, uid: str, link_id: str, version: str, now_ms: int
    ) -> AppLink:
        """Return the credentials of a program: those that it has, or new ones.

        In the second half of their life they are prolonged. Refused when there are too many.
        """
        life_ms = self._settings.open_mqtt_life_s * 1000
        kept = self._links.get((project.access_id, region, uid, link_id))
        if kept is not None and now_ms < kept.expires_ms:
            if (kept.expires_ms - now_ms) * 2 < life_ms:
                self.forget(kept)
                kept = msgspec.structs.replace(kept, expires_ms=now_ms + life_ms)
            return self._put(msgspec.structs.replace(kept, version=version))
        if kept is not None:
            self.forget(kept)
        if len(self._links) >= self._settings.open_mqtt_links_max:
            raise Refused(Reason.TOO_MANY, "too many programs are connected")
        user = f"{project.access_id} {region} {uid}"
        program = f"{user} {link_id}"
        client_id = CLIENT + _name(project, f"client {program}")
        return self._put(
            AppLink(
                access_id=project.access_id,
                region=region,
                uid=uid,
                link_id=link_id,
                version=version,
                client_id=client_id,
                username=client_id if self.own_names else CLIENT + _name(project, f"user {user}"),
                password=self._entropy(_DIGEST_BYTES).hex(),
                topic=TOPIC + _name(project, f"topic {program}"),
                expires_ms=now_ms + life_ms,
            )
        )

    def surplus(self, uid: str) -> list[AppLink]:
        """Return those of a user's that are too many, the oldest first."""
        mine = sorted(self.of_user(uid), key=lambda link: link.expires_ms)
        return mine[: max(0, len(mine) - self._settings.open_mqtt_links_per_user_max)]

    def by_client(self, client_id: str) -> AppLink | None:
        """Return those of a client id."""
        return self._by_client.get(client_id)

    def of_user(self, uid: str) -> list[AppLink]:
        """Return those of a user."""
        return [self._links[key] for key in self._by_uid.get(uid, ())]

    def forget(self, link: AppLink) -> None:
        """Let it be unknown from now on."""
        del self._links[link.key], self._by_client[link.client_id]
        del self._by_uid[link.uid][link.key]
        if not self._by_uid[link.uid]:
            del self._by_uid[link.uid]

    # --- time -----------------------------------------------------------------------------------

    @property
    def next_end_ms(self) -> int | None:
        """Return when the next one is over, or None."""
        for link in self._links.values():
            return link.expires_ms
        return None

    def over(self, now_ms: int) -> list[AppLink]:
        """Return those whose life is over, to be forgotten."""
        return list(takewhile(lambda link: link.expires_ms <= now_ms, self._links.values()))

    # --- what the broker asks -------------------------------------------------------------------

    guests: GuestLimits | None = None

    def claims(self, client_id: str, _username: str) -> bool:
        """Tell whether the client says to be a program of a user."""
        return client_id.startswith(CLIENT)

    def admit(self, client_id: str, username: str, password: bytes, now_ms: int) -> int:
        """Return the CONNACK code for a program's credentials."""
        link = self._by_client.get(client_id)
        if link is None or now_ms >= link.expires_ms or username != link.username:
            return _NOT_AUTHORIZED
        fits = secret_fits(password.decode("ascii", "replace"), link.password)
        return _ACCEPTED if fits else _NOT_AUTHORIZED

    def may_subscribe(self, client_id: str, _username: str, topic: str) -> bool:
        """Tell whether the program may hear `topic`: its own only."""
        link = self._by_client.get(client_id)
        return link is not None and topic == link.topic

    def may_publish(self, _client_id: str, _username: str, _topic: str) -> bool:
        """Tell that a program may send to no topic: it commands over HTTP only."""
        return False

    # --- details --------------------------------------------------------------------------------

    def _put(self, link: AppLink) -> AppLink:
        self._links[link.key] = self._by_client[link.client_id] = link
        self._by_uid.setdefault(link.uid, {})[link.key] = None
        return link


def _name(project: Project, text: str) -> str:
    """Return 32 hex digits that only this project's are, and that nobody guesses."""
    digest = hmac.digest(project.secret.encode(), text.encode("utf-8", "surrogatepass"), "sha256")
    return digest[:_DIGEST_BYTES].hex()
