"""The whole story with two browsers: Vera asks, Robbie answers, Olga takes over, Rita reads it up.

With FRONTDESK_SCREENSHOTS set, the pictures of the documentation are taken on the way.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.inbox_page import desk_of
from tests.browser.widget_page import HOST, Widget

pytestmark = pytest.mark.browser
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "screenshots"


@pytest.fixture(scope="module")
def url(make_module_site):
    return make_module_site().start().url


@pytest.fixture
def vera(browser, url):
    """A visitor's browser; nothing in it may break the page's policy."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    yield Widget(page, url)
    context.close()
    assert complaints == []


def picture(page: Page, name: str) -> None:
    if os.environ.get("FRONTDESK_SCREENSHOTS"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png")


def ask(vera: Widget) -> str:
    """Question, streamed answer with a source, follow-up, a person; returns the conversation."""
    vera.visit().open().say("Can I return a lamp?")
    expect(vera.answers()).to_have_count(1)
    expect(vera.log.locator(".sources a").first).to_be_visible()
    picture(vera.page, "widget-answer")
    vera.say("And how long does delivery take?")
    expect(vera.answers()).to_have_count(2)
    vera.page.locator(HOST).get_by_role("button", name="Talk to a person").click()
    vera.say("It arrived broken, I want a new one")
    expect(vera.mine("It arrived broken")).to_be_visible()
    return vera.session_id()


def test_the_story_from_the_first_question_to_the_reviewers_desk(browser, url, vera):
    olga = desk_of(browser, url, "operator")
    olga.visit("unassigned").live()

    conversation = ask(vera)
    expect(olga.row(conversation)).to_contain_text("It arrived broken")
    picture(olga.page, "inbox-unassigned")
    olga.open(conversation)
    expect(olga.said("Can I return a lamp?").first).to_be_visible()
    expect(olga.page.locator(".packet")).to_contain_text("Open question")

    olga.press("t")
    expect(olga.thread).to_have_attribute("data-mine", "")
    olga.page.keyboard.type("Hello, I am Olga. A **new lamp** leaves today.")
    expect(vera.log).to_contain_text("Olga")
    expect(olga.page.locator(".state")).to_contain_text("You answer")
    picture(olga.page, "inbox-thread")
    olga.press("Control+Enter")
    expect(vera.log).to_contain_text("A new lamp leaves today.")
    picture(vera.page, "widget-person")
    expect(olga.said("A new lamp leaves today.").locator(".read")).to_be_visible()

    vera.say("Wonderful, thank you!")
    expect(olga.said("Wonderful, thank you!")).to_be_visible()
    olga.press("Escape").press("e")
    expect(olga.toasts).to_contain_text("Closed.")
    assert olga.complaints == []
    olga.page.context.close()

    rita = desk_of(browser, url, "admin")
    rita.page.goto(f"{url}/admin/frontdesk_inbox/conversation/?q=wonderful")
    rita.page.locator("#result_list tbody th a").click()
    transcript = rita.page.locator(".frontdesk-transcript")
    for words in ("Can I return a lamp?", "A new lamp leaves today.", "Wonderful, thank you!"):
        expect(transcript).to_contain_text(words)
    expect(transcript.locator(".sources a").first).to_be_visible()
    picture(rita.page, "admin-transcript")
    rita.page.context.close()


def test_the_same_story_with_an_operator_without_a_script(browser, url, vera):
    conversation = ask(vera)
    olga = desk_of(browser, url, "operator", java_script_enabled=False)
    olga.visit("unassigned")
    olga.row(conversation).locator("a").click()
    expect(olga.said("It arrived broken")).to_be_visible()
    olga.area.fill("I send you a new one")
    olga.page.get_by_role("button", name="Send reply").click()
    expect(olga.page.locator(".state")).to_contain_text("You answer")
    expect(vera.log).to_contain_text("I send you a new one")
    olga.action("close").click()
    expect(olga.page).to_have_url(re.compile(conversation))
    expect(olga.page.locator(".state")).to_contain_text("Closed")
    olga.page.context.close()
