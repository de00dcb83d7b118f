"""Answers that take their time: joined, stopped, taken over while they are being written."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.widget_page import Desk, Widget

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(make_module_site):
    return make_module_site(BOTS_BACKEND="scripted", SCRIPTED_TOKENS="300", SCRIPTED_RATE="30")


@pytest.fixture(scope="module")
def shop(site):
    return site.start().url


@pytest.fixture(scope="module")
def olga(site, shop):
    return Desk(shop, site.manage("frontdesk", "token", "operator"))


@pytest.fixture
def widget(page, shop):
    """A widget whose answer has begun and will go on for ten seconds."""
    made = Widget(page, shop).visit().open().say("Tell me a long story")
    expect(made.live).to_have_count(1)
    return made


def test_stop_ends_the_answer_and_keeps_what_was_said(widget):
    widget.button("Stop the answer").click()
    expect(widget.live).to_have_count(0)
    expect(widget.answers()).to_have_count(1)
    expect(widget.button("Stop the answer")).to_be_hidden()
    expect(widget.button("Send")).to_be_visible()
    said = widget.answers().inner_text()
    widget.page.reload()
    expect(widget.answers()).to_have_count(1)
    assert widget.answers().inner_text() == said


def test_a_reload_in_the_middle_finds_the_answer_going_on(widget):
    before = widget.live.inner_text()
    widget.page.reload()
    expect(widget.live).to_have_count(1)
    expect(widget.live).to_contain_text(before[:20])
    expect(widget.live).to_have_count(0, timeout=20_000)
    expect(widget.answers()).to_have_count(1)


def test_a_tab_opened_in_the_middle_hears_the_answer_from_its_first_word_on(page, shop):
    first = Widget(page, shop).visit().open().say("[[rate 60]][[tokens 3000]]")
    expect(first.live).to_have_count(1)
    second = Widget(page.context.new_page(), shop).visit().open()
    said = first.live.inner_text()
    expect(second.live).to_contain_text(said)
    expect(first.live).not_to_have_text(said)
    expect(second.live).to_contain_text(first.live.inner_text())


def test_no_word_of_the_bot_comes_after_a_person_took_over(widget, olga):
    olga.post(widget.session_id(), "take")
    expect(widget.dialog.locator(".head")).to_contain_text("You are talking to")
    said = widget.log.locator(".row:not(.me) .bubble").all_inner_texts()
    widget.page.wait_for_timeout(1500)
    assert widget.log.locator(".row:not(.me) .bubble").all_inner_texts() == said
    expect(widget.live).to_have_count(0)


def test_the_reader_who_scrolled_up_is_not_pulled_down(widget):
    expect(widget.live).to_have_count(0, timeout=20_000)
    widget.say("And another one")
    expect(widget.live).to_have_count(1)
    widget.page.wait_for_timeout(1500)
    widget.log.evaluate("log => log.scrollTo(0, 0)")
    widget.page.wait_for_timeout(1000)
    assert widget.log.evaluate("log => log.scrollTop") == 0
    pill = widget.button("Jump to the newest message")
    pill.click()
    expect(pill).to_be_hidden()


def test_what_is_streaming_never_shifts_the_page(widget):
    shifted = widget.page.evaluate(
        """() => new Promise((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += entry.value;
        }).observe({type: "layout-shift"});
        setTimeout(() => resolve(sum), 3000); })"""
    )
    assert shifted < 0.005
