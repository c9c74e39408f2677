"""What a broker asks that is not ours: may this client connect, may it publish or subscribe there.

In the form in which EMQX 5 asks ("Use HTTP Service" of Authentication and of Authorization,
docs.emqx.com): a POST with JSON, whose fields the broker's administrator names after its
placeholders; some may come in the query instead. The answer is always HTTP 200 with a `result`,
because a broker passes over any other status, and then lets in whom its next rule lets in. So
whoever does not know the secret, or asks what is not understood, is told `deny`.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import msgspec

from firmware_sim.errors import Malformed
from firmware_sim.wire.structs import Secretive, decode_json, encode_json
from fleet.cloud.api.router import parse_query
from fleet.cloud.broker.topics import covers
from fleet.cloud.directory import ACCEPTED
from fleet.cloud.external import Access, BrokerAddress, emqx, roles
from fleet.cloud.happenings import Directories
from fleet.cloud.keys import secret_fits
from fleet.cloud.messages import HttpRequested, TellOperator
from fleet.cloud.state import State

AUTHENTICATION = "/broker/v1/authentication"
AUTHORIZATION = "/broker/v1/authorization"
PATHS = frozenset({AUTHENTICATION, AUTHORIZATION})

_BEARER = "Bearer "
_NOT_TRUSTED = "somebody asks like a broker, not by POST or without broker_auth_secret: denied"
_NOT_UNDERSTOOD = (
    "a broker asks what is not understood: denied. It has to send JSON with the texts clientid, "
    "username and password, or clientid, username, action and topic"
)

Result = Literal["allow", "deny", "ignore"]


class Question(Secretive, frozen=True):
    """A client, and what it wants: to connect, or to do `action` (publish, subscribe)."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    clientid: str = ""
    username: str = ""
    password: str = ""
    topic: str = ""
    action: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """The answer."""

    result: Result
    is_superuser: bool = False


class BrokerAuthApi:
    """Answers a broker out of the same directories that our own one asks."""

    def __init__(
        self, state: State, directories: Directories, address: BrokerAddress | None
    ) -> None:
        """Let in whom `directories` let in, and the cloud itself if it uses a broker that asks."""
        self._state = state
        self._directories = directories
        asks = address is not None and address.access is Access.HTTP
        self._own = address if asks else None
        self._told: set[str] = set()  # to the operator

    def answer(self, request: HttpRequested, path: str, now_ms: int) -> bytes:
        """Return the verdict on a question of a broker that knows the secret."""
        result: Result = "deny"
        if self._is_trusted(request):
            try:
                question = _question(request)
            except Malformed:
                self._state.counts["broker_questions_malformed"] += 1
                self._tell_once(_NOT_UNDERSTOOD)
            else:
                result = (
                    self._admit(question, now_ms)
                    if path == AUTHENTICATION
                    else self._authorize(question)
                )
        self._state.counts[f"broker_answered_{result}"] += 1
        return encode_json(Verdict(result))

    def _is_trusted(self, request: HttpRequested) -> bool:
        secret = self._state.settings.broker_auth_secret
        given = request.authorization.removeprefix(_BEARER)
        if secret and request.method == "POST" and secret_fits(given, secret):
            return True
        self._tell_once(_NOT_TRUSTED)
        return False

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._state.journal.effects.append(TellOperator(line))

    def _admit(self, asked: Question, now_ms: int) -> Result:
        if self._own is not None and asked.username == self._own.username:
            return "allow" if secret_fits(asked.password, self._own.password) else "deny"
        if self._own is not None and roles.is_own_id(asked.clientid):
            return "deny"  # it would take over our line, and hear what waits there
        directory = self._directories.of(asked.clientid, asked.username)
        if directory is None:
            return self._state.settings.broker_auth_unknown
        password = asked.password.encode("utf-8", "surrogatepass")
        code = directory.admit(asked.clientid, asked.username, password, now_ms)
        return "allow" if code == ACCEPTED else "deny"

    def _authorize(self, asked: Question) -> Result:
        if self._own is not None and asked.username == self._own.username:
            return "allow" if _is_own(asked) else "deny"
        directory = self._directories.of(asked.clientid, asked.username)
        if directory is None:
            return self._state.settings.broker_auth_unknown
        device = self._state.devices.by_dev_id(asked.clientid)
        if device is not None and not device.live:
            return "deny"  # which ends its connection where the broker is told to do that
        allowed = {"publish": directory.may_publish, "subscribe": directory.may_subscribe}
        may = allowed.get(asked.action)
        ok = may is not None and may(asked.clientid, asked.username, asked.topic)
        return "allow" if ok else "deny"


def _is_own(asked: Question) -> bool:
    """Say whether the cloud itself has to do with a topic."""
    if asked.action == "subscribe":
        return asked.topic in roles.OWN_FILTERS or asked.topic in emqx.FILTERS
    return asked.action == "publish" and any(covers(own, asked.topic) for own in roles.OWN_TOPICS)


def _question(request: HttpRequested) -> Question:
    if request.too_large:
        raise Malformed("a question is short")
    fields: Mapping[str, object] = parse_query(request.target.partition("?")[2])
    if request.body:
        fields = {**fields, **decode_json(dict[str, object], request.body)}
    try:
        said = {name: value for name, value in fields.items() if value is not None}
        return msgspec.convert(said, Question)
    except msgspec.ValidationError:
        raise Malformed("a question of an unknown form") from None
