"""Read marks, ratings, labels and redaction: small writes beside the conversation's flow."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from inbox.actions import reading
from inbox.actions.handoff import request_human
from inbox.actions.rating import rate
from inbox.actions.reading import mark_read
from inbox.actions.redaction import redact
from inbox.actions.tags import add_tag, remove_tag
from inbox.errors import InboxError
from inbox.models import Attachment, Conversation, Event, ReadMarker, Tag
from inbox.testing import (
    make_conversation,
    make_message,
    make_note,
    make_operator,
    make_tag,
    make_visitor,
    visitor_events,
)

pytestmark = pytest.mark.django_db(transaction=True)


def refusal(action, **arguments) -> InboxError:
    with pytest.raises(InboxError) as refused:
        action(**arguments)
    return refused.value


def fresh(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


@pytest.fixture
def olga():
    return make_operator("Olga")


@pytest.fixture
def conversation(olga):
    """Operators' numbers 1-5; the visitor's are 1, -, 2, -, 3."""
    found = make_conversation(operator=olga)
    make_message(found, "one")
    make_note(found, "hidden", olga)
    make_message(found, "two", role="operator")
    make_note(found, "hidden too", olga)
    make_message(found, "three")
    return found


@pytest.fixture
def told(monkeypatch):
    frames = []

    def tell(conversation_id, frame, *, operator_frame):
        frames.append((frame, operator_frame))

    monkeypatch.setattr(reading, "publish_ephemeral", tell)
    return frames


# --- read marks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("seq", "numbers"), [(1, (1, 1)), (2, (3, 2)), (3, (5, 3)), (99, (5, 3))])
def test_a_visitor_s_mark_in_both_numberings(conversation, told, seq, numbers):
    assert mark_read(conversation_id=conversation.id, seq=seq)
    mark = ReadMarker.objects.get()
    assert (mark.operator, mark.seq, mark.visitor_seq) == (None, *numbers)
    assert told == [
        (
            {"type": "read", "role": "user", "upto": numbers[1]},
            {"type": "read", "role": "user", "upto": numbers[0]},
        )
    ]


@pytest.mark.parametrize(
    ("seq", "numbers"), [(1, (1, 1)), (2, (2, 1)), (3, (3, 2)), (4, (4, 2)), (99, (5, 3))]
)
def test_an_operator_s_mark_in_both_numberings(conversation, olga, told, seq, numbers):
    assert mark_read(conversation_id=conversation.id, seq=seq, operator=olga)
    mark = ReadMarker.objects.get()
    assert (mark.operator, mark.seq, mark.visitor_seq) == (olga, *numbers)
    assert told == [
        (
            {"type": "read", "role": "operator", "upto": numbers[1]},
            {"type": "read", "role": "operator", "upto": numbers[0]},
        )
    ]


@pytest.mark.parametrize("by_operator", [True, False])
def test_a_mark_never_moves_back(conversation, olga, told, by_operator):
    reader = olga if by_operator else None
    assert mark_read(conversation_id=conversation.id, seq=3, operator=reader)
    assert not mark_read(conversation_id=conversation.id, seq=1, operator=reader)
    assert not mark_read(conversation_id=conversation.id, seq=3, operator=reader)
    assert len(told) == 1
    mark = ReadMarker.objects.get()
    assert (mark.seq if by_operator else mark.visitor_seq) == 3


def test_a_mark_before_the_first_event_says_nothing(conversation, olga, told):
    assert not mark_read(conversation_id=conversation.id, seq=0)
    assert not mark_read(conversation_id=conversation.id, seq=0, operator=olga)
    assert told == []


def test_each_reader_has_a_mark_of_their_own(conversation, olga):
    paul = make_operator("Paul")
    for reader in (None, olga, paul):
        assert mark_read(conversation_id=conversation.id, seq=2, operator=reader)
    assert ReadMarker.objects.count() == 3


def test_marks_at_the_same_moment_end_at_the_furthest(conversation):
    barrier = threading.Barrier(3)

    def read(seq):
        barrier.wait()
        mark_read(conversation_id=conversation.id, seq=seq)
        connection.close()

    threads = [threading.Thread(target=read, args=(seq,)) for seq in (1, 3, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ReadMarker.objects.get().visitor_seq == 3


def test_reading_refuses_what_makes_no_sense(conversation):
    error = refusal(mark_read, conversation_id=conversation.id, seq=-1)
    assert (error.code, error.field) == ("invalid_field", "seq")
    assert refusal(mark_read, conversation_id=uuid.uuid4(), seq=1).code == "not_found"


# --- ratings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["open", "closed"])
def test_rating_is_kept_also_after_the_end(status):
    conversation = make_conversation(status=status)
    rated = rate(conversation_id=conversation.id, score=4, comment="Quick")
    assert (rated.rating, rated.rating_comment) == (4, "Quick")
    assert (rated.head, visitor_events(rated)) == (1, [])


def test_a_later_rating_replaces_and_the_same_changes_nothing():
    conversation = make_conversation()
    rate(conversation_id=conversation.id, score=2)
    rate(conversation_id=conversation.id, score=5)
    rate(conversation_id=conversation.id, score=5)
    assert (fresh(conversation).rating, fresh(conversation).head) == (5, 2)


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ({"score": 0}, "invalid_field", "score"),
        ({"score": 6}, "invalid_field", "score"),
        ({"score": True}, "invalid_field", "score"),
        ({"score": 3, "comment": "x" * 2001}, "too_long", "comment"),
        ({"score": 3, "comment": "\0"}, "invalid_text", "comment"),
    ],
)
def test_ratings_that_are_refused(arguments, code, field):
    conversation = make_conversation()
    error = refusal(rate, conversation_id=conversation.id, **arguments)
    assert (error.code, error.field) == (code, field)
    assert fresh(conversation).rating is None


def test_nobody_rates_other_people_s_conversations():
    conversation, stranger = make_conversation(), make_visitor()
    arguments = {"conversation_id": conversation.id, "score": 1}
    assert refusal(rate, **arguments, visitor_id=stranger.pk).code == "not_found"
    rate(**arguments, visitor_id=conversation.visitor_id)
    assert fresh(conversation).rating == 1


# --- labels -------------------------------------------------------------------------------------


def test_a_label_by_name_unseen_by_the_visitor(olga):
    conversation = make_conversation()
    tag = add_tag(conversation_id=conversation.id, name="  very   urgent ", operator=olga)
    assert tag.name == "very urgent"
    assert list(conversation.tags.all()) == [tag]
    assert (fresh(conversation).head, visitor_events(conversation)) == (1, [])


def test_the_same_label_in_other_letters_is_the_same():
    conversation, tag = make_conversation(), make_tag("Refund")
    add_tag(conversation_id=conversation.id, name="refund")
    add_tag(conversation_id=conversation.id, name="REFUND")
    assert list(Tag.objects.all()) == [tag]
    assert fresh(conversation).head == 1


@pytest.mark.parametrize(
    ("name", "code"), [("  ", "invalid_field"), ("x" * 41, "too_long"), ("\0", "invalid_text")]
)
def test_names_that_are_refused(name, code):
    error = refusal(add_tag, conversation_id=make_conversation().id, name=name)
    assert (error.code, error.field) == (code, "name")
    assert not Tag.objects.exists()


@pytest.mark.parametrize("by_name", [True, False])
def test_a_label_comes_off_once(by_name):
    conversation = make_conversation()
    tag = add_tag(conversation_id=conversation.id, name="Refund")
    which = {"name": "refund"} if by_name else {"tag_id": tag.pk}
    assert remove_tag(conversation_id=conversation.id, **which)
    assert not remove_tag(conversation_id=conversation.id, **which)
    assert not conversation.tags.exists()
    assert fresh(conversation).head == 2


# --- redaction ----------------------------------------------------------------------------------


def test_redacting_empties_a_message_and_tells_everybody(olga):
    conversation = make_conversation()
    message = make_message(conversation, "My card is 4111 1111", sources=[{"url": "x"}])
    redact(message_id=message.pk, operator=olga)
    message.refresh_from_db()
    assert (message.content, message.sources) == ("", [])
    assert message.redacted_at is not None
    update = visitor_events(conversation)[-1]
    assert update.kind == "message_updated"
    assert update.payload == {"id": str(message.pk), "content": None, "reason": "redacted"}
    assert fresh(conversation).preview == ""


def test_redacting_an_older_message_keeps_the_preview():
    conversation = make_conversation()
    message = make_message(conversation, "secret")
    make_message(conversation, "thanks")
    redact(message_id=message.pk)
    assert fresh(conversation).preview == "thanks"


def test_redacting_a_note_tells_no_visitor(olga):
    conversation = make_conversation()
    redact(message_id=make_note(conversation, "Rude", olga).pk)
    assert (fresh(conversation).head, visitor_events(conversation)) == (2, [])


def test_redacting_twice_is_one_event():
    message = make_message(make_conversation(), "secret")
    redact(message_id=message.pk)
    redact(message_id=message.pk)
    assert Event.objects.filter(kind="message_updated").count() == 1


def test_redacting_deletes_the_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    conversation = make_conversation()
    file = Attachment(name="card.txt", size=4, content_type="text/plain")
    file.file.save("card.txt", ContentFile(b"4111"))
    bare = Attachment.objects.create(name="gone.txt", size=0, content_type="text/plain")
    message = make_message(conversation, "", attachments=[file, bare])
    assert fresh(conversation).preview == "card.txt, gone.txt"
    redact(message_id=message.pk)
    assert not Attachment.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert fresh(conversation).preview == ""


def test_redacting_reaches_earlier_edits_and_packets(robbie):
    conversation = make_conversation(handled_by="bot", bot_key="robbie")
    message = make_message(conversation, "My card is 4111 1111")
    request_human(conversation_id=conversation.id)
    head = fresh(conversation).head + 1
    Conversation.objects.filter(pk=conversation.pk).update(head=head)
    edit = Event.objects.create(
        conversation=conversation,
        seq=head,
        kind="message_updated",
        payload={"id": str(message.pk), "content": "My card is 4111", "reason": "edited"},
        created_at=message.created_at,
    )
    redact(message_id=message.pk)
    edit.refresh_from_db()
    assert edit.payload["content"] is None
    packet = conversation.handoffs.get()
    everything = packet.summary + packet.question + packet.suggested_reply + packet.tried
    assert "4111" not in everything


def test_redacting_what_does_not_exist_is_not_found():
    assert refusal(redact, message_id=uuid.uuid4()).code == "not_found"
