"""The operators' page without its script: read, reply and act by links and forms."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from django.utils import timezone

from inbox import richtext
from inbox.actions.redaction import redact
from inbox.models import Conversation, Handoff, Message, Operator
from inbox.ports import PanelContent
from inbox.testing import (
    make_conversation,
    make_message,
    make_note,
    make_operator,
    make_tag,
    make_team,
    make_user,
    make_visitor,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def support():
    return make_team("Support")


@pytest.fixture
def olga(support):
    return make_operator("Olga", teams=[support])


@pytest.fixture
def vera():
    return make_visitor(
        "Vera Kowalska", email="vera@shop.example", page_url="https://shop.example/x"
    )


@pytest.fixture
def conversation(support, vera):
    found = make_conversation(vera, handled_by="queue", team=support)
    make_message(found, "The lamp arrived broken")
    return found


@pytest.fixture
def desk(client, olga):
    client.force_login(olga.user)
    return client


def address(conversation, view="all") -> str:
    return f"/inbox/{view}/{conversation.pk}/"


def text_of(answer) -> str:
    return answer.content.decode()


def do(desk, conversation, action, **fields):
    return desk.post(address(conversation), {"action": action, **fields})


def write(desk, conversation, content="Hello Vera", **fields):
    body = {"client_id": uuid.uuid4().hex, "content": content, "kind": "reply", **fields}
    return do(desk, conversation, "write", **body)


def fresh(conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


# Who may


def test_a_stranger_signs_in_and_comes_back(client, conversation):
    answer = client.get(address(conversation) + "?before=3")
    assert answer.status_code == 302
    assert answer["Location"] == f"/login/?next=/inbox/all/{conversation.pk}/%3Fbefore%3D3"


def test_an_account_without_the_permission_is_told_which_one_it_lacks(client):
    client.force_login(make_user("Oscar"))
    for path in ("/inbox/", "/inbox/all/"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert "frontdesk_inbox.view_inbox" in text_of(answer)


def test_what_one_may_not_see_looks_like_what_does_not_exist(desk):
    hidden = make_conversation(team=make_team("Sales"))
    seen, unknown = desk.get(address(hidden)), desk.get(f"/inbox/all/{uuid.uuid4()}/")
    assert seen.status_code == unknown.status_code == 404
    assert seen.content == unknown.content
    assert do(desk, hidden, "take").status_code == 404
    assert desk.get("/inbox/everything/").status_code == 404
    assert desk.get(f"/inbox/everything/{hidden.pk}/").status_code == 404


def test_the_page_sends_a_strict_policy(desk, conversation):
    policy = desk.get(address(conversation))["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "require-trusted-types-for 'script'; trusted-types frontdesk-inbox" in policy
    assert "unsafe" not in policy
    html = text_of(desk.get(address(conversation)))
    assert not re.search(r"<script(?![^>]*(src=|application/json))", html)
    assert " style=" not in html
    assert not re.search(r"\son\w+=", html)


def test_static_files_on_a_host_of_their_own_are_allowed(desk, settings):
    settings.STATIC_URL = "https://static.example/s/"
    policy = desk.get("/inbox/all/")["Content-Security-Policy"]
    assert "script-src 'self' https://static.example;" in policy


# Lists


def test_the_index_leads_to_what_waits(desk, olga, conversation):
    assert desk.get("/inbox/")["Location"] == "/inbox/unassigned/"
    make_conversation(operator=olga)
    assert desk.get("/inbox/")["Location"] == "/inbox/mine/"


def test_the_first_run_shows_how_to_embed_the_chat(desk):
    assert "{% chatwidget %}" in text_of(desk.get("/inbox/all/"))


@pytest.mark.parametrize("view", ["mine", "unassigned", "all", "bot", "snoozed", "closed"])
def test_an_empty_view_says_what_to_do(desk, view):
    make_conversation(team=make_team("Sales"))
    html = text_of(desk.get(f"/inbox/{view}/"))
    assert html.count('class="empty"') == 2
    assert "{% chatwidget %}" not in html


def test_a_row_tells_who_spoke_and_who_waits(desk, conversation, olga):
    html = text_of(desk.get("/inbox/unassigned/"))
    row = html[html.index(f'id="row-{conversation.pk}"') :]
    assert "Vera Kowalska" in row
    assert "The lamp arrived broken" in row
    assert 'data-unread="1"' in row
    assert "data-since" in row


def test_a_search_can_be_cleared_or_widened(desk, conversation):
    found = text_of(desk.get("/inbox/unassigned/?search=broken"))
    assert f"row-{conversation.pk}" in found
    nothing = text_of(desk.get("/inbox/mine/?search=broken"))
    assert "Nothing found" in nothing
    assert "/inbox/all/?search=broken" in nothing


def test_older_conversations_are_a_link_away(desk):
    for _ in range(51):
        make_conversation()
    html = text_of(desk.get("/inbox/all/"))
    href = re.search(r'class="more" href="([^"]+)"', html).group(1)
    assert text_of(desk.get(href)).count('class="row"') == 1
    part = text_of(desk.get(href + "&part=rows"))
    assert part.startswith('<div data-next="">')
    assert "<html" not in part
    assert desk.get("/inbox/all/?cursor=broken").status_code == 302


# A thread


def test_a_thread_shows_every_kind_of_line(desk, conversation, olga):
    make_message(
        conversation,
        "See **here** <script>alert(1)</script>",
        role="assistant",
        author_name="Lumen",
        sources=[{"url": "https://shop.example/returns", "title": "Returns", "snippet": "30 days"}],
        outcome="cancelled",
    )
    make_note(conversation, "Knows the courier", olga)
    html = text_of(desk.get(address(conversation)))
    assert "<strong>here</strong> &lt;script&gt;" in html
    assert "https://shop.example/returns" in html
    assert "stopped" in html
    assert "Private note" in html
    assert 'data-head="3"' in html
    assert "not verified" in html


def test_a_thread_begins_a_day_with_a_line_and_groups_what_belongs_together(desk, conversation):
    for _ in range(2):
        make_message(conversation, "And more")
    old = conversation.messages.order_by("created_at").first()
    Message.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(days=1))
    html = text_of(desk.get(address(conversation)))
    assert html.count('class="day"') == 2
    assert html.count("message grouped") == 1


def test_what_a_page_remembers_is_what_stands_there_now(desk, conversation, vera):
    """Rows and messages are rendered once for all readers; what they were made from decides."""
    assert "Vera Kowalska" in text_of(desk.get("/inbox/all/"))
    vera.name = "Vera Nowak"
    vera.save()
    html = text_of(desk.get("/inbox/all/"))
    assert "Vera Nowak" in html
    assert "Vera Kowalska" not in html
    german = text_of(desk.get("/inbox/all/", headers={"accept-language": "de"}))
    assert "ungelesen" in german
    message = conversation.messages.get()
    assert "The lamp arrived broken" in text_of(desk.get(address(conversation)))
    redact(message_id=message.pk)
    assert "The lamp arrived broken" not in text_of(desk.get(address(conversation)))


def test_a_long_thread_has_earlier_messages(desk, conversation):
    for index in range(70):
        make_message(conversation, f"word-{index}")
    html = text_of(desk.get(address(conversation)))
    assert "The lamp arrived broken" not in html.split('class="events"')[1].split("composer")[0]
    earlier = re.search(r'class="more" href="([^"]*before=\d+)"', html).group(1)
    part = text_of(desk.get(earlier + "&part=events"))
    assert "The lamp arrived broken" in part
    assert 'data-next=""' in part


def test_the_details_tell_who_the_visitor_is(desk, support, olga):
    vera = make_visitor(
        "Vera",
        external_id="user:7",
        page_url="javascript:alert(1)",
        page_title="<b>Shop</b>",
        blocked_at=timezone.now(),
    )
    earlier = make_conversation(vera, status="closed")
    conversation = make_conversation(vera, handled_by="queue")
    make_message(
        conversation, "Q", role="assistant", sources=[{"url": "", "title": "Terms", "snippet": ""}]
    )
    Handoff.objects.create(
        conversation=conversation,
        seq=1,
        reason="button",
        question="Why?",
        suggested_reply="Because.",
    )
    conversation.tags.add(make_tag("return"))
    html = text_of(desk.get(address(conversation)))
    for words in ("user:7", "Why?", "Because.", "return", "Terms", "Unblock", str(earlier.pk)):
        assert words in html
    assert "javascript:alert" not in re.sub(r"<small>[^<]*</small>", "", html)
    assert "&lt;b&gt;Shop&lt;/b&gt;" in html


def host_panel(conversation, user):
    """A host project's own box."""
    context = {"lines": [], "handoffs": {}}
    return PanelContent(title="Orders", template="inbox/admin_transcript.html", context=context)


def quiet_panel(conversation, user):
    """A box with nothing to say."""
    return None


def test_panels_of_the_host_stand_beside_a_conversation(desk, conversation, settings):
    settings.INBOX_PANELS = [f"{__name__}.host_panel", f"{__name__}.quiet_panel"]
    html = text_of(desk.get(address(conversation)))
    assert "<h3>Orders</h3>" in html
    assert "frontdesk-transcript" in html


@pytest.mark.parametrize("part", ["thread", "details", "events"])
def test_the_script_is_given_single_panes(desk, conversation, part):
    html = text_of(desk.get(address(conversation) + f"?part={part}"))
    assert html.startswith("<div")
    assert "<html" not in html


# Forms


def test_a_reply_takes_the_conversation_and_stands_once(desk, conversation, olga):
    client_id = uuid.uuid4().hex
    for _ in range(2):
        answer = write(desk, conversation, "Line\r\nline", client_id=client_id, expected_seq="1")
        assert (answer.status_code, answer["Location"]) == (302, address(conversation))
    message = Message.objects.get(role="operator")
    assert message.content == "Line\nline"
    assert fresh(conversation).operator == olga
    assert "data-unread" not in text_of(desk.get("/inbox/mine/"))


def test_a_note_stays_between_colleagues(desk, conversation):
    write(desk, conversation, "Careful", kind="note")
    assert Message.objects.get(role="operator").is_note
    assert fresh(conversation).handled_by == "queue"


def test_words_that_were_overtaken_are_kept(desk, conversation):
    make_message(conversation, "One more thing")
    answer = write(desk, conversation, "My careful words", expected_seq="1")
    assert answer.status_code == 409
    html = text_of(answer)
    assert "Something was written meanwhile." in html
    assert "My careful words</textarea>" in html
    assert "One more thing" in html
    assert not Message.objects.filter(role="operator").exists()


@pytest.mark.parametrize(
    "fields", [{"content": " "}, {"client_id": "?"}, {"content": "x" * 4001}, {"content": "a\x00"}]
)
def test_words_that_cannot_be_sent_say_why(desk, conversation, fields):
    answer = write(desk, conversation, **fields)
    assert answer.status_code == 400
    assert 'class="refused"' in text_of(answer)


def test_forms_act_on_a_conversation(desk, conversation, olga, support):
    paul = make_operator("Paul", teams=[support])
    do(desk, conversation, "take")
    assert fresh(conversation).operator == olga
    do(desk, conversation, "transfer", to=f"operator:{paul.pk}", comment="yours")
    assert fresh(conversation).operator == paul
    assert do(desk, conversation, "take").status_code == 409
    do(desk, conversation, "take:force")
    assert fresh(conversation).operator == olga
    do(desk, conversation, "close")
    assert fresh(conversation).status == "closed"
    do(desk, conversation, "reopen")
    assert fresh(conversation).status == "open"
    do(desk, conversation, "tag", tag="Return")
    tag = fresh(conversation).tags.get()
    do(desk, conversation, f"untag:{tag.pk}")
    assert not fresh(conversation).tags.exists()
    do(desk, conversation, f"snooze:{(timezone.now() + dt.timedelta(hours=1)).isoformat()}")
    assert fresh(conversation).status == "snoozed"


def test_snoozing_takes_a_local_time(desk, conversation):
    until = (timezone.localtime() + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    do(desk, conversation, "snooze", until=until)
    assert fresh(conversation).status == "snoozed"


def test_handing_back_gives_it_to_the_bot(desk, conversation, robbie):
    Conversation.objects.update(bot_key="robbie")
    do(desk, conversation, "take")
    do(desk, conversation, "handback")
    assert fresh(conversation).handled_by == "bot"


def test_visitors_are_blocked_unblocked_and_sent_to_begin_anew(desk, conversation, vera):
    do(desk, conversation, "block")
    vera.refresh_from_db()
    assert vera.blocked_at is not None
    do(desk, conversation, "unblock")
    do(desk, conversation, "revoke")
    vera.refresh_from_db()
    assert (vera.blocked_at, vera.token_epoch) == (None, 1)


@pytest.mark.parametrize(
    ("action", "fields", "status"),
    [
        ("fly", {}, 400),
        ("", {}, 400),
        ("snooze", {"until": "soon"}, 400),
        ("snooze", {"until": "2026-13-45T99:99"}, 400),
        ("transfer", {"to": ""}, 400),
        ("transfer", {"to": "team:99999"}, 404),
        ("transfer", {"to": "planet:1"}, 404),
        ("untag:x", {}, 302),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(desk, conversation, action, fields, status):
    assert do(desk, conversation, action, **fields).status_code == status


def test_a_transfer_out_of_sight_leads_back_to_the_list(desk, conversation):
    sales = make_team("Sales")
    answer = do(desk, conversation, "transfer", to=f"team:{sales.pk}")
    assert answer["Location"] == "/inbox/all/"
    assert desk.get(address(conversation)).status_code == 404


def test_presence_is_switched_and_leads_back(desk, olga):
    answer = desk.post("/inbox/presence/", {"available": "1", "next": "/inbox/bot/"})
    assert answer["Location"] == "/inbox/bot/"
    olga.refresh_from_db()
    assert olga.available
    outside = desk.post("/inbox/presence/", {"available": "0", "next": "https://evil.example/"})
    assert outside["Location"] == "/inbox/"
    assert desk.get("/inbox/presence/").status_code == 405


def test_an_administrator_reads_without_a_seat(client, conversation):
    admin = make_user("admin", is_superuser=True, is_staff=True)
    client.force_login(admin)
    html = text_of(client.get(address(conversation)))
    assert f"/admin/frontdesk_inbox/conversation/{conversation.pk}/change/" in html
    assert not Operator.objects.filter(user=admin).exists()


def test_a_page_asks_a_constant_number_of_questions(
    desk, conversation, django_assert_max_num_queries
):
    for _ in range(10):
        make_conversation(operator=make_operator(), team=None)
        make_message(conversation, "word", role="operator", operator=make_operator())
    with django_assert_max_num_queries(30):
        desk.get(address(conversation))


# Probes


def test_probes_answer_without_a_login(client, db):
    assert client.get("/healthz").content == b"ok\n"
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["ready"] is True


def test_readiness_names_what_is_missing(client, settings):
    settings.INBOX_CHANNEL_LAYER = "nowhere"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["layer"]) == (503, "not configured")


def test_metrics_count_the_queue(client, conversation):
    text = text_of(client.get("/metrics"))
    assert "frontdesk_queue_length 1.0" in text
    assert "frontdesk_queue_oldest_seconds" in text
    assert "frontdesk_commit_batch_size_bucket" in text


# Rich text


@pytest.mark.parametrize(
    "attack",
    [
        "[x](javascript:alert(1))",
        "[x](JaVa\tScript:alert(1))",
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.example/?d=1)",
        "<https://a.example/><svg onload=alert(1)>",
        "[x](data:text/html,<script>)",
        '[a](https://x.example/"onmouseover=alert(1))',
        "```\n</code><script>alert(1)</script>\n```",
    ],
)
@pytest.mark.parametrize("render", [richtext.markdown, richtext.plain])
def test_no_words_become_markup_that_acts(attack, render):
    html = render(attack)
    assert not re.search(r"<(script|img|svg|iframe)", html)
    assert not re.search(r"<[^>]+\son\w+=", html)
    assert not re.search(r'href="(?!https?:|mailto:|tel:)', html)
    for link in re.findall(r"<a [^>]+>", html):
        assert 'rel="noopener noreferrer nofollow ugc"' in link


def test_bare_addresses_become_links_but_code_stays_code():
    html = richtext.markdown(
        "See https://a.example/x_y. `https://b.example` [c](https://c.example)"
    )
    assert html.count("<a ") == 2
    assert 'href="https://a.example/x_y"' in html


def test_a_removed_message_says_so(desk, conversation):
    redact(message_id=conversation.messages.get().pk)
    html = text_of(desk.get(address(conversation)))
    assert "This message was removed." in html
    assert "The lamp arrived broken" not in html
