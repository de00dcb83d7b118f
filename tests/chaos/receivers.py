"""Receivers of webhooks over real HTTP: one that takes them, and four that misbehave."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.sites import Site

DRIP_SECONDS = 0.2
STALL_SECONDS = 20.0


@dataclass(frozen=True)
class Delivery:
    """One request as it came in."""

    at: float
    """`time.time()`"""
    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def content(self) -> str:
        """The words of the message that it tells of; empty for other events."""
        return str(json.loads(self.body)["data"].get("content", ""))


@dataclass
class Receivers:
    """One server; the path says how it answers: /ok /fail /stall /redirect /drip /elsewhere."""

    port: int = 0
    got: dict[str, list[Delivery]] = field(default_factory=dict)

    def start(self) -> Receivers:
        """Listen in threads of its own."""
        owner = self
        self._over = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                name = self.path.strip("/")
                owner.got.setdefault(name, []).append(Delivery(time.time(), headers, body))
                getattr(owner, f"_{name}")(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A sender that gave up is what is wanted here."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def of(self, name: str, content: str) -> list[Delivery]:
        """What this receiver got about the message of these words."""
        return [one for one in tuple(self.got.get(name, ())) if one.content == content]

    def doubled(self, name: str) -> int:
        """How many deliveries came under an id that was there before."""
        counted = Counter(one.id for one in self.got.get(name, ()))
        return sum(count - 1 for count in counted.values())

    @staticmethod
    def _answer(handler: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", "0")
        handler.end_headers()

    def _ok(self, handler: BaseHTTPRequestHandler) -> None:
        self._answer(handler, 204)

    _elsewhere = _ok

    def _fail(self, handler: BaseHTTPRequestHandler) -> None:
        """Fails every first time that it sees an id."""
        seen = [one for one in self.got["fail"] if one.id == handler.headers["webhook-id"]]
        self._answer(handler, 503 if len(seen) == 1 else 200)

    def _redirect(self, handler: BaseHTTPRequestHandler) -> None:
        self._answer(handler, 307, location=self.url("elsewhere"))

    def _stall(self, handler: BaseHTTPRequestHandler) -> None:
        self._over.wait(STALL_SECONDS)
        handler.close_connection = True

    def _drip(self, handler: BaseHTTPRequestHandler) -> None:
        """A header that never ends, one byte at a time."""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self._over.wait(DRIP_SECONDS):
            handler.wfile.write(b"x")
            handler.wfile.flush()


MAKE_ENDPOINTS = """
import json, sys
from inbox.models import WebhookEndpoint
for name, url in json.loads({pairs!r}).items():
    print(name, WebhookEndpoint.objects.create(name=name, url=url).secret)
"""


def make_endpoints(site: Site, receivers: Receivers, *names: str) -> dict[str, str]:
    """Endpoints of a site, one for each receiver; their secrets by name."""
    pairs = json.dumps({name: receivers.url(name) for name in names})
    printed = site.manage("shell", "-v", "0", "-c", MAKE_ENDPOINTS.format(pairs=pairs))
    return dict(line.split() for line in printed.splitlines()[-len(names) :])
