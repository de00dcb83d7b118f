"""The operators' page as an operator handles it, and visitors who write over plain HTTP."""

from __future__ import annotations

import json
import urllib.request
import uuid
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect


class Visitor:
    """A visitor without a browser: the same wire over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = ""
        self.session = self._post("/chat/session", widget="demo", locale="en")
        self.token = self.session["token"]
        self.id: str = self.session["session_id"]

    def say(self, text: str) -> dict[str, Any]:
        return self._post("/chat/messages", client_id=uuid.uuid4().hex, content=text)

    def frame(self, type: str, **fields: Any) -> None:
        self._post("/chat/frames", type=type, **fields)

    def ask_for_a_person(self, text: str = "I want to talk to a person") -> Visitor:
        self.say(text)
        self.frame("request_human")
        return self

    def heard(self) -> list[str]:
        """What the visitor was told, in order."""
        events = self._call("/chat/events?since=0")["events"]
        return [event["content"] for event in events if event["type"] == "message"]

    def _post(self, path: str, **body: Any) -> dict[str, Any]:
        return self._call(path, body)

    def _call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else {}


class Inbox:
    """One operator's page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)
        self.rows = page.locator("inbox-list .row")
        self.thread = page.locator("inbox-thread")
        self.messages = self.thread.locator(".message")
        self.area = page.locator(".composer textarea")
        self.toasts = page.locator(".toast")
        self.details = page.locator("#details")

    def _listen(self, line: Any) -> None:
        if line.type == "error":
            self.complaints.append(line.text)

    def visit(self, view: str = "all", conversation: str = "") -> Inbox:
        self.page.goto(f"{self.url}/inbox/{view}/{conversation + '/' if conversation else ''}")
        return self

    def live(self) -> Inbox:
        expect(self.page.locator(".line-state")).to_have_attribute("data-state", "open")
        return self

    def row(self, conversation: str) -> Locator:
        return self.page.locator(f"#row-{conversation}")

    def open(self, conversation: str) -> Inbox:
        self.row(conversation).locator("a").click()
        expect(self.thread).to_have_attribute("data-conversation", conversation)
        return self

    def said(self, text: str) -> Locator:
        return self.messages.filter(has_text=text)

    def action(self, name: str) -> Locator:
        return self.thread.locator(f".actions [value={name}]")

    def press(self, keys: str) -> Inbox:
        self.page.keyboard.press(keys)
        return self


def sign_in(context: BrowserContext, url: str, name: str) -> None:
    """Put the session of an account of the demo into a browser's profile."""
    page = context.new_page()
    page.goto(f"{url}/login/?next=/healthz")
    page.fill("[name=username]", name)
    page.fill("[name=password]", name)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/healthz")
    page.close()


def desk_of(browser: Browser, url: str, name: str, **options: Any) -> Inbox:
    """A fresh profile in which an operator is signed in."""
    wanted = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **options}
    context = browser.new_context(**wanted)
    sign_in(context, url, name)
    return Inbox(context.new_page(), url)
