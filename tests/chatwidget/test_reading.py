"""Reading over HTTP in one process: places, waiting, streams, the plain page."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest

from chatwidget.holding import count_held
from chatwidget.paging import Asked, Place, find_place, next_page
from chatwidget.standing import Standing
from chatwidget.streaming import open_event_stream
from inbox.actions.transitions import close
from inbox.errors import InboxError
from inbox.models import Visitor
from inbox.realtime.hub import get_hub
from inbox.realtime.publish import attach_hub
from inbox.testing import make_conversation, make_message, make_operator, make_visitor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def hub():
    found = get_hub()
    yield found
    await found.close()
    attach_hub(None)


def talk(words=("Hello",), **fields):
    """A visitor and their conversation with these words."""
    visitor = make_visitor(widget_key="shop")
    conversation = make_conversation(visitor, id=visitor.session_id, **fields)
    for text in words:
        make_message(conversation, text)
    return visitor, conversation


def end(conversation):
    close(conversation_id=conversation.id, operator=make_operator("Olga", view_all=True))
    conversation.refresh_from_db()
    return conversation


def begin_next(visitor, text="Again"):
    visitor.refresh_from_db()
    following = make_conversation(visitor, id=visitor.session_id)
    make_message(following, text)
    return following


async def somebody_reads(hub, conversation_id):
    """Wait until a reader of this conversation is registered."""
    async with asyncio.timeout(10):
        while str(conversation_id) not in hub.topics:
            await asyncio.sleep(0.01)
    return tuple(hub.topics[str(conversation_id)].readers)


# Places


def test_a_reader_goes_on_in_the_conversation_on_the_screen(db):
    visitor, conversation = talk(["One", "Two"])
    found = find_place(visitor.pk, Asked(since="1"))
    assert (found.standing.session_id, found.since, found.reset) == (conversation.id, 1, None)


def test_what_was_said_at_the_end_is_read_before_the_next_beginning(db):
    visitor, conversation = talk(["One", "Two"])
    head = end(conversation).visitor_head
    found = find_place(visitor.pk, Asked(since="2"))
    assert (found.standing.session_id, found.since, found.reset) == (conversation.id, 2, None)
    following = begin_next(visitor)
    # Without a name the place is that of the conversation on the screen now.
    assert find_place(visitor.pk, Asked(since="0")).standing.session_id == following.id
    named = Asked(session_id=conversation.id, since="2")
    assert find_place(visitor.pk, named).reset is None
    done = find_place(visitor.pk, Asked(session_id=conversation.id, since=str(head)))
    assert done.reset == {"reset": "closed", "session_id": str(following.id)}
    assert done.reset_frame() == {
        "type": "reset",
        "reason": "closed",
        "session_id": str(following.id),
    }


def test_a_reader_of_nothing_yet_starts_at_nothing(db):
    visitor = make_visitor(widget_key="shop")
    for since in (None, "", "0"):
        found = find_place(visitor.pk, Asked(since=since))
        assert (found.standing.conversation, found.since, found.reset) == (None, 0, None)
    assert find_place(visitor.pk, Asked(since="3")).reset == {"reset": "ahead"}


def test_somebody_elses_conversation_is_not_found(db):
    _, foreign = talk()
    visitor = make_visitor(widget_key="shop")
    for session_id in (foreign.id, uuid.uuid4()):
        with pytest.raises(InboxError) as refused:
            find_place(visitor.pk, Asked(session_id=session_id))
        assert refused.value.code == "not_found"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (Asked(since="5"), "ahead"),
        (Asked(since="-1"), "ahead"),
        (Asked(since="1.5"), "ahead"),
        (Asked(since="²"), "ahead"),
        (Asked(since="9" * 40), "ahead"),
        (Asked(since="1", epoch="other"), "epoch"),
        (Asked(epoch="other"), "epoch"),
    ],
)
def test_an_unknown_place_is_reset(db, asked, reason):
    visitor, _ = talk()
    assert find_place(visitor.pk, asked).reset == {"reset": reason}


# Waiting


async def test_a_wait_without_news_ends_empty(db, hub):
    visitor, _ = await asyncio.to_thread(talk)
    page = await next_page(visitor.pk, Asked(since="1"), wait_seconds=0.3)
    assert (page["events"], page["head"]) == ([], 1)
    assert hub.topics == {}


async def test_a_wait_ends_with_the_next_event(db, hub):
    visitor, conversation = await asyncio.to_thread(talk)
    waiting = asyncio.create_task(next_page(visitor.pk, Asked(since="1"), wait_seconds=10))
    await somebody_reads(hub, conversation.id)
    await asyncio.to_thread(make_message, conversation, "News", role="operator")
    async with asyncio.timeout(5):
        page = await waiting
    assert [event["content"] for event in page["events"]] == ["News"]
    assert (page["head"], hub.topics) == (2, {})


async def test_words_that_nobody_stores_wake_no_reader(db, hub):
    visitor, conversation = await asyncio.to_thread(talk)
    waiting = asyncio.create_task(next_page(visitor.pk, Asked(since="1"), wait_seconds=1))
    for reader in await somebody_reads(hub, conversation.id):
        reader.send({"type": "typing", "role": "operator", "is_typing": True})
    assert (await waiting)["events"] == []


async def test_a_reader_at_the_end_hears_of_the_next_beginning(db, hub):
    def ended():
        visitor, conversation = talk()
        return visitor, end(conversation)

    visitor, conversation = await asyncio.to_thread(ended)
    asked = Asked(since=str(conversation.visitor_head))
    waiting = asyncio.create_task(next_page(visitor.pk, asked, wait_seconds=10))
    await somebody_reads(hub, conversation.id)
    following = await asyncio.to_thread(begin_next, visitor)
    async with asyncio.timeout(5):
        told = await waiting
    assert told == {"reset": "closed", "session_id": str(following.id)}


async def test_events_over_http_answer_in_both_forms(db, hub, async_client, widget, settings):
    settings.CHATWIDGET_LONG_POLL_SECONDS = 0.2
    opened = await async_client.post(
        "/chat/session", '{"widget": "shop"}', content_type="application/json"
    )
    token = {"Authorization": f"Bearer {opened.json()['token']}"}
    page = await async_client.get("/chat/events", headers=token)
    assert page.json()["events"] == []
    stream = await async_client.get("/chat/events", headers=token | {"Accept": "text/event-stream"})
    assert stream["Content-Type"] == "text/event-stream; charset=utf-8"
    visitor = await Visitor.objects.aget()
    chunks = aiter(stream.streaming_content)
    first = (await anext(chunks)).decode()
    assert first.startswith('data: {"type":"connected"')
    assert count_held(visitor.pk) == 1
    sent = await async_client.post(
        "/chat/messages",
        '{"client_id": "a", "content": "Hello"}',
        content_type="application/json",
        headers=token,
    )
    assert sent.status_code == 201
    text = ""
    while "id: 1\n" not in text:
        text += (await anext(chunks)).decode()
    wrong = await async_client.post(
        "/chat/frames",
        json.dumps({"type": "message", "client_id": "a", "content": "x"}),
        content_type="application/json",
        headers=token,
    )
    assert wrong.json()["code"] == "unknown_type"
    await chunks.aclose()
    conversation_id = opened.json()["session_id"]
    own = await async_client.get(f"/chat/conversations/{conversation_id}/events", headers=token)
    assert own.json()["events"][0]["content"] == "Hello"
    other = await async_client.get(f"/chat/conversations/{uuid.uuid4()}/events", headers=token)
    assert other.status_code == 404


async def test_a_stream_says_reset_and_goes_on_from_the_head(db, hub, settings):
    visitor, _ = await asyncio.to_thread(talk)
    response = await open_event_stream(visitor, Asked(since="7"))
    chunks = aiter(response.streaming_content)
    text = (await anext(chunks)).decode()
    assert '{"type":"reset","reason":"ahead"}' in text
    assert "id:" not in text
    await chunks.aclose()
    settings.CHATWIDGET_MAX_SOCKETS = 0
    with pytest.raises(InboxError) as refused:
        await open_event_stream(visitor, Asked())
    assert refused.value.code == "rate_limited"


async def test_an_idle_stream_sends_comments(db, hub, monkeypatch):
    monkeypatch.setattr("chatwidget.streaming.COMMENT_SECONDS", 0.05)
    visitor, _ = await asyncio.to_thread(talk, ())
    response = await open_event_stream(visitor, Asked())
    chunks = aiter(response.streaming_content)
    async with asyncio.timeout(10):
        while (await anext(chunks)).decode() != ": heartbeat\n\n":
            pass
    await chunks.aclose()


def test_a_place_without_reset_has_no_frame_to_tell():
    place = Place(standing=Standing(session_id=uuid.uuid4(), epoch="e"), since=0)
    assert place.reset_frame() == {"type": "reset", "reason": "closed"}


# The page without scripts


async def test_the_plain_page_sends_looks_and_asks_for_people(
    db, hub, async_client, widget, monkeypatch
):
    monkeypatch.setattr("chatwidget.views.page.ANSWER_SECONDS", 0.1)
    page = await async_client.get("/chat/?widget=shop", headers={"Accept-Language": "de"})
    assert 'lang="de"' in page.content.decode()
    assert "Ihre Nachricht" in page.content.decode()
    fields = {"widget": "shop", "client_id": "form", "token": ""}
    sent = await async_client.post("/chat/", fields | {"do": "send", "content": "<i>Hello</i>"})
    text = sent.content.decode()
    assert "&lt;i&gt;Hello&lt;/i&gt;" in text
    token = sent.context["token"]
    looked = await async_client.post("/chat/", {"widget": "shop", "token": token, "do": "look"})
    assert "Hello" in looked.content.decode()
    asked = await async_client.post("/chat/", {"widget": "shop", "token": token, "do": "human"})
    assert asked.status_code == 200
    refused = await async_client.post(
        "/chat/", fields | {"do": "send", "content": " ", "client_id": "x" * 70, "token": token}
    )
    assert refused.status_code == 400
    assert "Hello" in refused.content.decode()
    assert (await async_client.delete("/chat/")).status_code == 405
    assert (await async_client.get("/chat/?widget=nowhere")).status_code == 404
    foreign = await async_client.post("/chat/", fields, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
