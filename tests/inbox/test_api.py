"""The operators' REST interface: who sees what, what each refusal looks like, keyset and search."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from inbox.models import CannedReply, Conversation, Message, Operator, Tag
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
API = "/api/v1/"


@pytest.fixture
def support():
    return make_team("Support")


@pytest.fixture
def sales():
    return make_team("Sales")


@pytest.fixture
def olga(support):
    return make_operator("Olga", teams=[support], available=True)


def client_of(operator) -> APIClient:
    client = APIClient(enforce_csrf_checks=True)
    token, _ = Token.objects.get_or_create(user=operator.user)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


@pytest.fixture
def api(olga):
    return client_of(olga)


@pytest.fixture
def conversation(support):
    vera = make_visitor("Vera Kowalska", email="vera@shop.example")
    found = make_conversation(vera, handled_by="queue", team=support)
    make_message(found, "The lamp arrived broken")
    return found


def of(conversation, action="") -> str:
    return f"{API}conversations/{conversation.pk}/{action + '/' if action else ''}"


def send(api, conversation, **body):
    wanted = {"client_id": uuid.uuid4().hex, "content": "Hello", "kind": "reply", **body}
    return api.post(of(conversation, "messages"), wanted, format="json")


def ids(answer) -> list[str]:
    return [row["id"] for row in answer.json()["results"]]


# Who may


def test_a_stranger_is_asked_to_sign_in(conversation):
    answer = APIClient().get(f"{API}conversations/")
    assert answer.status_code == 401
    assert answer.json() == {
        "code": "not_authenticated",
        "message": "Sign in, or send a valid token.",
        "retryable": False,
    }
    assert answer["WWW-Authenticate"] == "Token"


def test_oscar_without_access_is_refused_everywhere(conversation):
    oscar = make_operator("Oscar", permissions=())
    for path in (f"{API}conversations/", of(conversation), f"{API}counters/"):
        answer = client_of(oscar).get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "no_permission")


def test_a_session_needs_the_csrf_token(olga, conversation):
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(olga.user)
    assert browser.get(of(conversation)).status_code == 200
    answer = browser.post(of(conversation, "take"), {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "no_permission")


def test_another_teams_conversation_is_as_good_as_none(api, sales):
    hidden = make_conversation(team=sales)
    visitor = hidden.visitor
    answers = [api.get(of(hidden)), api.get(of(hidden, "events")), send(api, hidden)]
    for action in ("take", "close", "reopen", "handback", "read", "assign", "snooze", "transfer"):
        answers.append(api.post(of(hidden, action), {}, format="json"))
    for action in ("block", "unblock", "revoke"):
        answers.append(api.post(f"{API}visitors/{visitor.public_id}/{action}/", {}))
    unknown = api.get(f"{API}conversations/{uuid.uuid4()}/")
    assert {answer.status_code for answer in answers} == {404}
    assert all(answer.json() == unknown.json() for answer in answers)


def test_view_all_sees_every_team(sales):
    conversation = make_conversation(team=sales)
    boss = make_operator("Boss", view_all=True)
    assert ids(client_of(boss).get(f"{API}conversations/")) == [str(conversation.pk)]


def test_a_transfer_to_a_foreign_team_takes_it_out_of_sight(api, conversation, sales):
    answer = api.post(
        of(conversation, "transfer"),
        {"team": sales.pk, "comment": "wants an offer"},
        format="json",
    )
    assert answer.status_code == 204
    assert api.get(of(conversation)).status_code == 404
    assert Message.objects.get(kind="note").content.endswith("wants an offer")


def test_an_administrator_without_a_seat_gets_one_by_acting(conversation):
    admin = make_user("admin", is_superuser=True)
    client = APIClient()
    client.force_login(admin)
    assert client.get(of(conversation)).status_code == 200
    assert not Operator.objects.filter(user=admin).exists()
    assert send(client, conversation).status_code == 201
    assert Operator.objects.get(user=admin).available is False


# Lists


def test_a_conversation_has_what_the_contract_names(api, conversation, olga):
    make_note(conversation, "A note", olga)
    row = api.get(of(conversation)).json()
    assert row["head"] == 2
    assert (row["status"], row["handled_by"], row["operator"]) == ("open", "queue", None)
    assert row["team"]["name"] == "Support"
    assert row["visitor"]["name"] == "Vera Kowalska"
    assert row["visitor"]["verified"] is False
    assert uuid.UUID(row["visitor"]["id"])
    assert row["unread"] == 1
    assert row["created_at"]


def test_views_hold_what_their_names_say(api, olga, support):
    kept = {
        "mine": make_conversation(team=support, operator=olga),
        "unassigned": make_conversation(handled_by="queue"),
        "bot": make_conversation(handled_by="bot"),
        "snoozed": make_conversation(status="snoozed"),
        "closed": make_conversation(status="closed"),
    }
    for view, conversation in kept.items():
        assert ids(api.get(f"{API}conversations/?view={view}")) == [str(conversation.pk)], view
    assert len(ids(api.get(f"{API}conversations/?view=all"))) == 3
    assert len(ids(api.get(f"{API}conversations/"))) == 5
    assert api.get(f"{API}counters/").json() == {
        "mine": 1,
        "unassigned": 1,
        "all": 3,
        "bot": 1,
        "snoozed": 1,
    }


def test_pages_follow_one_another_without_gap_or_double(api):
    now = timezone.now()
    rows = [make_conversation() for _ in range(120)]
    for index, row in enumerate(rows):
        # Many share a moment: the id must decide.
        moment = now - dt.timedelta(seconds=index // 40)
        Conversation.objects.filter(pk=row.pk).update(updated_at=moment)
    seen, cursor = [], ""
    while cursor is not None:
        page = api.get(f"{API}conversations/", {"cursor": cursor}).json()
        seen += [row["id"] for row in page["results"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize(
    ("query", "field"),
    [("view=everything", "view"), ("cursor=%00", "cursor"), ("cursor=eA", "cursor")],
)
def test_a_wrong_view_or_cursor_is_named(api, query, field):
    answer = api.get(f"{API}conversations/?{query}")
    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["field"]) == ("invalid_field", field)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("broken", True),
        ("LAMP brok", True),
        ("kowalska", True),
        ("vera@shop.example", True),
        ("broken kowalska", False),
        ("lamps", False),
        ('" OR *', False),
        ("'; DROP TABLE", False),
        ("***", False),
    ],
)
def test_search_finds_words_by_their_beginning(api, conversation, words, found):
    make_message(make_conversation(), "Something else")
    assert ids(api.get(f"{API}conversations/", {"search": words})) == (
        [str(conversation.pk)] if found else []
    )


def test_search_folds_accents_and_follows_changes(api, conversation):
    message = make_message(conversation, "Ich möchte Zürich")
    make_message(make_conversation(status="closed"), "Zürich too")
    assert len(ids(api.get(f"{API}conversations/?view=all&search=zürich"))) == 2
    Message.objects.filter(pk=message.pk).update(content="")
    assert len(ids(api.get(f"{API}conversations/?view=all&search=zürich"))) == 1
    conversation.visitor.name = "Renate"
    conversation.visitor.save()
    assert len(ids(api.get(f"{API}conversations/?search=renate"))) == 1
    assert len(ids(api.get(f"{API}conversations/?search=kowalska"))) == 0


def test_search_finds_a_conversation_by_its_id(api, conversation):
    make_conversation()
    assert ids(api.get(f"{API}conversations/?search={conversation.pk}")) == [str(conversation.pk)]


def test_a_list_asks_a_constant_number_of_questions(api, django_assert_max_num_queries):
    for _ in range(12):
        conversation = make_conversation(make_visitor(), operator=make_operator(), team=None)
        conversation.tags.add(make_tag())
        make_message(conversation)
    with django_assert_max_num_queries(12):
        assert len(ids(api.get(f"{API}conversations/"))) == 12


# Events and messages


def test_events_come_in_operators_numbering_with_notes(api, conversation, olga):
    make_note(conversation, "Between us", olga)
    page = api.get(of(conversation, "events")).json()
    assert [event["seq"] for event in page["results"]] == [1, 2]
    assert page["results"][1]["kind"] == "note"
    assert page["head"] == 2
    assert page["next"] is None
    later = api.get(of(conversation, "events"), {"since": 1}).json()
    assert [event["seq"] for event in later["results"]] == [2]
    wrong = api.get(of(conversation, "events"), {"since": "-1"})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "since")


def test_long_histories_come_in_pages(api, conversation):
    for index in range(205):
        make_message(conversation, f"word {index}")
    first = api.get(of(conversation, "events")).json()
    assert len(first["results"]) == 200
    rest = api.get(of(conversation, "events"), {"since": first["next"]}).json()
    assert [event["seq"] for event in rest["results"]] == list(range(201, 207))
    assert rest["next"] is None


def test_a_reply_is_stored_once_however_often_it_is_sent(api, conversation):
    first = send(api, conversation, client_id="a-1")
    again = send(api, conversation, client_id="a-1")
    other = send(api, conversation, client_id="a-1", content="Other words")
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["id"] == again.json()["id"]
    assert {"client_id", "id", "seq", "timestamp"} == set(first.json())
    assert other.json()["code"] == "client_id_conflict"
    assert Message.objects.filter(role="operator").count() == 1


def test_a_note_does_not_take_the_conversation(api, conversation):
    assert send(api, conversation, kind="note").status_code == 201
    conversation.refresh_from_db()
    assert conversation.handled_by == "queue"
    assert conversation.visitor_head == 1


def test_a_reply_to_words_one_has_not_read_is_stale(api, conversation):
    make_message(conversation, "And another thing")
    answer = send(api, conversation, expected_seq=1)
    assert answer.status_code == 409
    assert answer.json()["code"] == "stale"
    assert [event["content"] for event in answer.json()["events"]] == ["And another thing"]
    assert send(api, conversation, expected_seq=2).status_code == 201


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"client_id": ""}, "invalid_field", "client_id"),
        ({"client_id": "ä"}, "invalid_field", "client_id"),
        ({"client_id": "a\n"}, "invalid_field", "client_id"),
        ({"client_id": "x" * 65}, "invalid_field", "client_id"),
        ({"kind": "shout"}, "invalid_field", "kind"),
        ({"content": 5}, "invalid_field", "content"),
        ({"content": None}, "invalid_field", "content"),
        ({"content": ["a"]}, "invalid_field", "content"),
        ({"content": "   "}, "empty_message", "content"),
        ({"content": "x" * 4001}, "too_long", "content"),
        ({"content": "a\x00b"}, "invalid_text", "content"),
        ({"expected_seq": "soon"}, "invalid_field", "expected_seq"),
        ({"attachments": ["x"]}, "invalid_field", "attachments.0"),
    ],
)
def test_what_is_wrong_with_a_message_is_named(api, conversation, body, code, field):
    answer = send(api, conversation, **body)
    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json().get("field")) == (code, field)
    assert not Message.objects.filter(role="operator").exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "bad_json"),
        ('{"a": NaN}', "bad_json"),
        ("[]", "bad_frame"),
        ('"x"', "bad_frame"),
        ('{"client_id": "a", "content": "\\ud800"}', "invalid_text"),
    ],
)
def test_a_broken_body_is_no_traceback(api, conversation, text, code):
    answer = api.post(of(conversation, "messages"), text, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_wrong_method_or_type_is_refused_in_the_same_shape(api, conversation):
    method = api.delete(of(conversation))
    media = api.post(of(conversation, "messages"), "a=b", content_type="text/csv")
    for answer, status in ((method, 405), (media, 415)):
        assert answer.status_code == status
        assert {"code", "message", "retryable"} <= set(answer.json())


def test_a_fault_of_ours_is_told_without_a_traceback(api, conversation, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("inbox.api.conversations.post", broken)
    answer = send(api, conversation)
    assert (answer.status_code, answer.json()["code"]) == (503, "try_again")
    assert answer["Retry-After"] == "1"
    assert "secret" not in answer.content.decode()


# Actions


def test_taking_answers_with_the_new_state(api, conversation, olga):
    row = api.post(of(conversation, "take"), {}, format="json").json()
    assert (row["handled_by"], row["operator"]["id"]) == ("operator", olga.pk)
    assert api.post(of(conversation, "take")).status_code == 200


def test_what_a_colleague_holds_is_taken_only_by_force(api, conversation, support):
    paul = make_operator("Paul", teams=[support])
    client_of(paul).post(of(conversation, "take"))
    answer = api.post(of(conversation, "take"), {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "taken")
    forced = api.post(of(conversation, "take"), {"force": True}, format="json")
    assert forced.json()["operator"]["name"] == "Olga"


def test_assigning_transferring_closing_and_reopening(api, conversation, support):
    paul = make_operator("Paul", teams=[support])
    row = api.post(of(conversation, "assign"), {"operator": paul.pk}, format="json").json()
    assert row["operator"]["name"] == "Paul"
    back = {"operator": Operator.objects.get(display_name="Olga").pk, "comment": "yours"}
    row = api.post(of(conversation, "transfer"), back, format="json").json()
    assert row["operator"]["name"] == "Olga"
    assert api.post(of(conversation, "close")).json()["status"] == "closed"
    refused = send(api, conversation)
    assert (refused.status_code, refused.json()["code"]) == (409, "conversation_closed")
    assert api.post(of(conversation, "reopen")).json()["status"] == "open"


def test_snoozing_needs_a_time(api, conversation):
    missing = api.post(of(conversation, "snooze"))
    assert (missing.status_code, missing.json()["field"]) == (400, "until")
    wrong = api.post(of(conversation, "snooze"), {"until": "soon"}, format="json")
    assert wrong.json()["field"] == "until"
    until = (timezone.now() + dt.timedelta(hours=1)).isoformat()
    row = api.post(of(conversation, "snooze"), {"until": until}, format="json").json()
    assert row["status"] == "snoozed"


@pytest.mark.parametrize("body", [{}, {"team": 1, "operator": 1}, {"team": "a\0"}])
def test_a_transfer_names_one_goal(api, conversation, body):
    answer = api.post(of(conversation, "transfer"), body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_field")


@pytest.mark.parametrize("body", [{"team": 99999}, {"operator": 99999}, {"team": "x"}])
def test_an_unknown_goal_is_not_found(api, conversation, body):
    assert api.post(of(conversation, "transfer"), body, format="json").status_code == 404


def test_reading_takes_the_unread_mark_off(api, conversation):
    row = api.post(of(conversation, "read"), {"seq": 1}, format="json").json()
    assert row["unread"] == 0


def test_unread_words_are_told_of_many_conversations_at_once(api, conversation, support, sales):
    other, hidden = make_conversation(team=support), make_conversation(team=sales)
    for text in ("One", "Two", "Three"):
        make_message(other, text)
    api.post(of(other, "read"), {"seq": 1}, format="json")
    # What the bot says last does not hide what the visitor said before it.
    make_message(other, "An answer", role="assistant")
    asked = ",".join(str(row.pk) for row in (conversation, other, hidden))
    assert api.get(f"{API}unread/?ids={asked}").json() == {
        str(conversation.pk): 1,
        str(other.pk): 2,
    }


@pytest.mark.parametrize(
    ("ids", "status", "code"),
    [
        ("", 400, "invalid_field"),
        ("x", 400, "invalid_field"),
        (",".join(str(uuid.UUID(int=number)) for number in range(101)), 413, "too_large"),
    ],
    ids=["none", "broken", "too many"],
)
def test_unread_words_of_nothing_or_too_much_are_refused(api, ids, status, code):
    answer = api.get(f"{API}unread/?ids={ids}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["field"] == "ids"


def test_tags_are_put_on_and_taken_off_by_name(api, conversation):
    row = api.post(of(conversation, "tag"), {"name": "Return"}, format="json").json()
    assert [tag["name"] for tag in row["tags"]] == ["Return"]
    assert Tag.objects.count() == 1
    row = api.post(of(conversation, "untag"), {"name": "return"}, format="json").json()
    assert row["tags"] == []
    empty = api.post(of(conversation, "tag"), {"name": " "}, format="json")
    assert (empty.status_code, empty.json()["field"]) == (400, "name")


def test_a_visitor_is_blocked_unblocked_and_revoked(api, conversation):
    path = f"{API}visitors/{conversation.visitor.public_id}/"
    assert api.post(f"{path}block/").json()["blocked"] is True
    assert api.post(f"{path}unblock/").json()["blocked"] is False
    before = conversation.visitor.token_epoch
    assert api.post(f"{path}revoke/").status_code == 200
    conversation.visitor.refresh_from_db()
    assert conversation.visitor.token_epoch == before + 1


def test_the_desk_lists_what_a_page_needs(api, olga, support, sales):
    for team in (None, support, sales):
        CannedReply.objects.create(
            shortcut=f"hi{team or ''}".lower(), title="Hi", content="Hi", team=team
        )
    make_tag("vip")
    closed = make_operator("Gone")
    closed.user.is_active = False
    closed.user.save()

    def names(path, field="name"):
        return [row[field] for row in api.get(f"{API}{path}/").json()["results"]]

    assert names("operators") == ["Olga"]
    assert names("teams") == ["Sales", "Support"]
    assert names("tags") == ["vip"]
    assert names("canned-replies", "shortcut") == ["hi", "hisupport"]
    assert set(api.get(API).json()) >= {"conversations", "counters", "operators"}


def test_presence_and_sound_are_ones_own(api, olga):
    row = api.post(f"{API}presence/", {"available": False, "sound": False}, format="json").json()
    assert (row["name"], row["available"]) == ("Olga", False)
    olga.refresh_from_db()
    assert (olga.available, olga.sound) == (False, False)


# The published schema


def test_the_schema_is_valid_and_names_every_endpoint(client):
    import yaml
    from drf_spectacular.validation import validate_schema

    answer = client.get("/api/schema/")
    assert answer.status_code == 200
    schema = yaml.safe_load(answer.content)
    validate_schema(schema)
    paths = set(schema["paths"])
    for action in ("take", "assign", "transfer", "handback", "close", "reopen", "snooze", "read"):
        assert f"/api/v1/conversations/{{conversation_id}}/{action}/" in paths
    assert "/api/v1/visitors/{visitor_id}/block/" in paths
    refusal = schema["components"]["schemas"]["Refusal"]["properties"]
    assert set(refusal) == {"code", "message", "retryable", "retry_after", "field"}
