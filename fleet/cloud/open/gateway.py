"""The gateway of the Open API: what is asked of every call before its handler, and the envelope.

The first objection is the answer; in which order the checks come is the setting
`open_check_order`, whose default agrees with what programs of the field report. A refusal is
HTTP 200 like everything else, with a code in the envelope ("Global Error Codes",
developer.tuya.com); `tid` names the request and has the form of a version 1 UUID (RFC 9562).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import get_args

import msgspec

from firmware_sim.errors import PeerError, TooLarge, UsageError
from firmware_sim.wire.structs import encode_json
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.keys import Entropy
from fleet.cloud.messages import HttpRequested, TellOperator
from fleet.cloud.open import codes
from fleet.cloud.open.catalog import unserved
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.limits import Limits, interface_of
from fleet.cloud.open.regions import CutOff, Gazetteer, Place, in_networks
from fleet.cloud.open.routes import Caller, Family, OpenCall, Route, Routes, parse_query
from fleet.cloud.open.signing import Signed, media_type, sign_fits
from fleet.cloud.projects import Plan, Project
from fleet.cloud.settings_gate import Check
from fleet.cloud.state import State

_T_DIGITS = 13
_UUID_EPOCH_TICKS = 0x01B21DD213814000  # 1582-10-15, in steps of 100 ns before 1970
_TICKS_PER_MS = 10_000
_PLANS: Mapping[str, Code] = {
    Plan.EXPIRED.value: Code.PLAN_EXPIRED,
    Plan.USED_UP.value: Code.TRIAL_USED_UP,
}


class Success(msgspec.Struct, frozen=True):
    """What a program gets; `t` in ms."""

    result: object
    success: bool
    t: int
    tid: str


class Failure(msgspec.Struct, frozen=True):
    """What it gets instead; `t` in ms."""

    code: int
    msg: str
    success: bool
    t: int
    tid: str


class _Visit(msgspec.Struct):
    """One call on its way through the checks."""

    request: HttpRequested
    place: Place
    project: Project
    route: Route | None
    values: Mapping[str, str]
    needs_token: bool
    now_ms: int
    uid: str = ""

    def header(self, name: str) -> str:
        return self.request.headers.get(name, "")


class OpenApi:
    """Answers the Open API out of `state`."""

    def __init__(
        self, state: State, link: DeviceLink, entropy: Entropy, routes: Iterable[Route]
    ) -> None:
        """Serve `routes`; `link` talks with devices. UsageError for settings that cannot be."""
        settings = state.settings
        self._state = state
        self._settings = settings
        self._link = link
        self._entropy = entropy
        self._routes = Routes(routes)
        self._gazetteer = Gazetteer(settings.region, settings.open_hosts)
        self._cut_off = CutOff(settings.open_cut_off)
        self._limits = Limits(settings, state.open_calls)
        self._noted: dict[str, None] = {}
        self._checks = self._in_order(settings.open_check_order)

    def answer(self, request: HttpRequested, path: str, now_ms: int) -> bytes:
        """Return the reply to one request; every refusal is a reply."""
        tid = tid_of(now_ms, self._entropy)
        try:
            result = self._call(request, path, now_ms)
        except PeerError as error:
            refusal = codes.refusal_of(error)
            self._state.counts[f"open_refused_{refusal.code.value}"] += 1
            failure = Failure(refusal.code.value, refusal.msg, success=False, t=now_ms, tid=tid)
            return encode_json(failure)
        return encode_json(Success(result, success=True, t=now_ms, tid=tid))

    def _call(self, request: HttpRequested, path: str, now_ms: int) -> object:
        self._state.counts["open_calls"] += 1
        if request.too_large or len(request.body) > self._settings.body_size_max:
            # First of all: without its body nobody can tell whether a call is signed.
            raise TooLarge(f"a body has at most {self._settings.body_size_max} bytes")
        project = self._state.projects.get(request.headers.get("client_id", ""))
        if project is None:
            raise OpenRefused(Code.CLIENT_ID_INVALID)
        visit = self._visit(request, path, project, now_ms)
        if self._settings.open_count_unsigned:
            self._arrive(visit)
        for check in self._checks:
            check(visit)
        assert visit.route is not None, "the check of the path refuses all others"
        self._check_body(visit)
        return visit.route.handler(
            OpenCall(
                state=self._state,
                link=self._link,
                caller=Caller(project, visit.place.region, visit.uid),
                path=visit.values,
                query=parse_query(request.target.partition("?")[2]),
                body=request.body,
                now_ms=now_ms,
            )
        )

    def _arrive(self, visit: _Visit) -> None:
        """Count a call, whatever becomes of it."""
        self._limits.arrive(visit.project.access_id, interface_of(visit.route), visit.now_ms)

    def _visit(self, request: HttpRequested, path: str, project: Project, now_ms: int) -> _Visit:
        place = self._gazetteer.locate(request.headers.get("host", ""), path)
        found = self._routes.find(request.method, place.path)
        if found is not None:
            route, values = found
            return _Visit(request, place, project, route, values, route.needs_token, now_ms)
        entry = unserved(place.path)
        needs_token = entry is None or entry.needs_token
        return _Visit(request, place, project, None, {}, needs_token, now_ms)

    # --- the checks -----------------------------------------------------------------------------

    def _in_order(self, order: tuple[Check, ...]) -> list[Callable[[_Visit], None]]:
        checks: dict[Check, Callable[[_Visit], None]] = {
            "time": self._check_time,
            "sign": self._check_sign,
            "ip": self._check_ip,
            "cut_off": self._check_cut_off,
            "centre": self._check_centre,
            "token": self._check_token,
            "subscription": self._check_subscription,
            "plan": self._check_plan,
            "limits": self._check_limits,
            "path": self._check_path,
        }
        if sorted(order) != sorted(get_args(Check)):
            raise UsageError(f"open_check_order names each of {', '.join(checks)} once")
        early = order.index("limits") < order.index("sign")
        if early and not self._settings.open_count_unsigned:
            raise UsageError("without open_count_unsigned, limits come after sign")
        return [checks[name] for name in order]

    def _check_time(self, visit: _Visit) -> None:
        """Ask for 13 digits, no fewer: otherwise a digit could belong to the token before them."""
        text = visit.header("t")
        if len(text) != _T_DIGITS or not (text.isascii() and text.isdigit()):
            raise OpenRefused(Code.TIME_INVALID)
        behind_ms = visit.now_ms - int(text)
        ahead_max_ms = self._settings.open_future_window_s * 1000
        if not -ahead_max_ms <= behind_ms <= self._settings.signature_window_s * 1000:
            raise OpenRefused(Code.TIME_INVALID)

    def _check_sign(self, visit: _Visit) -> None:
        request = visit.request
        signed = Signed(
            method=request.method,
            path=visit.place.path,
            query=request.target.partition("?")[2],
            headers=request.headers,
            body=request.body,
            token=visit.header("access_token") if visit.needs_token else "",
        )
        joined = self._settings.open_joined_headers
        project = visit.project
        if not sign_fits(signed, project.secret, project.signing, joined_headers=joined):
            raise OpenRefused(Code.SIGN_INVALID)
        if not self._settings.open_count_unsigned:
            self._arrive(visit)

    def _check_ip(self, visit: _Visit) -> None:
        allowed, ip = visit.project.allowed_ips, visit.header("x-peer-ip")
        if allowed and not in_networks(ip, allowed):
            raise codes.ip_denied(ip)

    def _check_cut_off(self, visit: _Visit) -> None:
        ip = visit.header("x-peer-ip")
        if self._cut_off.applies(visit.place.region, ip):
            raise codes.cross_region(ip)

    def _check_centre(self, visit: _Visit) -> None:
        """Ask for an enabled data centre, but not of a program that only wants a token.

        Programs in the field get one and are refused at their first call (TuyaAPI/cli 169).
        """
        if visit.needs_token and not visit.project.enabled_in(visit.place.region):
            raise OpenRefused(Code.DATA_CENTRE_SUSPENDED)

    def _check_token(self, visit: _Visit) -> None:
        if visit.needs_token:
            access_id, token = visit.project.access_id, visit.header("access_token")
            tokens = self._state.open_tokens
            visit.uid = tokens.holder(access_id, visit.place.region, token, visit.now_ms)

    def _check_subscription(self, visit: _Visit) -> None:
        route = visit.route
        if route is None or route.family == Family.TOKEN:
            return
        if not visit.project.subscribed(route.family):
            raise OpenRefused(Code(self._settings.open_unsubscribed_code))

    def _check_plan(self, visit: _Visit) -> None:
        """Ask for a valid plan, but not of a program that only wants a token."""
        objection = _PLANS.get(visit.project.plan)
        if objection is not None and visit.needs_token:
            raise OpenRefused(objection)

    def _check_limits(self, visit: _Visit) -> None:
        self._limits.check(visit.project.access_id, interface_of(visit.route), visit.now_ms)

    def _check_path(self, visit: _Visit) -> None:
        if visit.route is None:
            self._note(visit.place.path)
            raise OpenRefused(Code.PATH_INVALID)

    def _check_body(self, visit: _Visit) -> None:
        """Refuse what is no JSON by its own account; many clients give no account at all."""
        kind = media_type(visit.request.headers)
        if visit.request.body and kind and "json" not in kind:
            raise OpenRefused(Code.CONTENT_TYPE_UNSUPPORTED)

    def _note(self, path: str) -> None:
        """Tell the operator, once per name, that a program wants what the vendor has."""
        entry = unserved(path)
        if entry is not None and entry.name not in self._noted:
            self._noted[entry.name] = None
            self._state.journal.effects.append(
                TellOperator(
                    f"Open API: {entry.name} ({entry.pattern}): the vendor has it, this cloud does "
                    "not; answered 1108"
                )
            )


def tid_of(now_ms: int, entropy: Entropy) -> str:
    """Return a name for a request: 32 lower-case hex digits, a version 1 UUID without dashes."""
    drawn = int.from_bytes(entropy(10), "big")
    fraction, sequence, node = drawn >> 64, drawn >> 48 & 0x3FFF, drawn & 0xFFFF_FFFF_FFFF
    ticks = _UUID_EPOCH_TICKS + now_ms * _TICKS_PER_MS + fraction % _TICKS_PER_MS
    low, middle, high = ticks & 0xFFFF_FFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0x0FFF
    return f"{low:08x}{middle:04x}{0x1000 | high:04x}{0x8000 | sequence:04x}{node:012x}"
