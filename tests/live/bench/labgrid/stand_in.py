"""A bench that answers what a test has told it to answer, and remembers what it was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Asked(NamedTuple):
    method: str
    path: str
    kind: str
    body: bytes


class StandIn:
    """`answers` is status and body by method and path (without its query)."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], tuple[int, str]] = {}
        self.asked: list[Asked] = []
        self.url = ""

    def answer(self, line: str, body: str = "", status: int = 200) -> None:
        method, path = line.split()
        self.answers[method, path] = (status, body)


@contextmanager
def serve() -> Iterator[StandIn]:
    bench = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind = self.headers.get("Content-Type", "")
            bench.asked.append(Asked(self.command, self.path, kind, body))
            path = self.path.partition("?")[0]
            status, text = bench.answers.get((self.command, path), (404, "not here"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_PUT = do_POST = do_DELETE = _take  # noqa: N815 - as the library wants it

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    bench.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield bench
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
