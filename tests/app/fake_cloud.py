"""A cloud for the phone's tests: answers from a script, remembers what it was asked."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from fleet.app.cloud_link import CloudLink

URL = "http://cloud.test:8080"


class FakeCloud:
    """Answers each call with the next scripted reply; the last one is repeated for ever."""

    def __init__(self) -> None:
        self.replies: list[Callable[[httpx.Request], httpx.Response]] = []
        self.requests: list[httpx.Request] = []

    def accept(self, result: Any) -> None:
        body = msgspec.json.encode({"success": True, "result": result, "t": 1})
        self.replies.append(lambda _: httpx.Response(200, content=body))

    def refuse(self, code: str, msg: str = "") -> None:
        body = msgspec.json.encode({"success": False, "code": code, "msg": msg, "t": 1})
        self.replies.append(lambda _: httpx.Response(200, content=body))

    def answer(self, status: int, body: bytes = b"") -> None:
        self.replies.append(lambda _: httpx.Response(status, content=body))

    def fail(self, error: type[httpx.TransportError]) -> None:
        def raising(request: httpx.Request) -> httpx.Response:
            raise error("", request=request)

        self.replies.append(raising)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply(request)

    def link(self, patience_s: float = 5.0) -> CloudLink:
        return CloudLink(URL, patience_s=patience_s, transport=httpx.MockTransport(self))

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]
