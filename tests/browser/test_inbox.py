"""The operators' page in a real browser against a real server, as an operator meets it."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.browser.inbox_page import Visitor, desk_of
from tests.support.browser import AXE, RULES

pytestmark = pytest.mark.browser
SCRIPT_BUDGET = 45 * 1024


@pytest.fixture(scope="module")
def site(make_module_site):
    return make_module_site()


@pytest.fixture(scope="module")
def url(site):
    return site.start().url


@pytest.fixture
def visitor(url):
    return Visitor(url)


@pytest.fixture
def waiting(visitor):
    """A visitor who waits for a person."""
    return visitor.ask_for_a_person()


@pytest.fixture
def olga(browser, url):
    """Her page; it must not have complained of anything."""
    inbox = desk_of(browser, url, "operator")
    yield inbox
    inbox.page.context.close()
    assert inbox.complaints == []


@pytest.fixture
def tariq(browser, url):
    inbox = desk_of(browser, url, "operator2")
    yield inbox
    inbox.page.context.close()
    assert inbox.complaints == []


@pytest.fixture
def axe_of():
    """The accessibility violations of any page as it is now."""

    def violations(page):
        page.evaluate(AXE.read_text() + ";1")
        result = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        return [(v["id"], [n["target"] for n in v["nodes"]]) for v in result["violations"]]

    return violations


def api(site, url, path, body=None, operator="operator"):
    token = site.manage("frontdesk", "token", operator)
    request = urllib.request.Request(
        f"{url}/api/v1/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Token {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"{}")


# Lists


def test_a_new_conversation_appears_by_itself(olga, url):
    olga.visit("unassigned").live()
    counter = olga.page.locator('[data-count="unassigned"]')
    before = int(counter.inner_text())
    vera = Visitor(url).ask_for_a_person()
    # Now that no bot answers any more, the last words are the visitor's.
    vera.say("Is anybody there?")
    expect(olga.row(vera.id)).to_contain_text("Visitor")
    expect(olga.row(vera.id)).to_contain_text("Is anybody there?")
    expect(olga.row(vera.id)).to_have_attribute("data-unread", "2")
    expect(olga.row(vera.id).locator("[data-since]")).to_have_text(re.compile(r"^0:\d\d$"))
    expect(counter).to_have_text(str(before + 1))


def test_words_of_a_bot_do_not_hide_that_the_visitor_was_not_read(olga, url):
    """The conversation enters the view behind an answer: nothing on the page can have counted."""
    vera = Visitor(url)
    vera.say("How long may I return a lamp?")
    olga.visit("bot").live()
    expect(olga.row(vera.id)).to_contain_text("Bot:")
    with olga.page.expect_response(re.compile(r"/inbox/unassigned/\?part=rows")):
        olga.visit("unassigned").live()
    vera.frame("request_human")
    expect(olga.row(vera.id)).to_have_attribute("data-unread", "1")


def test_what_happens_while_the_list_is_fetched_is_not_lost(olga, url):
    """The list is read, then a visitor comes, then the page gets the list without that visitor."""
    held = []
    olga.page.route(
        re.compile(r"/inbox/unassigned/\?part=rows"),
        lambda route: held.append((route, route.fetch())),
    )
    olga.visit("unassigned").live()
    while not held:
        olga.page.wait_for_timeout(20)
    counter = olga.page.locator('[data-count="unassigned"]')
    before = int(counter.inner_text())
    vera = Visitor(url).ask_for_a_person("Just in time")
    expect(counter).to_have_text(str(before + 1))
    for route, answer in held:
        route.fulfill(response=answer)
    expect(olga.row(vera.id)).to_have_attribute("data-unread", "1")


def test_a_row_moves_to_where_it_belongs(olga, tariq, waiting):
    olga.visit("unassigned").live()
    tariq.visit("unassigned", waiting.id).live()
    expect(olga.row(waiting.id)).to_be_visible()
    tariq.action("take").click()
    expect(olga.row(waiting.id)).to_have_count(0)
    olga.visit("all").live()
    expect(olga.row(waiting.id).locator(".owner")).to_have_attribute("title", "Tariq")


def test_a_row_that_left_the_view_stays_while_it_is_read_and_no_longer(olga, waiting, url):
    other = Visitor(url).ask_for_a_person()
    olga.visit("unassigned", waiting.id).live().press("t")
    expect(olga.row(waiting.id).locator(".owner")).to_have_attribute("title", "Olga")
    expect(olga.row(waiting.id)).to_be_visible()
    olga.open(other.id)
    expect(olga.row(waiting.id)).to_have_count(0)
    olga.press("Escape").press("e")
    expect(olga.toasts).to_contain_text("Closed.")
    expect(olga.row(other.id)).to_have_count(0)


def test_who_reads_further_down_is_not_moved(olga, url):
    for number in range(20):
        Visitor(url).ask_for_a_person(f"Question {number}")
    olga.visit("unassigned").live()
    scroller = olga.page.locator("inbox-list")
    scroller.evaluate("node => { node.scrollTop = 200 }")
    vera = Visitor(url).ask_for_a_person("Above the fold")
    fresh = olga.page.locator(".fresh")
    expect(fresh).to_have_text("1 new conversation")
    assert scroller.evaluate("node => node.scrollTop") == 200
    fresh.click()
    expect(olga.rows.first).to_have_attribute("data-conversation", vera.id)


def test_searching_as_one_types(olga, url):
    vera = Visitor(url)
    vera.say("My xylophone lamp flickers")
    olga.visit("all").live().press("/")
    olga.page.keyboard.type("xylo")
    expect(olga.page).to_have_url(re.compile("search=xylo"))
    expect(olga.rows).to_have_count(1)
    expect(olga.row(vera.id)).to_be_visible()
    olga.page.get_by_role("link", name="Clear").click()
    expect(olga.page).to_have_url(re.compile("/inbox/all/$"))


# Threads


def test_opening_is_an_address_and_back_is_back(olga, url):
    first, second = (Visitor(url).ask_for_a_person(f"I am {name}") for name in ("Ada", "Bea"))
    olga.visit("unassigned").live().open(first.id)
    expect(olga.page).to_have_url(f"{url}/inbox/unassigned/{first.id}/")
    expect(olga.said("I am Ada")).to_be_visible()
    expect(olga.row(first.id)).not_to_have_attribute("data-unread", re.compile(".+"))
    olga.open(second.id)
    olga.page.go_back()
    expect(olga.said("I am Ada")).to_be_visible()
    expect(olga.row(first.id).locator("a")).to_have_attribute("aria-current", "true")
    olga.page.reload()
    expect(olga.said("I am Ada")).to_be_visible()


def test_words_arrive_while_one_reads_and_are_marked_read(olga, waiting, site, url):
    olga.visit("unassigned", waiting.id).live()
    waiting.say("One more thing")
    expect(olga.said("One more thing")).to_be_visible()
    assert olga.page.evaluate("() => document.hasFocus()")
    for _ in range(200):
        if api(site, url, f"conversations/{waiting.id}/")["unread"] == 0:
            break
        olga.page.wait_for_timeout(100)
    assert api(site, url, f"conversations/{waiting.id}/")["unread"] == 0


def test_a_reply_reaches_the_visitor_and_takes_the_conversation(olga, waiting):
    olga.visit("unassigned", waiting.id).live()
    olga.press("r")
    expect(olga.area).to_be_focused()
    expect(olga.page.locator(".state .waiting")).to_be_visible()
    olga.area.fill("Hello **Vera**")
    olga.press("Control+Enter")
    mine = olga.said("Hello Vera")
    expect(olga.page.locator(".state .waiting")).to_have_count(0)
    expect(mine.locator("strong")).to_have_text("Vera")
    expect(mine).to_have_count(1)
    expect(mine).to_have_attribute("data-seq", re.compile(r"\d+"))
    expect(olga.thread).to_have_attribute("data-handled-by", "operator")
    assert "Hello **Vera**" in waiting.heard()
    seq = max(e["seq"] for e in waiting._call("/chat/events?since=0")["events"])
    waiting.frame("read", seq=seq)
    expect(mine.locator(".read")).to_be_visible()


def test_a_note_cannot_be_mistaken_for_a_reply(olga, waiting):
    olga.visit("unassigned", waiting.id).live().press("n")
    button = olga.page.get_by_role("button", name="Add note")
    expect(button).to_be_visible()
    colour = olga.page.locator(".composer").evaluate("n => getComputedStyle(n).backgroundColor")
    assert colour == "rgb(255, 246, 217)"
    olga.page.keyboard.type("She is angry")
    button.click()
    expect(olga.said("She is angry")).to_have_class(re.compile("note"))
    expect(olga.page.get_by_role("button", name="Send reply")).to_be_visible()
    assert "She is angry" not in waiting.heard()


def test_a_note_is_not_seen_being_typed(olga, tariq, waiting):
    tariq.visit("all", waiting.id).live()
    olga.visit("all", waiting.id).live().press("n")
    olga.page.keyboard.type("psst")
    olga.press("Escape").press("r")
    olga.page.keyboard.type("Hello")
    expect(tariq.page.locator(".typing")).to_have_text(re.compile("Olga is typing"))


def test_the_visitor_is_seen_typing(olga, waiting):
    olga.visit("all", waiting.id).live()
    waiting.say("Hello?")
    expect(olga.said("Hello?")).to_be_visible()  # from now on the page hears of this visitor
    waiting.frame("typing", is_typing=True)
    expect(olga.page.locator(".typing")).to_be_visible()
    waiting.say("There")
    expect(olga.page.locator(".typing")).to_be_hidden()


def test_a_draft_survives_going_elsewhere(olga, waiting, url):
    other = Visitor(url).ask_for_a_person()
    olga.visit("unassigned", waiting.id).live().press("r")
    olga.page.keyboard.type("Half a thou")
    olga.open(other.id)
    expect(olga.area).to_have_value("")
    olga.page.reload()
    expect(olga.row(waiting.id)).to_have_class(re.compile("draft"))
    olga.open(waiting.id)
    expect(olga.area).to_have_value("Half a thou")


def test_a_draft_survives_a_page_that_is_left_at_once(olga, waiting):
    olga.visit("all", waiting.id).live().press("r")
    olga.page.keyboard.type("Half a thou")
    olga.page.reload()
    expect(olga.area).to_have_value("Half a thou")


def test_prepared_replies_come_by_a_slash(olga, waiting):
    olga.visit("all", waiting.id).live().press("r")
    olga.page.keyboard.type("/hel")
    menu = olga.page.locator(".canned")
    expect(menu.get_by_role("option")).to_have_count(1)
    olga.press("Enter")
    expect(olga.area).to_have_value(re.compile(r"^Hello Visitor \w+, this is Olga\."))
    expect(menu).to_be_hidden()


def test_a_reply_to_what_changed_meanwhile_asks_first(olga, waiting):
    olga.visit("all", waiting.id).live()
    olga.page.evaluate("document.querySelector('inbox-thread').head = 0")
    olga.press("r")
    olga.page.keyboard.type("Too fast")
    olga.press("Control+Enter")
    letter = olga.said("Too fast")
    expect(letter.get_by_role("button", name="Send anyway")).to_be_visible()
    assert "Too fast" not in waiting.heard()
    olga.complaints.clear()
    letter.get_by_role("button", name="Send anyway").click()
    expect(letter).to_have_attribute("data-seq", re.compile(r"\d+"))


def test_a_message_that_cannot_be_sent_stays_with_retry(olga, waiting):
    olga.visit("all", waiting.id).live()
    olga.page.route("**/messages/", lambda route: route.abort())
    olga.press("r")
    olga.page.keyboard.type("Patience")
    olga.press("Control+Enter")
    again = olga.said("Patience").get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    olga.page.unroute("**/messages/")
    again.click()
    expect(olga.said("Patience")).to_have_attribute("data-seq", re.compile(r"\d+"))
    olga.complaints.clear()
    assert waiting.heard().count("Patience") == 1


# Actions


def test_keys_take_snooze_and_close(olga, waiting):
    olga.visit("unassigned", waiting.id).live().press("t")
    expect(olga.thread).to_have_attribute("data-mine", "")
    expect(olga.area).to_be_focused()
    olga.press("Escape").press("s")
    expect(olga.page.locator(".act-snooze .pop button").first).to_be_focused()
    olga.press("Escape").press("e")
    expect(olga.toasts).to_contain_text("Closed.")
    olga.toasts.get_by_role("button", name="Undo").click()
    olga.visit("mine").live()
    expect(olga.row(waiting.id)).to_be_visible()


def test_a_close_waits_for_the_take_before_it(olga, waiting):
    asked, held = [], []

    def hold(route):
        asked.append(route.request.url.rstrip("/").rsplit("/", 1)[-1])
        held.append(route) if asked == ["take"] else route.continue_()

    olga.visit("unassigned", waiting.id).live()
    olga.page.route(re.compile("/(take|close)/$"), hold)
    with olga.page.expect_request("**/take/"):
        olga.press("t")
    olga.press("Escape").press("e")
    expect(olga.thread).to_have_attribute("data-status", "closed")
    olga.page.wait_for_timeout(500)
    assert asked == ["take"]
    held.pop().continue_()
    expect(olga.toasts).to_contain_text("Closed.")
    assert asked == ["take", "close"]


def test_what_was_done_just_before_leaving_is_done(olga, tariq, waiting):
    tariq.visit("mine").live()
    olga.visit("unassigned", waiting.id).live()
    olga.action("close").evaluate("node => { node.click(); location.href = '/inbox/bot/' }")
    olga.page.wait_for_url("**/inbox/bot/")
    tariq.visit("closed").live()
    expect(tariq.row(waiting.id)).to_be_visible()


def test_what_a_colleague_holds_is_taken_only_after_a_second_yes(olga, tariq, waiting):
    tariq.visit("unassigned", waiting.id).live().press("t")
    expect(tariq.thread).to_have_attribute("data-mine", "")
    olga.visit("all", waiting.id).live().press("t")
    expect(olga.toasts).to_contain_text("Tariq answers this")
    expect(olga.thread).not_to_have_attribute("data-mine", "")
    olga.toasts.get_by_role("button", name="Take over").click()
    expect(olga.thread).to_have_attribute("data-mine", "")
    expect(tariq.thread).not_to_have_attribute("data-mine", "")
    olga.complaints.clear()


def test_a_transfer_out_of_sight_leads_back_to_the_list(olga, waiting):
    olga.visit("unassigned", waiting.id).live()
    olga.page.locator(".act-more summary").click()
    olga.page.select_option("[name=to]", label="Sales")
    olga.page.fill("[name=comment]", "wants an offer")
    olga.page.get_by_role("button", name="Transfer").click()
    expect(olga.thread).to_have_count(0)
    expect(olga.row(waiting.id)).to_have_count(0)
    olga.complaints.clear()


def test_tags_come_and_go(olga, waiting):
    olga.visit("all", waiting.id).live()
    tags = olga.details.locator(".tags")
    tags.locator("input[name=tag]").fill("lighting")
    olga.press("Enter")
    tag = tags.get_by_role("button", name="Remove the tag lighting")
    expect(tag).to_be_visible()
    tag.click()
    expect(tag).to_have_count(0)


def test_letters_rest_while_one_types_or_for_good(olga, waiting):
    olga.visit("all", waiting.id).live().press("r")
    olga.page.keyboard.type("teen")
    expect(olga.area).to_have_value("teen")
    expect(olga.thread).not_to_have_attribute("data-mine", "")
    olga.press("Escape").press("?")
    dialog = olga.page.get_by_role("dialog")
    dialog.get_by_role("checkbox").uncheck()
    olga.press("Escape").press("n")
    expect(olga.area).not_to_be_focused()


def test_presence_and_sound_are_switched(olga):
    olga.visit("mine").live()
    switch = olga.page.get_by_role("switch")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    with olga.page.expect_response("**/presence/"):
        olga.page.locator('[data-do="sound"]').click()
    olga.page.reload()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(olga.page.locator('[data-do="sound"]')).to_have_attribute("aria-pressed", "false")
    switch.click()
    with olga.page.expect_response("**/presence/"):
        olga.page.locator('[data-do="sound"]').click()


# Breaks


def test_a_page_that_was_away_misses_nothing(olga, waiting):
    olga.visit("all", waiting.id).live()
    olga.page.context.set_offline(True)
    olga.page.evaluate("window.dispatchEvent(new Event('offline'))")
    waiting.say("Said while you were away")
    olga.page.context.set_offline(False)
    olga.page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(olga.said("Said while you were away")).to_be_visible(timeout=40_000)
    olga.complaints.clear()


def test_a_login_that_ended_leads_to_the_sign_in_and_back(browser, url, waiting):
    inbox = desk_of(browser, url, "operator")
    inbox.visit("all", waiting.id).live().press("r")
    inbox.page.keyboard.type("Not lost")
    inbox.page.context.clear_cookies()
    inbox.press("Control+Enter")
    expect(inbox.page).to_have_url(re.compile(r"/login/\?next=/inbox/all/"))
    for field in ("username", "password"):
        inbox.page.fill(f"[name={field}]", "operator")
    inbox.press("Enter")
    letter = inbox.said("Not lost")
    letter.get_by_role("button", name="Try again").click()
    expect(letter).to_have_attribute("data-seq", re.compile(r"\d+"))
    assert waiting.heard().count("Not lost") == 1
    inbox.page.reload()
    expect(inbox.said("Not lost")).to_have_count(1)
    inbox.page.context.close()


# How it looks


def test_words_of_strangers_never_act(olga, url):
    vera = Visitor(url)
    olga.visit("all").live()
    attack = (
        "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"
        "[x](javascript:window.pwned=1) ![x](https://evil.example/?d=1)"
    )
    vera.ask_for_a_person(attack)
    olga.open(vera.id)
    vera.say(attack + " again")
    expect(olga.said("again")).to_be_visible()
    assert olga.page.evaluate("window.pwned") is None
    assert olga.page.locator("inbox-thread img, inbox-list img").count() == 0


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_is_accessible(browser, url, waiting, axe_of, scheme, direction):
    inbox = desk_of(browser, url, "operator", color_scheme=scheme)
    states = {
        "empty": lambda: inbox.visit("snoozed").live(),
        "list": lambda: inbox.visit("all").live(),
        "thread": lambda: inbox.visit("all", waiting.id).live(),
        "note": lambda: inbox.press("n"),
        "menu": lambda: inbox.press("Escape").press("s"),
        "keys": lambda: inbox.press("Escape").press("?"),
        "search": lambda: inbox.page.goto(f"{url}/inbox/mine/?search=zzz"),
    }
    for name, enter in states.items():
        enter()
        inbox.page.evaluate("dir => { document.documentElement.dir = dir }", direction)
        inbox.page.wait_for_timeout(250)
        assert axe_of(inbox.page) == [], (name, scheme, direction)
    assert inbox.complaints == []
    inbox.page.context.close()


@pytest.mark.parametrize("width", [1440, 1024, 768, 390])
def test_nothing_is_cut_off_at_any_width(browser, url, waiting, width):
    inbox = desk_of(browser, url, "operator", viewport={"width": width, "height": 844})
    inbox.visit("all", waiting.id).live()
    page = inbox.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator(".composer .send .button")).to_be_in_viewport()
    expect(inbox.action("take")).to_be_in_viewport(ratio=0.9)
    if width < 1280:
        page.locator(".show-details").click()
        expect(inbox.details).to_be_in_viewport(ratio=0.9)
        page.locator(".hide-details").click()
        expect(inbox.details).not_to_be_in_viewport()
    if width < 640:
        expect(page.locator(".list")).to_be_hidden()
        page.locator(".back").click()
        expect(inbox.row(waiting.id)).to_be_visible()
    inbox.page.context.close()


def test_the_script_keeps_its_budget(url):
    import gzip

    with urllib.request.urlopen(f"{url}/static/inbox/inbox.js") as answer:
        assert len(gzip.compress(answer.read(), 9)) < SCRIPT_BUDGET


# Without the script


def test_reading_and_replying_work_without_the_script(browser, url, waiting):
    inbox = desk_of(browser, url, "operator", java_script_enabled=False)
    inbox.visit("unassigned")
    inbox.row(waiting.id).locator("a").click()
    expect(inbox.said("I want to talk to a person")).to_be_visible()
    inbox.page.get_by_role("radio", name="Note").check()
    inbox.area.fill("Only us")
    inbox.page.get_by_role("button", name="Add note").click()
    expect(inbox.said("Only us")).to_have_class(re.compile("note"))
    inbox.area.fill("Hello from a form")
    inbox.page.get_by_role("button", name="Send reply").click()
    expect(inbox.said("Hello from a form")).to_be_visible()
    expect(inbox.page.locator(".state")).to_contain_text("You answer")
    assert "Hello from a form" in waiting.heard()
    assert "Only us" not in waiting.heard()
    inbox.action("close").click()
    expect(inbox.page.locator(".state")).to_contain_text("Closed")
    inbox.page.context.close()
