"""The reviewer's side: readable, searchable, unwritable, and no question asked twice."""

from __future__ import annotations

import pytest
from django.utils import timezone

from inbox.actions import transitions
from inbox.models import CannedReply, Handoff, Operator, Team, Visitor
from inbox.ports import trace_urls
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
ADMIN = "/admin/frontdesk_inbox/"


@pytest.fixture
def reviewer(client):
    client.force_login(make_user("rita", is_superuser=True, is_staff=True))
    return client


@pytest.fixture
def olga():
    return make_operator("Olga")


@pytest.fixture
def conversation(olga):
    vera = make_visitor("Vera Kowalska", email="vera@shop.example")
    found = make_conversation(vera, handled_by="queue")
    make_message(found, "The lamp <b>arrived</b> broken")
    make_message(
        found,
        "You can *return* it",
        role="assistant",
        author_name="Lumen",
        outcome="done",
        dedupe_key="t1",
        sources=[{"url": "https://shop.example/returns", "title": "Returns", "snippet": "30 d"}],
    )
    make_note(found, "Knows the courier", olga)
    transitions.take(conversation_id=found.pk, operator=olga)
    Handoff.objects.create(conversation=found, seq=3, reason="button", question="Broken lamp?")
    return found


def text_of(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_transcript_tells_who_said_what_and_on_what_grounds(reviewer, conversation):
    html = text_of(reviewer.get(f"{ADMIN}conversation/{conversation.pk}/change/"))
    for words in (
        "The lamp &lt;b&gt;arrived&lt;/b&gt; broken",
        "<em>return</em>",
        'href="https://shop.example/returns"',
        "private note",
        "Knows the courier",
        "Lumen",
        "Olga",
        f"operator:{Operator.objects.get().pk}",
        "Vera Kowalska",
    ):
        assert words in html, words
    assert 'name="_save"' not in html
    assert "deletelink" not in html


def tracer(keys):
    """Knows where one answer came from."""
    return {key: f"/trace/{key}/" for key in keys if key == "t1"}


def test_an_answer_links_to_how_it_came_about(reviewer, conversation, monkeypatch):
    monkeypatch.setattr("inbox.ports._declared", lambda kind, extra: [f"{__name__}.tracer"])
    assert trace_urls(["t1", "x"]) == {"t1": "/trace/t1/"}
    monkeypatch.undo()
    monkeypatch.setattr("inbox.admin.conversation.trace_urls", tracer)
    html = text_of(reviewer.get(f"{ADMIN}conversation/{conversation.pk}/change/"))
    assert html.count('href="/trace/t1/"') == 1


def test_an_empty_transcript_says_so(reviewer):
    html = text_of(reviewer.get(f"{ADMIN}conversation/{make_conversation().pk}/change/"))
    assert "Nothing was said." in html


@pytest.mark.parametrize(
    ("words", "found"),
    [("broken", True), ("kowalska", True), ("courier", True), ("parrot", False), ("", True)],
)
def test_conversations_are_found_by_what_was_said(reviewer, conversation, words, found):
    html = text_of(reviewer.get(f"{ADMIN}conversation/", {"q": words}))
    assert (str(conversation.pk) in html) is found


@pytest.mark.parametrize(
    ("words", "found"),
    [("kowal", True), ("vera@shop", True), ("user:7", True), ("user:70", False), ("?", False)],
)
def test_visitors_are_found_by_name_address_and_identity(reviewer, conversation, words, found):
    Visitor.objects.update(external_id="user:7")
    make_visitor("Somebody Else")
    html = text_of(reviewer.get(f"{ADMIN}visitor/", {"q": words}))
    assert ("Vera Kowalska" in html) is found
    assert "Somebody Else" not in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=queue", False),
        ("state=operator", True),
        ("state=closed", False),
        ("tag=1", False),
        ("tag=x", True),
    ],
)
def test_conversations_are_narrowed_by_who_answers_and_by_tag(reviewer, conversation, query, found):
    make_conversation(status="closed").tags.add(make_tag())
    html = text_of(reviewer.get(f"{ADMIN}conversation/?{query}"))
    assert (str(conversation.pk) in html) is found


def test_a_long_list_ends_where_counting_would_never_end(reviewer, monkeypatch):
    monkeypatch.setattr("inbox.admin.base.MOST_ROWS", 60)
    for _ in range(70):
        make_conversation()
    html = text_of(reviewer.get(f"{ADMIN}conversation/"))
    assert "60+ conversations" in html
    assert reviewer.get(f"{ADMIN}conversation/?p=2").status_code == 200


@pytest.mark.parametrize(
    "name", ["conversation", "visitor", "team", "operator", "cannedreply", "tag", "handoff"]
)
def test_lists_ask_a_constant_number_of_questions(
    reviewer, conversation, name, django_assert_max_num_queries
):
    for index in range(8):
        team = make_team()
        row = make_conversation(operator=make_operator(teams=[team]), team=team)
        make_message(row)
        row.tags.add(make_tag())
        Handoff.objects.create(conversation=row, seq=1, reason="rule")
        CannedReply.objects.create(shortcut=f"r{index}", title="T", content="C", team=team)
    with django_assert_max_num_queries(16):
        html = text_of(reviewer.get(f"{ADMIN}{name}/"))
    assert html.count('class="action-select"') + html.count("<tr") > 8


def test_a_record_cannot_be_written(reviewer, conversation):
    for path in (
        f"{ADMIN}conversation/add/",
        f"{ADMIN}visitor/add/",
        f"{ADMIN}handoff/add/",
        f"{ADMIN}conversation/{conversation.pk}/delete/",
    ):
        assert reviewer.get(path).status_code == 403
    answer = reviewer.post(f"{ADMIN}conversation/{conversation.pk}/change/", {"status": "closed"})
    assert answer.status_code == 403


def test_hand_offs_show_their_packet(reviewer, conversation):
    handoff = Handoff.objects.get()
    html = text_of(reviewer.get(f"{ADMIN}handoff/{handoff.pk}/change/"))
    assert "Broken lamp?" in html
    assert f"conversation/{conversation.pk}/change/" in html


def test_visitors_show_their_conversations_and_can_be_blocked(reviewer, conversation):
    visitor = conversation.visitor
    html = text_of(reviewer.get(f"{ADMIN}visitor/{visitor.pk}/change/"))
    assert str(conversation.pk) in html
    for action in ("block", "revoke"):
        form = {"action": action, "_selected_action": [visitor.pk]}
        assert reviewer.post(f"{ADMIN}visitor/", form).status_code == 302
    visitor.refresh_from_db()
    assert visitor.blocked_at is not None
    assert visitor.token_epoch == 1
    reviewer.post(f"{ADMIN}visitor/", {"action": "unblock", "_selected_action": [visitor.pk]})
    assert Visitor.objects.get().blocked_at is None


def test_a_reader_of_the_admin_may_not_block(client, conversation):
    rob = make_user("rob", is_staff=True, permissions=["view_visitor"])
    client.force_login(rob)
    client.post(
        f"{ADMIN}visitor/", {"action": "block", "_selected_action": [conversation.visitor_id]}
    )
    assert Visitor.objects.get().blocked_at is None


def operator_form(operator, **fields):
    form = {
        "user": operator.user_id,
        "display_name": operator.display_name,
        "avatar_url": "",
        "capacity": operator.capacity,
        "sound": "on",
        **({"available": "on"} if operator.available else {}),
        **fields,
    }
    return {name: value for name, value in form.items() if value is not None}


def test_more_capacity_is_used_at_once(reviewer):
    busy = make_operator("Olga", available=True, capacity=0, last_seen_at=timezone.now())
    waiting = make_conversation(handled_by="queue")
    make_message(waiting)
    answer = reviewer.post(f"{ADMIN}operator/{busy.pk}/change/", operator_form(busy, capacity=3))
    assert answer.status_code == 302
    waiting.refresh_from_db()
    assert waiting.operator == busy


def test_sending_an_operator_away_is_an_action(reviewer):
    olga = make_operator("Olga", available=True)
    form = operator_form(olga, available=None)
    assert reviewer.post(f"{ADMIN}operator/{olga.pk}/change/", form).status_code == 302
    olga.refresh_from_db()
    assert olga.available is False


def test_a_team_has_hours_and_holidays(reviewer):
    team = make_team("Support")
    form = {"name": "Support", "slug": "support", "time_zone": "Europe/Berlin"}
    for prefix, total in (("opening_hours", 1), ("holidays", 1)):
        form |= {f"{prefix}-TOTAL_FORMS": total, f"{prefix}-INITIAL_FORMS": 0}
    form |= {
        "opening_hours-0-weekday": 0,
        "opening_hours-0-opens": "09:00",
        "opening_hours-0-closes": "17:00",
        "opening_hours-0-team": team.pk,
        "holidays-0-day": "2026-12-24",
        "holidays-0-team": team.pk,
    }
    answer = reviewer.post(f"{ADMIN}team/{team.pk}/change/", form)
    assert answer.status_code == 302, text_of(answer)
    team = Team.objects.get()
    assert (team.opening_hours.count(), team.holidays.count()) == (1, 1)
