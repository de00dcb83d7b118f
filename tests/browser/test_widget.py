"""The widget in a real browser against a real server, as a visitor meets it."""

from __future__ import annotations

import time

import jwt
import pytest
from playwright.sync_api import expect

from tests.browser.widget_page import HOST, Desk, Widget
from tests.support.sites import IDENTITY_SECRET

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(make_module_site):
    return make_module_site()


@pytest.fixture(scope="module")
def shop(site):
    """The address of a running demo."""
    return site.start().url


@pytest.fixture(scope="module")
def olga(site, shop):
    return Desk(shop, site.manage("frontdesk", "token", "operator"))


@pytest.fixture
def widget(page, shop):
    return Widget(page, shop)


def test_nothing_is_fetched_stored_or_connected_before_the_visitor_opens(widget, context):
    widget.visit()
    widget.page.wait_for_load_state("networkidle")
    chat = [url for url in widget.requests if "/chat/" in url or "/ws/" in url]
    stored = widget.page.evaluate("localStorage.length + sessionStorage.length")
    assert [url.split("/")[-1] for url in chat] == ["widget.js"]
    assert widget.sockets == []
    assert stored == 0
    assert context.cookies() == []


def test_opening_breaks_no_policy_and_moves_nothing(widget, complaints):
    widget.page.add_init_script(
        """window.shifts = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) window.shifts += entry.value;
        }).observe({type: "layout-shift", buffered: true});"""
    )
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    assert complaints == []
    assert widget.page.evaluate("window.shifts") < 0.005


def test_an_answer_streams_names_its_sources_and_is_there_after_a_reload(widget):
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    expect(widget.log.locator(".sources a").first).to_have_attribute("target", "_blank")
    said = widget.answers().inner_text()
    widget.page.reload()
    expect(widget.answers()).to_have_count(1)
    expect(widget.mine("Can I return a lamp?")).to_have_count(1)
    assert widget.answers().inner_text() == said


def test_escape_closes_and_gives_the_focus_back(widget):
    widget.visit().open()
    widget.page.keyboard.press("Escape")
    expect(widget.dialog).to_be_hidden()
    assert widget.focused() == "launcher"
    expect(widget.launcher).to_have_attribute("aria-expanded", "false")


def test_the_keyboard_alone_is_enough(widget):
    widget.visit()
    widget.launcher.focus()
    widget.page.keyboard.press("Enter")
    expect(widget.input).to_be_focused()
    widget.page.keyboard.type("Opening hours?")
    widget.page.keyboard.press("Shift+Enter")
    widget.page.keyboard.type("And on Sunday?")
    widget.page.keyboard.press("Enter")
    expect(widget.mine("And on Sunday?")).to_have_count(1)
    expect(widget.input).to_have_value("")
    expect(widget.answers()).to_have_count(1)


def test_a_starter_is_asked_with_one_click(widget):
    widget.visit().open()
    starter = widget.log.locator(".pills button").first
    text = starter.inner_text()
    starter.click()
    expect(widget.mine(text)).to_have_count(1)
    expect(widget.answers()).to_have_count(1)


def test_enter_that_ends_a_composition_sends_nothing(widget):
    widget.visit().open()
    devtools = widget.page.context.new_cdp_session(widget.page)
    devtools.send(
        "Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3}
    )
    widget.page.evaluate(
        f"""document.querySelector("{HOST}").shadowRoot.querySelector("form textarea")
        .dispatchEvent(new KeyboardEvent("keydown", {{key: "Enter", isComposing: true,
        bubbles: true, composed: true, cancelable: true}}))"""
    )
    devtools.send("Input.insertText", {"text": "日本"})
    expect(widget.input).to_have_value("日本")
    expect(widget.log.locator(".me")).to_have_count(0)


def test_a_draft_survives_a_reload_and_so_does_the_open_panel(widget):
    widget.visit().open()
    widget.input.press_sequentially("Half a thou")
    widget.page.reload()
    expect(widget.dialog).to_be_visible()
    expect(widget.input).to_have_value("Half a thou")


def test_a_person_joins_answers_closes_and_is_rated(widget, olga):
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    widget.button("Talk to a person").click()
    expect(widget.button("Back to the bot")).to_be_visible()
    conversation = widget.session_id()
    olga.post(conversation, "take")
    expect(widget.dialog.locator(".head")).to_contain_text("You are talking to")
    olga.post(conversation, "messages", client_id="o1", content="Hello from me", kind="reply")
    expect(widget.answers().last).to_have_text("Hello from me")
    olga.post(conversation, "messages", client_id="o2", content="Only for us", kind="note")
    olga.post(conversation, "close")
    widget.button("Good").click()
    widget.button("Send rating").click()
    expect(widget.dialog.locator(".card")).to_have_count(0)
    expect(widget.dialog).not_to_contain_text("Only for us")
    widget.say("One more thing")
    expect(widget.mine("One more thing")).to_have_count(1)
    expect(widget.mine("Can I return a lamp?")).to_have_count(0)


def test_what_others_write_stays_text(widget, olga, complaints):
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    conversation = widget.session_id()
    olga.post(conversation, "take")
    hostile = (
        "<img src=x onerror=alert(1)> [a](javascript:alert(1)) [b](data:text/html,x) "
        "<script>alert(1)</script> [c](https://example.org/)"
    )
    dialogs: list[str] = []
    widget.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    olga.post(conversation, "messages", client_id="x1", content=hostile, kind="reply")
    last = widget.answers().last
    expect(last).to_contain_text("<img src=x onerror=alert(1)>")
    expect(last.locator("a")).to_have_count(1)
    expect(last.locator("img, script")).to_have_count(0)
    assert (dialogs, complaints) == ([], [])


def test_a_reload_does_not_pull_the_focus_into_the_panel(widget):
    widget.visit().open()
    widget.page.reload()
    expect(widget.dialog).to_be_visible()
    assert widget.focused() == ""


def test_an_answer_while_closed_raises_the_badge_until_it_is_seen(widget, olga):
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    conversation = widget.session_id()
    widget.has_read(olga.head(conversation)).page.keyboard.press("Escape")
    olga.post(conversation, "take")
    olga.post(conversation, "messages", client_id="b1", content="Still there?", kind="reply")
    expect(widget.launcher.locator(".badge")).to_have_text("1")
    expect(widget.launcher).to_have_accessible_name("Open chat (1)")
    widget.page.goto(f"{widget.url}/help/")
    expect(widget.launcher.locator(".badge")).to_have_text("1")
    widget.launcher.click()
    expect(widget.launcher.locator(".badge")).to_be_empty()


def test_a_returning_visitor_sees_what_came_meanwhile(widget, olga, context):
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    conversation = widget.session_id()
    widget.has_read(olga.head(conversation)).page.close()
    olga.post(conversation, "take")
    olga.post(conversation, "messages", client_id="r1", content="I found it", kind="reply")
    later = Widget(context.new_page(), widget.url).visit()
    expect(later.launcher.locator(".badge")).to_have_text("1")
    assert later.sockets == []


def test_german_visitors_read_german(browser, shop):
    profile = browser.new_context(locale="de-DE")
    german = Widget(profile.new_page(), shop).visit()
    german.launcher.click()
    expect(german.input).to_have_attribute("placeholder", "Nachricht schreiben …")
    expect(german.button("Mit einem Menschen sprechen")).to_be_visible()
    profile.close()


def test_a_phone_shows_the_panel_alone(browser, shop):
    profile = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    phone = Widget(profile.new_page(), shop).visit().open()
    box = phone.dialog.bounding_box()
    assert box is not None
    assert (box["width"], round(box["height"])) == (390, 844)
    assert phone.page.evaluate(
        f"document.querySelector('{HOST}').shadowRoot.querySelector('dialog').matches(':modal')"
    )
    phone.button("Close chat").last.click()
    expect(phone.dialog).to_be_hidden()
    profile.close()


def test_the_page_may_steer_it_from_outside(widget):
    widget.page.add_init_script("window.Frontdesk = [['open']]; window.heard = [];")
    widget.page.goto(f"{widget.url}/")
    expect(widget.dialog).to_be_visible()
    widget.page.evaluate(
        """() => { for (const name of ["open", "close", "message"])
        document.addEventListener("frontdesk:" + name, () => heard.push(name)); }"""
    )
    widget.page.evaluate("Frontdesk.close()")
    expect(widget.dialog).to_be_hidden()
    widget.page.evaluate("Frontdesk.toggle()")
    expect(widget.dialog).to_be_visible()
    widget.page.evaluate("Frontdesk.setLocale('de')")
    expect(widget.input).to_have_attribute("placeholder", "Nachricht schreiben …")
    assert widget.page.evaluate("heard") == ["close", "open"]
    widget.page.evaluate("Frontdesk.destroy()")
    expect(widget.page.locator(HOST)).to_have_count(0)


def test_a_known_person_is_known_on_every_device(widget, olga, browser, shop):
    claims = {"aud": "demo", "sub": "vera-1", "name": "Vera", "exp": int(time.time()) + 600}
    identity = jwt.encode(claims, IDENTITY_SECRET, algorithm="HS256")
    call = f"window.Frontdesk = [['identify', '{identity}']];"
    widget.page.add_init_script(call)
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    visitor = olga.call(f"/api/v1/conversations/{widget.session_id()}/")["visitor"]
    assert (visitor["name"], visitor["verified"]) == ("Vera", True)
    other = browser.new_context()
    phone = other.new_page()
    phone.add_init_script(call)
    again = Widget(phone, shop).visit().open()
    expect(again.mine("Can I return a lamp?")).to_have_count(1)
    other.close()


def test_it_survives_a_page_that_swaps_its_body(widget):
    widget.visit().open().say("Can I return a lamp?")
    expect(widget.answers()).to_have_count(1)
    widget.page.evaluate("document.body.replaceWith(document.createElement('body'))")
    widget.say("Opening hours?")
    expect(widget.answers()).to_have_count(2)
    assert len(widget.sockets) == 1


def test_the_style_of_the_page_does_not_reach_it(widget):
    widget.visit().open()
    # Without the rounded corners, where the page shows through.
    parts = [widget.log, widget.dialog.locator(".state"), widget.dialog.locator(".box")]
    before = [part.screenshot(animations="disabled", caret="hide") for part in parts]
    widget.page.evaluate(
        """() => { const sheet = new CSSStyleSheet();
        sheet.replaceSync(`* { letter-spacing: 3px; font-family: serif; line-height: 3;
          text-transform: uppercase; color: red; cursor: help; direction: rtl; }
          button, div, textarea { background: lime !important; border: 9px solid; }`);
        document.adoptedStyleSheets = [sheet]; }"""
    )
    after = [part.screenshot(animations="disabled", caret="hide") for part in parts]
    assert after == before
