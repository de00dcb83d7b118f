"""The widget as a visitor handles it, and the operator who answers over the API."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

from playwright.sync_api import Locator, Page, WebSocket, expect

HOST = "frontdesk-chat"


class Widget:
    """What stands in the corner of one page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.requests: list[str] = []
        self.sockets: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        self.read_up_to = 0
        page.on("websocket", self._listen)
        host = page.locator(HOST)
        self.launcher = host.locator(".launcher")
        self.dialog = host.locator("dialog")
        self.input = host.locator("form textarea")
        self.log = host.get_by_role("log")
        self.live = self.log.locator(".bubble.live")

    def _listen(self, socket: WebSocket) -> None:
        self.sockets.append(socket.url)
        socket.on("framesent", self._sent)

    def _sent(self, text: str | bytes) -> None:
        frame = json.loads(text)
        if frame["type"] == "read":
            self.read_up_to = max(self.read_up_to, frame["seq"])

    def visit(self, path: str = "/") -> Widget:
        self.page.goto(f"{self.url}{path}")
        self.page.wait_for_selector(HOST, state="attached")
        return self

    def open(self) -> Widget:
        self.launcher.click()
        expect(self.input).to_be_focused()
        # Greeting and starters come with the session.
        expect(self.log.locator(".bubble:not(.bone)").first).to_be_visible()
        return self

    def say(self, text: str) -> Widget:
        self.input.fill(text)
        self.input.press("Enter")
        return self

    def mine(self, text: str) -> Locator:
        return self.log.locator(".me", has_text=text)

    def answers(self) -> Locator:
        """What bot and operators said and finished, without the greeting, which stands first."""
        theirs = ".row:not(.me) ~ .row:not(.me)"
        return self.log.locator(f"{theirs} > .bubble:not(.live, .dots)")

    def button(self, name: str) -> Locator:
        return self.page.locator(HOST).get_by_role("button", name=name, exact=True)

    def focused(self) -> str:
        return self.page.evaluate(
            f"document.querySelector('{HOST}').shadowRoot.activeElement?.className ?? ''"
        )

    def has_read(self, seq: int) -> Widget:
        """Wait until the server was told so; it is told at most twice a second."""
        deadline = time.monotonic() + 20
        while self.read_up_to < seq:
            assert time.monotonic() < deadline, f"read up to {self.read_up_to}, not to {seq}"
            self.page.wait_for_timeout(50)
        return self

    def session_id(self) -> str:
        """The conversation that this visitor sees, as the API names it."""
        return self.sockets[-1].split("/ws/chat/")[1].split("/")[0]


class Desk:
    """An operator at work over the REST API."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token

    def post(self, conversation: str, command: str, **body: Any) -> dict[str, Any]:
        return self.call(f"/api/v1/conversations/{conversation}/{command}/", body)

    def events(self, conversation: str) -> list[dict[str, Any]]:
        return self.call(f"/api/v1/conversations/{conversation}/events/?since=0")["results"]

    def head(self, conversation: str) -> int:
        """The number of what was said last."""
        return max(event["seq"] for event in self.events(conversation))

    def call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read() or b"{}")
