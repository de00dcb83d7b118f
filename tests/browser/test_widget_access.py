"""Axe in every state of the widget: light and dark, left to right and right to left, phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.widget_page import Desk, Widget

pytestmark = pytest.mark.browser

DRESSES = [
    (scheme, direction, width)
    for scheme in ("light", "dark")
    for direction in ("ltr", "rtl")
    for width in (1280, 390)
]


@pytest.fixture(scope="module")
def site(make_module_site):
    return make_module_site()


@pytest.fixture(scope="module")
def shop(site):
    return site.start().url


@pytest.fixture(scope="module")
def olga(site, shop):
    return Desk(shop, site.manage("frontdesk", "token", "operator"))


@pytest.mark.parametrize(("scheme", "direction", "width"), DRESSES)
def test_every_state_is_accessible(shop, page, axe, olga, scheme, direction, width):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    page.route(
        f"{shop}/",
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            body=answer.text().replace("data-widget=", f'data-dir="{direction}" data-widget='),
        ),
    )
    widget = Widget(page, shop).visit()
    assert axe() == [], "closed"
    widget.open()
    assert axe() == [], "empty"
    widget.say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    assert axe() == [], "answered"
    widget.input.fill("x" * 3900)
    assert axe() == [], "near the limit"
    widget.input.fill("")
    widget.button("Talk to a person").click()
    expect(widget.button("Back to the bot")).to_be_visible()
    assert axe() == [], "queue"
    conversation = widget.session_id()
    olga.post(conversation, "take")
    reply = {"client_id": "a1", "content": "```\ncode\n```\n\n> said\n\n|a|b|\n|-|-|\n|1|2|"}
    olga.post(conversation, "messages", kind="reply", **reply)
    expect(widget.answers()).to_have_count(2)
    assert axe() == [], "operator"
    olga.post(conversation, "close")
    widget.button("Bad").click()
    assert axe() == [], "rating"


def test_nothing_moves_for_those_who_asked_for_rest(shop, page):
    page.emulate_media(reduced_motion="reduce")
    widget = Widget(page, shop).visit().open()
    moving = widget.dialog.evaluate("dialog => dialog.getAnimations({subtree: true}).length")
    assert moving == 0


def test_a_screen_reader_hears_each_answer_once_and_whole(shop, page):
    widget = Widget(page, shop).visit().open()
    page.evaluate(
        """() => { window.spoken = [];
        const status = document.querySelector("frontdesk-chat").shadowRoot
          .querySelector(".sr[role=status]");
        new MutationObserver(() => spoken.push(status.textContent))
          .observe(status, {childList: true}); }"""
    )
    widget.say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    # Waiting for a function evaluates a text, which the strict page refuses.
    for _ in range(50):
        if page.evaluate("() => spoken.length"):
            break
        page.wait_for_timeout(100)
    spoken = page.evaluate("spoken")
    assert len(spoken) == 1
    assert "**" not in spoken[0]
    assert widget.log.get_attribute("aria-live") == "off"


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_is_cut_off_on_narrow_screens(shop, page, width):
    page.set_viewport_size({"width": width, "height": 640})
    widget = Widget(page, shop).visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    for part in (widget.log, widget.dialog):
        assert part.evaluate("part => part.scrollWidth - part.clientWidth") <= 0
    box = widget.input.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 640
