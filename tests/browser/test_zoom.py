"""Zoomed in as far as people zoom: nothing scrolls sideways, nothing needed is out of reach.

A window of 1280 × 1024 at 200 % has 640 × 512 pixels of CSS left, at 400 % it has 320 × 256.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.inbox_page import Visitor, desk_of
from tests.browser.widget_page import Widget

pytestmark = pytest.mark.browser

ZOOMS = [pytest.param(640, 512, id="200 %"), pytest.param(320, 256, id="400 %")]


@pytest.fixture(scope="module")
def url(make_module_site):
    return make_module_site().start().url


@pytest.fixture
def profile(browser):
    """A browser window of so many CSS pixels, drawn twice as large."""
    made = []

    def open_window(width: int, height: int):
        window = {"width": width, "height": height}
        made.append(browser.new_context(viewport=window, device_scale_factor=2, locale="en-GB"))
        return made[-1]

    yield open_window
    for context in made:
        context.close()


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def reachable(part: Locator) -> None:
    """It can be brought into the window as a whole, and there nothing lies on top of it."""
    part.scroll_into_view_if_needed()
    expect(part).to_be_in_viewport(ratio=0.99)
    part.click(trial=True)


@pytest.mark.parametrize(("width", "height"), ZOOMS)
def test_a_visitor_can_ask_read_and_leave(profile, url, width, height):
    widget = Widget(profile(width, height).new_page(), url).visit().open()
    widget.say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    reachable(widget.input)
    reachable(widget.button("Talk to a person"))
    reachable(widget.button("Close chat").last)
    assert widget.log.evaluate("log => log.scrollWidth - log.clientWidth") <= 0
    # Two lines of an answer at least, or nobody reads it.
    assert widget.log.evaluate("log => log.clientHeight") >= 44
    assert sideways(widget.page) <= 0


@pytest.mark.parametrize(("width", "height"), ZOOMS)
def test_an_operator_can_find_answer_and_close(profile, url, browser, width, height):
    vera = Visitor(url).ask_for_a_person(f"I am {width} wide")
    olga = desk_of(browser, url, "operator", viewport={"width": width, "height": height})
    olga.visit("unassigned").live()
    assert sideways(olga.page) <= 0
    olga.open(vera.id)
    expect(olga.said(f"I am {width} wide")).to_be_visible()
    reachable(olga.said(f"I am {width} wide"))
    olga.area.scroll_into_view_if_needed()
    olga.area.fill("Hello from afar")
    reachable(olga.page.get_by_role("button", name="Send reply"))
    reachable(olga.action("close"))
    assert sideways(olga.page) <= 0
    olga.page.context.close()


@pytest.mark.parametrize(("width", "height"), ZOOMS)
def test_a_reviewer_can_read_the_transcript(url, browser, width, height):
    Visitor(url).ask_for_a_person(f"Read me at {width}")
    rita = desk_of(browser, url, "admin", viewport={"width": width, "height": height})
    rita.page.goto(f"{url}/admin/frontdesk_inbox/conversation/?q=Read")
    rita.page.locator("#result_list tbody th a").first.click()
    transcript = rita.page.locator(".frontdesk-transcript")
    reachable(transcript.locator("li", has_text="Read me at").first)
    box = transcript.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    rita.page.context.close()
