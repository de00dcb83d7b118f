"""The contract's sixth section: what operators see, do and are told."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import httpx2
import pytest

from tests.support.contract import Operator, Visitor, new_client_id
from tests.support.sites import Stack

PUBLIC = {"id", "head", "status", "handled_by", "operator", "team", "visitor", "created_at"}


@pytest.fixture
def vera(stack: Stack) -> Visitor:
    visitor = Visitor(stack.visitor).start()
    visitor.post("hello")
    return visitor


@pytest.fixture(scope="module")
def first_desk(stack: Stack) -> Operator:
    return Operator(stack.operator)


@pytest.fixture
def olga(first_desk: Operator) -> Iterator[Operator]:
    """Olga of Support, whose hands are empty again after each test."""
    yield first_desk
    for row in first_desk.get("conversations/", view="mine").json()["results"]:
        first_desk.act(row["id"], "close")


@pytest.fixture(scope="module")
def otto(stack: Stack) -> Operator:
    """The operator of both teams."""
    return Operator(stack.operator, "operator2")


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["code"] == code
    assert body["message"]
    assert isinstance(body["retryable"], bool)
    return dict(body)


def test_a_conversation_has_at_least_the_promised_fields(vera: Visitor, olga: Operator):
    row = olga.conversation(vera.id)
    assert set(row) >= PUBLIC
    assert row["id"] == vera.id
    assert set(row["visitor"]) >= {"id", "name", "verified"}
    assert row["visitor"]["verified"] is False
    assert (row["status"], row["handled_by"], row["operator"]) == ("open", "bot", None)


@pytest.mark.parametrize("view", ["mine", "unassigned", "all", "bot", "snoozed", "closed"])
def test_each_view_is_a_list_with_results_and_next(vera: Visitor, olga: Operator, view: str):
    page = olga.get("conversations/", view=view).json()
    assert set(page) == {"results", "next"}


def test_a_conversation_wanders_through_the_views(vera: Visitor, olga: Operator):
    def views_with_it() -> set[str]:
        views = ("mine", "unassigned", "all", "bot", "snoozed", "closed")
        return {
            view
            for view in views
            if vera.id
            in [row["id"] for row in olga.get("conversations/", view=view).json()["results"]]
        }

    assert views_with_it() == {"all", "bot"}
    olga.act(vera.id, "take")
    assert views_with_it() == {"all", "mine"}
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    assert olga.act(vera.id, "snooze", until=later).status_code == 200
    assert "snoozed" in views_with_it()
    assert olga.act(vera.id, "close").status_code == 200
    assert "closed" in views_with_it()
    assert olga.act(vera.id, "reopen").status_code == 200
    assert "closed" not in views_with_it()
    assert olga.act(vera.id, "handback").status_code == 200
    assert olga.conversation(vera.id)["handled_by"] == "bot"


def test_search_finds_by_words_of_a_message(stack: Stack, olga: Operator):
    word = f"zebra{uuid.uuid4().hex[:8]}"
    guest = Visitor(stack.visitor).start()
    guest.post(f"I lost my {word} yesterday")
    found = olga.get("conversations/", view="all", search=word).json()["results"]
    assert [row["id"] for row in found] == [guest.id]


def test_lists_are_paged_by_a_cursor_without_repeats(stack: Stack, olga: Operator):
    for _ in range(3):
        Visitor(stack.visitor).start().post("hello")
    seen: list[str] = []
    page = olga.get("conversations/", view="all", page_size=2).json()
    while True:
        seen += [row["id"] for row in page["results"]]
        if not page["next"]:
            break
        following = page["next"]
        if following.startswith("http"):
            page = olga.http.get(following).json()
        else:
            page = olga.get("conversations/", view="all", cursor=following).json()
    assert len(seen) == len(set(seen)) >= 3


def test_an_unknown_view_or_a_malformed_query_is_refused_in_json(olga: Operator):
    for query in ({"view": "nonsense"}, {"view": "all", "cursor": "nonsense"}):
        answer = olga.get("conversations/", **query)
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid_field"


def test_a_reply_is_stored_once_per_client_id_and_conversation(
    stack: Stack, vera: Visitor, olga: Operator
):
    client_id = new_client_id()
    olga.act(vera.id, "take")
    first = olga.write(vera.id, "Hello", client_id=client_id)
    again = olga.write(vera.id, "Hello", client_id=client_id)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert set(first.json()) >= {"client_id", "id", "seq", "timestamp"}
    refused(olga.write(vera.id, "Other", client_id=client_id), 409, "client_id_conflict")
    elsewhere = Visitor(stack.visitor).start()
    elsewhere.post("hello")
    assert olga.write(elsewhere.id, "Hello there", client_id=client_id).status_code == 201


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"content": ""}, "empty_message", None),
        ({"content": "x" * 4001}, "too_long", None),
        ({"content": "a\x00"}, "invalid_text", None),
        ({"content": 7}, "invalid_field", "content"),
        ({"kind": "shout"}, "invalid_field", "kind"),
        ({"client_id": "a b"}, "invalid_field", "client_id"),
        ({"expected_seq": "x"}, "invalid_field", "expected_seq"),
    ],
)
def test_a_malformed_reply_is_refused_with_its_field(
    vera: Visitor, olga: Operator, fields: dict[str, object], code: str, field: str | None
):
    answer = olga.write(vera.id, **{"content": "hello", **fields})  # type: ignore[arg-type]
    body = refused(answer, 400, code)
    assert field is None or body["field"] == field


def test_a_stale_reply_is_refused_with_what_came_since(vera: Visitor, olga: Operator):
    olga.act(vera.id, "take")
    head = olga.conversation(vera.id)["head"]
    vera.post("one more thing")
    answer = olga.write(vera.id, "Bye", expected_seq=head)
    body = refused(answer, 409, "stale")
    assert "one more thing" in str(body)
    assert olga.write(vera.id, "Sure", expected_seq=head + 1).status_code == 201


def test_what_a_colleague_holds_is_taken_only_by_force(
    vera: Visitor, olga: Operator, otto: Operator
):
    assert olga.act(vera.id, "take").status_code == 200
    assert olga.act(vera.id, "take").status_code == 200
    refused(otto.act(vera.id, "take"), 409, "taken")
    assert otto.act(vera.id, "take", force=True).status_code == 200
    assert otto.conversation(vera.id)["handled_by"] == "operator"
    refused(olga.act(vera.id, "take"), 409, "taken")


def test_a_transfer_to_a_team_one_is_not_in_takes_it_out_of_sight(
    vera: Visitor, olga: Operator, otto: Operator
):
    olga.act(vera.id, "take")
    with olga.joined() as desk, otto.joined() as other:
        desk.send("subscribe", conversation_id=vera.id, since=0)
        desk.until("message", content="hello")
        assert olga.act(vera.id, "transfer", team="Sales", comment="Buys much").status_code in {
            200,
            204,
        }
        assert desk.until("gone")["conversation_id"] == vera.id
        assert other.until("summary", conversation_id=vera.id)
        vera.post("are you there?")
        other.until("summary", conversation_id=vera.id, preview="are you there?")
        assert not [
            frame
            for frame in desk.settled()
            if frame.get("conversation_id") == vera.id
            and frame["type"] in {"message", "summary", "conversation"}
            and frame.get("preview", frame.get("content")) == "are you there?"
        ]
    missing = str(uuid.uuid4())
    for path in ("", "events/"):
        gone, never = (olga.get(f"conversations/{id_}/{path}") for id_ in (vera.id, missing))
        assert (gone.status_code, gone.json()) == (404, never.json())
        refused(gone, 404, "not_found")
    for action in ("take", "close", "handback", "reopen", "read"):
        body = {"seq": 1} if action == "read" else {}
        refused(olga.act(vera.id, action, **body), 404, "not_found")
    refused(olga.write(vera.id, "still me"), 404, "not_found")
    assert olga.get(f"visitors/{vera.id}/").status_code == 404
    with olga.joined() as desk:
        desk.send("subscribe", conversation_id=vera.id, since=0)
        error = desk.until("error")
        assert error["code"] == "not_found"
    assert otto.conversation(vera.id)["team"]["name"] == "Sales"
    assert "Buys much" not in str(vera.events(0))


def test_the_socket_tells_of_conversations_the_list_did_not_know(stack: Stack, olga: Operator):
    with olga.joined() as desk:
        guest = Visitor(stack.visitor).start()
        started = time.monotonic()
        guest.post("hello, is anybody there?")
        summary = desk.until("summary", conversation_id=guest.id)
        assert time.monotonic() - started < 3
    assert set(summary) >= {
        "type",
        "conversation_id",
        "head",
        "status",
        "handled_by",
        "preview",
    }
    assert "seq" not in summary


def test_a_subscription_carries_notes_with_their_kind_and_ends(vera: Visitor, olga: Operator):
    olga.act(vera.id, "take")
    with olga.joined() as desk:
        desk.send("subscribe", conversation_id=vera.id, since=0)
        first = desk.until("message")
        assert (first["seq"], first["conversation_id"], first["kind"]) == (1, vera.id, "reply")
        olga.write(vera.id, "hush", kind="note")
        note = desk.until("message", content="hush")
        assert note["kind"] == "note"
        desk.send("unsubscribe", conversation_id=vera.id)
        desk.settled()
        vera.post("later")
        desk.until("summary", preview="later")
        assert not [frame for frame in desk.settled() if frame.get("content") == "later"]


def test_fragments_come_where_the_page_asked_for_them(vera: Visitor, olga: Operator):
    with olga.joined() as desk:
        desk.send("subscribe", conversation_id=vera.id, since=0, html=True)
        fragment = desk.until("fragment")
        assert set(fragment) >= {"target", "action", "html", "version"}
        vera.post("<b>bold</b>")
        later = desk.until("fragment", lambda frame: "bold" in frame["html"])
        assert "<b>bold" not in later["html"]


def test_the_operator_socket_refuses_like_the_visitor_s(vera: Visitor, olga: Operator):
    with olga.joined() as desk:
        for raw, code in (
            ("{", "bad_json"),
            ("[]", "bad_frame"),
            ('{"type":"nonsense"}', "unknown_type"),
        ):
            desk.send_raw(raw)
            assert desk.until("error")["code"] == code
        desk.send("subscribe", conversation_id="x", since=0)
        error = desk.until("error")
        assert (error["code"], error["field"]) == ("invalid_field", "conversation_id")
        desk.settled()
        desk.send_raw("{")
        assert desk.close_code() == 4400


def test_the_operator_socket_checks_session_and_origin(stack: Stack, olga: Operator):
    with olga.connect(signed_in=False) as socket:
        assert socket.close_code() == 4401
    for origin in ("https://evil.example", "null"):
        with olga.connect(origin=origin) as socket:
            assert socket.close_code() == 4403, origin


def test_a_socket_takes_five_hundred_subscriptions(olga: Operator, vera: Visitor):
    connected = olga.connect()
    with connected as desk:
        limits = desk.until("connected").get("limits", {})
        assert limits.get("max_subscriptions", 500) == 500


def test_the_api_wants_a_session_with_csrf_or_a_token(stack: Stack, vera: Visitor, olga: Operator):
    url = f"{stack.operator.url}/api/v1/conversations/"
    assert httpx2.get(url).status_code in {401, 403}
    body = httpx2.get(url).json()
    assert set(body) >= {"code", "message", "retryable"}
    take = f"/api/v1/conversations/{vera.id}/take/"
    assert olga.http.post(take, json={}).status_code == 403
    token = stack.site.manage("frontdesk", "token", "operator").split()[-1]
    headers = {"Authorization": f"Token {token}"}
    assert httpx2.get(url, headers=headers).status_code == 200
    answer = httpx2.post(f"{stack.operator.url}{take}", json={}, headers=headers)
    assert answer.status_code == 200
    wrong = httpx2.get(url, headers={"Authorization": "Token nonsense"})
    assert wrong.status_code in {401, 403}
    assert set(wrong.json()) >= {"code", "message", "retryable"}


def test_the_api_is_described(olga: Operator):
    answer = olga.http.get("/api/schema/", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    paths = answer.json()["paths"]
    for action in ("take", "assign", "transfer", "handback", "close", "reopen", "snooze", "read"):
        assert any(path.endswith(f"/{action}/") for path in paths), action


def test_assigning_gives_it_to_a_colleague(vera: Visitor, olga: Operator, otto: Operator):
    with otto.joined() as desk:
        other = desk.seen[0]["operator"]["id"]
        assert olga.act(vera.id, "assign", operator=other).status_code == 200
        assert desk.until("summary", conversation_id=vera.id, handled_by="operator")
    assert olga.conversation(vera.id)["operator"]["id"] == other
    refused(olga.act(vera.id, "assign", operator=999_999), 404, "not_found")
    refused(olga.act(vera.id, "assign"), 400, "invalid_field")
    otto.act(vera.id, "close")


def test_the_inbox_pages_work_by_plain_addresses(stack: Stack, vera: Visitor, olga: Operator):
    assert httpx2.get(f"{stack.operator.url}/inbox/").status_code == 302
    page = olga.http.get("/inbox/", follow_redirects=True)
    assert page.status_code == 200
    assert "script-src" in page.headers["content-security-policy"]


def test_a_since_beyond_the_head_is_answered_with_the_head_and_reset(vera: Visitor, olga: Operator):
    head = olga.conversation(vera.id)["head"]
    page = olga.get(f"conversations/{vera.id}/events/", since=9_999).json()
    assert page["head"] >= head
    assert page["head"] < 9_999
    assert page["results"] == []
    assert page["reset"]
    with olga.joined() as desk:
        desk.send("subscribe", conversation_id=vera.id, since=9_999)
        assert desk.until("reset")["conversation_id"] == vera.id


def test_what_cannot_exist_is_refused_like_what_does_not(vera: Visitor, olga: Operator):
    for path in ("conversations/nonsense/", "conversations/7/events/", "nonsense/"):
        refused(olga.get(path), 404, "not_found")
    refused(olga.act("nonsense", "take"), 404, "not_found")
    refused(olga.post("visitors/123/block/"), 404, "not_found")
    refused(vera.call("GET", "conversations/nonsense/events"), 404, "not_found")


def test_colleagues_and_teams_go_by_id_or_by_name(vera: Visitor, olga: Operator):
    assert olga.act(vera.id, "assign", operator="operator2").status_code == 200
    assert olga.conversation(vera.id)["operator"]["name"] != "Olga"
    assert olga.act(vera.id, "transfer", operator="operator").status_code == 200
    assert olga.conversation(vera.id)["operator"]["name"] == "Olga"
    refused(olga.act(vera.id, "transfer", team="Nobody"), 404, "not_found")
    for nonsense in (True, 0, -1, "", 1.5, ["Sales"], 10**30, "a\0"):
        refused(olga.act(vera.id, "assign", operator=nonsense), 400, "invalid_field")
