"""The APIs of people: who is calling, what they call, and the envelope around the answer."""

from firmware_sim.errors import PeerError, TooLarge
from fleet.cloud.api import (
    authorization_api,
    consent_api,
    console_api,
    envelope,
    explain_api,
    handover_api,
    projects_api,
)
from fleet.cloud.api.admin_api import AdminApi
from fleet.cloud.api.app_api import AppApi
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.api.mqtt_clients_api import MqttClientsApi
from fleet.cloud.api.push_api import PushApi
from fleet.cloud.api.router import Access, Call, Route, Router, parse_query
from fleet.cloud.api.scan_api import ScanApi
from fleet.cloud.api.upgrades_api import UpgradesApi
from fleet.cloud.counters import Counters
from fleet.cloud.keys import secret_fits
from fleet.cloud.messages import HttpRequested
from fleet.cloud.push_topics import PushTopics
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.sessions import APP, CONSOLE
from fleet.cloud.state import State

PREFIXES = ("/console/", "/app/", "/admin/")

_BEARER = "Bearer "


class PeopleApi:
    """Answers the console, the consumer app and the admin."""

    def __init__(
        self, state: State, link: DeviceLink, topics: PushTopics, counters: Counters
    ) -> None:
        """Serve all tables of routes out of `state`."""
        self._state = state
        self._router = Router(
            (
                *console_api.ROUTES,
                *authorization_api.ROUTES,
                *handover_api.ROUTES,
                *explain_api.ROUTES,
                *projects_api.ROUTES,
                *consent_api.ROUTES,
                *AppApi(link).routes(),
                *ScanApi(link).routes(),
                *UpgradesApi(link).routes(),
                *PushApi(topics).routes(),
                *AdminApi(link, counters).routes(),
                *MqttClientsApi(link).routes(),
            )
        )

    def answer(self, request: HttpRequested, path: str, now_ms: int) -> bytes:
        """Return the reply to one request; every refusal is a reply."""
        try:
            return envelope.success(self._call(request, path, now_ms), now_ms)
        except PeerError as error:
            self._state.counts["people_refused"] += 1
            return envelope.failure(error, now_ms)

    def route_of(self, method: str, path: str) -> Route | None:
        """Return the route of a request, None if there is none; to explain a run."""
        found = self._router.find(method, path)
        return None if found is None else found[0]

    def _call(self, request: HttpRequested, path: str, now_ms: int) -> object:
        if len(request.body) > self._state.settings.body_size_max:
            raise TooLarge(f"a body has at most {self._state.settings.body_size_max} bytes")
        found = self._router.find(request.method, path)
        if found is None:
            raise Refused(Reason.NOT_FOUND, "no such method and path")
        route, values = found
        subject = self._subject(route.access, request.authorization, now_ms)
        query = parse_query(request.target.partition("?")[2])
        return route.handler(self._state, Call(subject, values, query, request.body, now_ms))

    def _subject(self, access: Access, authorization: str, now_ms: int) -> str:
        if access is Access.ANYBODY:
            return ""
        bearer = authorization.removeprefix(_BEARER) if authorization.startswith(_BEARER) else ""
        if access is Access.ADMIN:
            secret = self._state.settings.admin_secret
            if not secret or not secret_fits(bearer, secret):
                raise Refused(Reason.NO_SESSION, "the admin API needs the admin secret")
            return ""
        kind = CONSOLE if access is Access.ACCOUNT else APP
        return self._state.sessions.subject(kind, bearer, now_ms)
