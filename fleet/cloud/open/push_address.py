"""What a consumer asks for when it connects: a topic of a project, and how it wants to be sent to.

Path, headers and query are those of the vendor's clients (tuya/tuya-connector-python,
tuya_connector/openpulsar.py), which are those of Apache Pulsar's WebSocket API ("Pulsar WebSocket
API", pulsar.apache.org): a bad query is refused with 400, a subscription that is full with 409.
The data centre is that of the address, by host name or by the beginning of the path. Two pairs of
centres share a push host each: both American ones, and both European ones.
"""

import re
from typing import Annotated, Literal
from urllib.parse import unquote

import msgspec

from firmware_sim.errors import Malformed, PeerError
from fleet.cloud.api.router import parse_query
from fleet.cloud.keys import secret_fits
from fleet.cloud.open.push_crypto import password
from fleet.cloud.open.regions import Gazetteer
from fleet.cloud.projects import Projects
from fleet.cloud.push_backlog import CHANNELS, Topic
from fleet.cloud.push_events import ConsumerOpened
from fleet.cloud.settings import DAY_MS, Settings

BAD_REQUEST = 400
UNAUTHORIZED = 401
NOT_FOUND = 404
CONFLICT = 409

ACK_TIMEOUT_MS_MIN = 1_000

HOSTS = ("AY mqe.tuyacn.com", "AZ mqe.tuyaus.com", "EU mqe.tuyaeu.com", "IN mqe.tuyain.com")
_SHARED = {"UE": "AZ", "WE": "EU"}

_PATH = re.compile(
    r"/*ws/v2/consumer/persistent/(?P<tenant>[^/]+)/out/(?P<channel>[^/]+)/(?P<name>[^/]+)"
)


class Query(msgspec.Struct, frozen=True, rename="camel"):
    """The query as far as it matters; names are Pulsar's, times in milliseconds."""

    ack_timeout_millis: Annotated[int, msgspec.Meta(ge=0, le=DAY_MS)] | None = None
    receiver_queue_size: Annotated[int, msgspec.Meta(ge=0)] | None = None
    subscription_type: Literal["Failover"] = "Failover"


class Wish(msgspec.Struct, frozen=True):
    """What a consumer that may have it asks for; 0 for `ack_timeout_ms` is no time limit."""

    topic: Topic
    ack_timeout_ms: int
    window: int


class NotAdmitted(PeerError):
    """The consumer may not have what it asks for."""

    def __init__(self, status: int, text: str) -> None:
        """Refuse with an HTTP status and a line of text."""
        super().__init__(text)
        self.status = status
        self.text = text


class Doorkeeper:
    """Reads what consumers ask for and checks their passwords."""

    def __init__(self, settings: Settings, projects: Projects) -> None:
        """Know the projects' keys; UsageError for a host name of no data centre."""
        self._settings = settings
        self._projects = projects
        self._gazetteer = Gazetteer(settings.region, (*HOSTS, *settings.open_hosts))

    def admit(self, request: ConsumerOpened) -> Wish:
        """Return what is asked for. Raises NotAdmitted."""
        if not request.target.isascii():
            raise NotAdmitted(BAD_REQUEST, "a request target is ASCII")
        path, _, query = request.target.partition("?")
        place = self._gazetteer.locate(request.host, path)
        match = _PATH.fullmatch(unquote(place.path))
        if match is None:
            raise NotAdmitted(NOT_FOUND, "no such path")
        tenant, channel = match["tenant"], match["channel"]
        if not self._password_fits(request) or tenant != request.username:
            raise NotAdmitted(UNAUTHORIZED, "wrong username or password")
        if channel not in CHANNELS or match["name"] != f"{tenant}-sub":
            raise NotAdmitted(NOT_FOUND, "no such topic or subscription")
        return self._wish(Topic(tenant, push_centre(place.region), channel), query)

    def _password_fits(self, request: ConsumerOpened) -> bool:
        project = self._projects.get(request.username)
        # An unknown name takes as long as a wrong password.
        known = (project.access_id, project.secret) if project is not None else ("", "")
        return secret_fits(request.password, password(*known)) and project is not None

    def _wish(self, topic: Topic, query: str) -> Wish:
        try:
            asked = msgspec.convert(parse_query(query), Query, strict=False)
        except (Malformed, msgspec.ValidationError) as error:
            raise NotAdmitted(BAD_REQUEST, f"Invalid query params: {error}") from None
        settings = self._settings
        window = settings.push_window_max
        if asked.receiver_queue_size is not None:
            window = min(window, max(1, asked.receiver_queue_size))
        timeout_ms = asked.ack_timeout_millis
        if timeout_ms is None:
            timeout_ms = settings.push_ack_timeout_ms
        elif 0 < timeout_ms < ACK_TIMEOUT_MS_MIN:
            text = f"Invalid query params: ackTimeoutMillis below {ACK_TIMEOUT_MS_MIN}"
            raise NotAdmitted(BAD_REQUEST, text)
        return Wish(topic, timeout_ms, window)


def push_centre(region: str) -> str:
    """Return the data centre whose push host serves `region`."""
    return _SHARED.get(region, region)
