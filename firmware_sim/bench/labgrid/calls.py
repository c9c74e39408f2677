"""HTTP calls to a bench: with time limits, and with its refusals as the errors that scripts know."""

import re
from typing import Any, Final, TypeVar

import msgspec
import requests
from labgrid.util.proxy import proxymanager

from firmware_sim.bench.capabilities import NotSeen
from firmware_sim.errors import UsageError

CONNECT_S: Final = 5.0
ANSWER_S: Final = 15.0
_IN_TIME: Final = 504
_TEXT_MAX: Final = 200
T = TypeVar("T")


class _Refusal(msgspec.Struct):
    problem: str


class Caller:
    """Calls below one URL, over one connection that is kept."""

    def __init__(self, url: str) -> None:
        """Reach the URL, through labgrid's proxy where one is set. UsageError for what is none."""
        port = 443 if url.startswith("https") else 80
        try:
            self._url: str = proxymanager.get_url(url, default_port=port).rstrip("/")
        except ValueError as error:
            raise UsageError(f"{without_user(url)} is no URL: {error}") from None
        self._name = without_user(self._url)
        self._session = requests.Session()

    def close(self) -> None:
        """Give the connection up."""
        self._session.close()

    def call(
        self,
        method: str,
        path: str = "",
        *,
        answer_s: float = ANSWER_S,
        query: dict[str, float] | None = None,
        body: bytes | None = None,
        kind: str = "application/json",
    ) -> bytes:
        """Return the body of the answer.

        `answer_s` is how long it may take, on the wall. Raises NotSeen where the bench says that
        what was waited for did not come, UsageError with its words for other refusals, and where
        nobody answers.
        """
        headers = {"Content-Type": kind} if body is not None else {}
        try:
            answer = self._session.request(
                method,
                self._url + path,
                params=query,
                data=body,
                headers=headers,
                timeout=(CONNECT_S, answer_s),
            )
        except requests.RequestException as error:
            raise UsageError(f"{self._name}{path}: no answer ({type(error).__name__})") from None
        if answer.status_code < 300:
            content: bytes = answer.content
            return content
        problem = _problem(answer.status_code, answer.content)
        if answer.status_code == _IN_TIME:
            raise NotSeen(problem)
        raise UsageError(f"{self._name}{path}: {problem}")

    def ask(self, path: str, kind: type[T], query: dict[str, float] | None = None) -> T:
        """Return what a GET answers, as `kind`. Raises UsageError as `call` does."""
        body = self.call("GET", path, query=query)
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:
            raise UsageError(f"{self._name}{path}: this is no bench ({error})") from None

    def table(
        self, columns: str, query: dict[str, float], answer_s: float = ANSWER_S
    ) -> list[tuple[float, ...]]:
        """Return the samples that a GET answers, a tuple per row.

        `columns` is the header that is expected. Raises UsageError as `call` does.
        """
        body = self.call("GET", query=query, answer_s=answer_s)
        try:
            return _rows(body.decode(errors="replace"), columns)
        except ValueError as error:
            raise UsageError(f"{self._name}: no table of {columns}: {error}") from None


def without_user(url: str) -> str:
    """Return a URL as it may be shown: without name and password, and what follows the path."""
    scheme, mark, rest = url.rpartition("://")
    place, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{scheme}{mark}{place.rpartition('@')[2]}{slash}{path}"


def _rows(text: str, columns: str) -> list[tuple[float, ...]]:
    head, *rows = text.splitlines() or [""]
    if head.replace(" ", "") != columns:
        raise ValueError(f"the columns are {head[:_TEXT_MAX]!r}")
    table = [tuple(map(float, row.split(","))) for row in rows if row]
    if any(len(row) != columns.count(",") + 1 for row in table):
        raise ValueError("a row is too short or too long")
    return table


def _problem(status: int, body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Refusal).problem
    except msgspec.DecodeError:
        text = body[:_TEXT_MAX].decode(errors="replace").strip()
        return f"HTTP {status} {text}".strip()


def to_json(**values: Any) -> bytes:
    """Return a body."""
    return msgspec.json.encode(values)
