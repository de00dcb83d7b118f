"""Bad lines: sockets that break, servers that restart, networks that allow only HTTP."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import BrowserContext, WebSocketRoute, expect

from tests.browser.widget_page import Desk, Widget
from tests.support.processes import free_port

pytestmark = pytest.mark.browser

NO_SOCKETS = """window.WebSocket = class {
  constructor() { setTimeout(() => this.onclose({code: 1006})); }
  send() {}
  close() {}
};"""


class Line:
    """The wire between browser and server, with scissors."""

    def __init__(self, context: BrowserContext) -> None:
        self.cut = False
        self.open: list[WebSocketRoute] = []
        self.dials = 0
        self.refuse: dict[str, object] | None = None
        self.drops = 0
        context.route_web_socket(re.compile("/ws/chat/"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        self.dials += 1
        if self.cut:
            socket.close(code=1001)
            return
        self.open.append(socket)
        server = socket.connect_to_server()

        def sent(data: str | bytes) -> None:
            frame = json.loads(data)
            if frame["type"] == "message" and self.drops:
                self.drops -= 1
                socket.close(code=1001)
            elif frame["type"] == "message" and self.refuse:
                error = {"type": "error", "client_id": frame["client_id"], **self.refuse}
                socket.send(json.dumps(error))
            else:
                server.send(data)

        socket.on_message(sent)

    def down(self) -> None:
        self.cut = True
        for socket in self.open:
            socket.close(code=1001)
        self.open.clear()


@pytest.fixture(scope="module")
def site(make_module_site):
    return make_module_site()


@pytest.fixture(scope="module")
def shop(site):
    return site.start().url


@pytest.fixture(scope="module")
def olga(site, shop):
    return Desk(shop, site.manage("frontdesk", "token", "operator"))


@pytest.fixture
def line(context):
    return Line(context)


@pytest.fixture
def widget(page, shop, line):
    return Widget(page, shop)


def stored(olga: Desk, widget: Widget, words: str) -> list[str]:
    """The visitor's messages with these words, as the operators' API has them."""
    told = olga.events(widget.session_id())
    return [e["content"] for e in told if e.get("role") == "user" and words in e["content"]]


def test_messages_written_offline_survive_a_reload_and_arrive_once(widget, line, olga):
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    line.down()
    for number in range(1, 11):
        widget.say(f"later {number}")
    expect(widget.log.locator(".me.waiting")).to_have_count(10)
    expect(widget.dialog.locator(".bar")).to_contain_text("Your messages are kept")
    widget.page.reload()
    expect(widget.log.locator(".me.waiting")).to_have_count(10)
    line.cut = False
    expect(widget.log.locator(".me.waiting, .me.sending")).to_have_count(0)
    expect(widget.dialog.locator(".bar")).to_be_hidden()
    assert stored(olga, widget, "later") == [f"later {number}" for number in range(1, 11)]


def test_a_refused_message_can_be_tried_again_or_edited(widget, line, olga):
    widget.visit().open()
    line.refuse = {"code": "too_long", "message": "Too long.", "retryable": False}
    widget.say("refused words")
    failed = widget.log.locator(".me.not_sent")
    expect(failed).to_contain_text("Not sent: Too long.")
    widget.button("Edit").click()
    expect(widget.input).to_have_value("refused words")
    expect(failed).to_have_count(0)
    widget.input.press("Enter")
    expect(failed).to_have_count(1)
    line.refuse = None
    widget.button("Try again").click()
    expect(failed).to_have_count(0)
    expect(widget.answers()).to_have_count(1)
    assert stored(olga, widget, "refused words") == ["refused words"]


def test_a_message_that_ends_the_connection_three_times_is_not_sent_a_fourth(widget, line):
    widget.visit().open()
    line.drops = 9
    widget.say("poison")
    expect(widget.log.locator(".me.not_sent")).to_have_count(1, timeout=20_000)
    assert line.drops == 6
    line.drops = 0
    widget.button("Try again").click()
    expect(widget.answers()).to_have_count(1)


def test_a_broken_line_comes_back_without_a_gap_or_a_double(widget, line, olga):
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    conversation = widget.session_id()
    olga.post(conversation, "take")
    line.down()
    for number in range(5):
        body = {"client_id": f"g{number}", "content": f"reply {number}", "kind": "reply"}
        olga.post(conversation, "messages", **body)
    line.cut = False
    expect(widget.answers()).to_have_count(6)
    assert widget.answers().all_inner_texts()[1:] == [f"reply {number}" for number in range(5)]


def test_two_tabs_share_one_socket_and_the_other_takes_over(widget, context, shop, line):
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    second = Widget(context.new_page(), shop).visit().open()
    expect(second.answers()).to_have_count(1)
    second.say("Opening hours?")
    expect(second.answers()).to_have_count(2)
    expect(widget.answers()).to_have_count(2)
    assert line.dials == 1
    widget.page.close()
    second.say("How can I pay?")
    expect(second.answers()).to_have_count(3)
    assert line.dials == 2


def test_where_sockets_are_blocked_messages_go_over_http(page, shop):
    page.add_init_script(NO_SOCKETS)
    widget = Widget(page, shop).visit().open()
    widget.say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1, timeout=20_000)
    expect(widget.mine("Can I return a lamp?")).to_have_count(1)
    assert any("/chat/messages" in url for url in widget.requests)


def test_a_restart_of_the_server_loses_nothing(page, make_site):
    site = make_site()
    port = free_port()
    server = site.start(port=port)
    widget = Widget(page, server.url).visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    server.kill()
    widget.say("Opening hours?")
    site.start(port=port)
    expect(widget.answers()).to_have_count(2, timeout=40_000)
    expect(widget.mine("Opening hours?")).to_have_count(1)


def test_a_blocked_visitor_is_told_and_left_alone(widget, line, olga):
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    seen = olga.call(f"/api/v1/conversations/{widget.session_id()}/")
    olga.call(f"/api/v1/visitors/{seen['visitor']['id']}/block/", {})
    expect(widget.dialog.locator(".bar")).to_contain_text("not available")
    dials = line.dials
    widget.page.wait_for_timeout(2500)
    assert line.dials == dials
