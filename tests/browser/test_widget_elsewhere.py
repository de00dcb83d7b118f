"""The widget on a page of another site: allowed by its origin, and only then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.browser.widget_page import Widget

pytestmark = pytest.mark.browser


class Elsewhere:
    """Another site: one page that embeds the widget with one line, under a strict policy."""

    def __init__(self) -> None:
        self.shop = ""
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                policy, body = page.answer()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self) -> tuple[str, str]:
        sockets = self.shop.replace("http", "ws")
        policy = (
            f"default-src 'none'; img-src data:; script-src {self.shop}; "
            f"connect-src {self.shop} {sockets}; require-trusted-types-for 'script'"
        )
        tag = f'<script async src="{self.shop}/chat/widget.js" data-widget="demo"></script>'
        head = '<title>Elsewhere</title><link rel="icon" href="data:,">'
        return policy, f"<!doctype html><html lang=en>{head}<p>Hello</p>{tag}"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    site = Elsewhere()
    yield site
    site.server.shutdown()


@pytest.fixture(scope="module")
def shop(make_module_site, elsewhere):
    site = make_module_site(WIDGET_ORIGINS=elsewhere.url)
    site.manage("demo_setup")
    elsewhere.shop = site.start().url
    return elsewhere.shop


def show(page: Page, origin: str) -> Widget:
    return Widget(page, origin).visit()


def test_an_allowed_site_embeds_it_with_one_line(page, complaints, context, elsewhere, shop):
    widget = show(page, elsewhere.url).open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    expect(widget.mine("Can I return a lamp?")).to_have_count(1)
    assert complaints == []
    assert context.cookies() == []


def test_a_site_that_is_not_allowed_gets_no_conversation(page, elsewhere, shop):
    # The same page under another name is another origin.
    widget = show(page, elsewhere.url.replace("127.0.0.1", "localhost"))
    widget.launcher.click()
    expect(widget.dialog).to_be_visible()
    expect(widget.dialog.locator(".bar")).to_be_visible()
    assert widget.sockets == []
