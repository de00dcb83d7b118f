"""Clients for checks of the written contract: they know the wire and nothing of the code.

A visitor speaks the chat prefix and its socket, an operator the REST API and the inbox socket.
"""

from __future__ import annotations

import itertools
import json
import re
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, Self

import httpx2
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.sites import Server

Frame = dict[str, Any]
PATIENCE_SECONDS = 15
DURABLE = frozenset({"message", "message_updated", "conversation"})
_numbers = itertools.count(1)


def new_client_id() -> str:
    return f"c-{next(_numbers)}-{uuid.uuid4().hex[:8]}"


class Socket:
    """One WebSocket whose frames are read in order; `seen` holds all of them."""

    def __init__(self, opening: AbstractContextManager[ClientConnection]) -> None:
        self._opening = opening
        self.connection = opening.__enter__()
        self.seen: list[Frame] = []
        self._unread: list[Frame] = []

    def send(self, type_: str, **fields: Any) -> None:
        self.connection.send(json.dumps({"type": type_, **fields}))

    def send_raw(self, data: str | bytes) -> None:
        self.connection.send(data)

    def say(self, content: str, **fields: Any) -> str:
        """Send a message and return its `client_id`."""
        client_id = fields.pop("client_id", None) or new_client_id()
        self.send("message", client_id=client_id, content=content, **fields)
        return client_id

    def next(self, seconds: float = PATIENCE_SECONDS) -> Frame:
        frame: Frame = json.loads(self.connection.recv(timeout=max(seconds, 0)))
        self.seen.append(frame)
        return frame

    def until(
        self,
        type_: str,
        where: Callable[[Frame], bool] = lambda frame: True,
        *,
        seconds: float = PATIENCE_SECONDS,
        **fields: Any,
    ) -> Frame:
        """The first frame like this that no earlier `until` returned."""

        def fits(frame: Frame) -> bool:
            same = all(frame.get(name) == value for name, value in fields.items())
            return frame["type"] == type_ and same and where(frame)

        for index, frame in enumerate(self._unread):
            if fits(frame):
                return self._unread.pop(index)
        deadline = time.monotonic() + seconds
        while True:
            try:
                frame = self.next(deadline - time.monotonic())
            except TimeoutError:
                tail = [seen["type"] for seen in self.seen[-12:]]
                raise AssertionError(
                    f"no {type_} {fields} within {seconds} s; got {tail}"
                ) from None
            if fits(frame):
                return frame
            self._unread.append(frame)

    def drain(self, seconds: float = 0.3) -> list[Frame]:
        """Read until nothing came for `seconds`; what no `until` has returned."""
        with suppress(TimeoutError):
            while True:
                self._unread.append(self.next(seconds))
        frames, self._unread = self._unread, []
        return frames

    def settled(self) -> list[Frame]:
        """What came before the answer to a ping of ours."""
        self.send("ping")
        self.until("pong")
        frames, self._unread = self._unread, []
        return frames

    def close_code(self, seconds: float = PATIENCE_SECONDS) -> int | None:
        """The code the server ended with."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self.next(deadline - time.monotonic())
        except ConnectionClosed:
            return self.connection.close_code

    def durable(self) -> list[Frame]:
        return [frame for frame in self.seen if frame["type"] in DURABLE]

    def close(self) -> None:
        self._opening.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_socket(
    url: str, *, origin: str | None, protocols: list[str] | None, **more: Any
) -> Socket:
    return Socket(
        connect(
            url,
            origin=origin,  # type: ignore[arg-type]
            subprotocols=protocols,  # type: ignore[arg-type]
            compression=None,
            proxy=None,
            max_size=None,
            **more,
        )
    )


class Visitor:
    """Vera's browser on one server; `start` asks for a session."""

    def __init__(self, server: Server, *, token: str = "", widget: str = "demo", **fields: Any):
        self.server = server
        self.origin = server.url
        self.token = token
        self.fields = {"widget": widget, **fields}
        self.http = httpx2.Client(base_url=server.url, timeout=40, trust_env=False)
        self.session: Frame = {}

    def post_session(self, **fields: Any) -> httpx2.Response:
        body = {**self.fields, **({"token": self.token} if self.token else {}), **fields}
        return self.http.post("/chat/session", json=body, headers={"Origin": self.origin})

    def start(self, **fields: Any) -> Self:
        answer = self.post_session(**fields)
        assert answer.status_code == 201, answer.text
        self.session = answer.json()
        self.token = self.session["token"]
        return self

    @property
    def id(self) -> str:
        return str(self.session["session_id"])

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Origin": self.origin}
        headers.update(options.pop("headers", {}))
        return self.http.request(method, f"/chat/{path}", headers=headers, **options)

    def post(self, content: str, client_id: str | None = None, **fields: Any) -> httpx2.Response:
        body = {"client_id": client_id or new_client_id(), "content": content, **fields}
        return self.call("POST", "messages", json=body)

    def frame(self, type_: str, **fields: Any) -> httpx2.Response:
        return self.call("POST", "frames", json={"type": type_, **fields})

    def events(self, since: int = 0, **query: Any) -> Frame:
        answer = self.call("GET", "events", params={"since": since, **query})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def connect(
        self,
        *,
        since: int | None = None,
        epoch: str | None = None,
        session_id: str | None = None,
        ticket: str | None = None,
        origin: str | None = "own",
        protocols: list[str] | None = None,
        **more: Any,
    ) -> Socket:
        """A socket with a fresh ticket, or with the one given."""
        if ticket is None and protocols is None:
            ticket = self.start().session["ticket"]
        url = self.session["ws_url"]
        if session_id:
            url = url.replace(self.id, session_id)
        query = [f"epoch={epoch}"] if epoch is not None else []
        query += [f"since={since}"] if since is not None else []
        origin = self.origin if origin == "own" else origin
        protocols = ["chat.v1", f"ticket.{ticket}"] if protocols is None else protocols
        url = f"{url}?{'&'.join(query)}" if query else url
        return open_socket(url, origin=origin, protocols=protocols, **more)

    def joined(self, **options: Any) -> Socket:
        """A socket that has been welcomed."""
        socket = self.connect(**options)
        socket.until("connected")
        return socket


class Operator:
    """Olga's browser on one server: signed in, with the CSRF token."""

    def __init__(self, server: Server, username: str = "operator") -> None:
        self.server = server
        self.username = username
        self.http = httpx2.Client(base_url=server.url, timeout=30, trust_env=False)
        page = self.http.get("/inbox/", follow_redirects=True)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert found, page.text[:500]
        form = {"username": username, "password": username}
        data = {**form, "csrfmiddlewaretoken": found.group(1), "next": "/inbox/"}
        answer = self.http.post(str(page.url), data=data, headers={"Referer": str(page.url)})
        assert answer.status_code == 302, answer.text[:500]

    def get(self, path: str, **query: Any) -> httpx2.Response:
        return self.http.get(f"/api/v1/{path}", params=query)

    def post(self, path: str, **body: Any) -> httpx2.Response:
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"], "Referer": self.server.url}
        return self.http.post(f"/api/v1/{path}", json=body, headers=headers)

    def act(self, conversation_id: str, action: str, **body: Any) -> httpx2.Response:
        return self.post(f"conversations/{conversation_id}/{action}/", **body)

    def write(self, conversation_id: str, content: str, **body: Any) -> httpx2.Response:
        fields = {"client_id": new_client_id(), "content": content, "kind": "reply", **body}
        return self.act(conversation_id, "messages", **fields)

    def conversation(self, conversation_id: str) -> Frame:
        answer = self.get(f"conversations/{conversation_id}/")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def connect(self, *, origin: str | None = "own", signed_in: bool = True) -> Socket:
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        return open_socket(
            f"{self.server.ws_url}/ws/inbox/",
            origin=self.server.url if origin == "own" else origin,
            protocols=None,
            additional_headers={"Cookie": cookies} if signed_in else {},
        )

    def joined(self, *, available: bool | None = None) -> Socket:
        socket = self.connect()
        socket.until("connected")
        if available is not None:
            socket.send("presence", available=available)
        return socket
