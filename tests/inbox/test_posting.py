"""Posting: effectively once, in order, gap-free, for one and for many."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inbox.actions.posting import Draft, OperatorSender, Posted, VisitorSender, post, post_batch
from inbox.errors import InboxError
from inbox.models import Conversation, Event, HandledBy, Message, Status
from inbox.testing import make_conversation, make_operator, make_visitor, transcript

pytestmark = pytest.mark.django_db(transaction=True)


def from_visitor(visitor, content="Hello", client_id=None, conversation_id=None, **fields):
    return Draft(
        sender=VisitorSender(visitor_id=visitor.pk),
        conversation_id=conversation_id or visitor.session_id,
        client_id=client_id or uuid.uuid4().hex,
        content=content,
        **fields,
    )


def from_operator(operator, conversation, content="Hello", **fields):
    return Draft(
        sender=OperatorSender(operator_id=operator.pk),
        conversation_id=conversation.id,
        client_id=fields.pop("client_id", uuid.uuid4().hex),
        content=content,
        **fields,
    )


def code_of(draft) -> str:
    with pytest.raises(InboxError) as refused:
        post(draft)
    return refused.value.code


def test_the_first_message_creates_the_conversation_under_the_promised_id():
    vera = make_visitor()
    posted = post(from_visitor(vera))
    conversation = Conversation.objects.get(visitor=vera)
    assert conversation.id == vera.session_id == posted.conversation_id
    assert posted.seq == 1
    assert conversation.waiting_since is not None


def test_a_resend_names_the_row_that_was_stored_first():
    vera = make_visitor()
    first = post(from_visitor(vera, "once", "c1"))
    again = post(from_visitor(vera, "once", "c1"))
    assert (again.id, again.seq, again.timestamp) == (first.id, first.seq, first.timestamp)
    assert again.duplicate
    assert Message.objects.filter(role="user").count() == 1


def test_the_same_client_id_twice_in_one_batch_is_one_message():
    vera = make_visitor()
    first, again = post_batch([from_visitor(vera, "x", "c1"), from_visitor(vera, "x", "c1")])
    assert first.id == again.id
    assert Message.objects.filter(role="user").count() == 1


def test_the_same_client_id_with_other_words_is_a_conflict_and_stores_nothing():
    vera = make_visitor()
    post(from_visitor(vera, "one", "c1"))
    assert code_of(from_visitor(vera, "two", "c1")) == "client_id_conflict"
    assert Message.objects.filter(role="user").count() == 1


def test_a_visitors_resend_is_found_across_their_conversations():
    vera = make_visitor()
    first = post(from_visitor(vera, "once", "c1"))
    Conversation.objects.update(status=Status.CLOSED)
    vera.session_id = uuid.uuid4()
    vera.save()
    again = post(from_visitor(vera, "once", "c1"))
    assert again.conversation_id == first.conversation_id
    assert Conversation.objects.count() == 1


def test_a_message_to_a_closed_conversation_opens_the_next_one():
    vera = make_visitor()
    first = post(from_visitor(vera))
    old = first.conversation_id
    Conversation.objects.update(status=Status.CLOSED)
    vera.session_id = uuid.uuid4()
    vera.save()
    posted = post(from_visitor(vera, "me again", conversation_id=old))
    assert posted.conversation_id == vera.session_id != old
    assert posted.seq == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "empty_message"),
        (" \n\t", "empty_message"),
        ("a\x00b", "invalid_text"),
        ("a\ud800", "invalid_text"),
        ("x" * 4001, "too_long"),
    ],
)
def test_bad_text_is_refused_and_nothing_is_stored(content, code):
    vera = make_visitor()
    assert code_of(from_visitor(vera, content)) == code
    assert not Conversation.objects.exists()


def test_the_limit_counts_code_points():
    vera = make_visitor()
    assert post(from_visitor(vera, "👋" * 4000)).seq == 1


def test_one_refused_message_does_not_hold_up_the_next():
    vera = make_visitor()
    results = post_batch(
        [from_visitor(vera, "one"), from_visitor(vera, ""), from_visitor(vera, "two")]
    )
    assert [type(r) for r in results] == [Posted, InboxError, Posted] or isinstance(
        results[1], InboxError
    )
    assert [role_and_text[1] for role_and_text in transcript(Conversation.objects.get())][:2]
    stored = list(Message.objects.filter(role="user").values_list("content", flat=True))
    assert sorted(stored) == ["one", "two"]


def test_a_visitor_cannot_write_into_somebody_elses_conversation():
    tom = make_visitor()
    theirs = make_conversation(tom)
    vera = make_visitor()
    posted = post(from_visitor(vera, "hello", conversation_id=theirs.id))
    assert posted.conversation_id == vera.session_id
    assert theirs.messages.count() == 0


def test_a_blocked_visitor_is_refused(django_user_model):
    vera = make_visitor()
    post(from_visitor(vera))
    vera.refresh_from_db()
    vera.blocked_at = vera.created_at
    vera.save()
    assert code_of(from_visitor(vera, "again")) == "blocked"
    tom = make_visitor(blocked_at=vera.created_at)
    assert code_of(from_visitor(tom)) == "blocked"
    assert not Conversation.objects.filter(visitor=tom).exists()


def test_an_operator_who_replies_answers_from_now_on():
    olga = make_operator()
    conversation = make_conversation(handled_by=HandledBy.QUEUE)
    post(from_operator(olga, conversation, "Hi"))
    conversation.refresh_from_db()
    assert conversation.handled_by == HandledBy.OPERATOR
    assert conversation.operator == olga
    assert conversation.ownership == 2
    assert conversation.waiting_since is None


def test_a_note_changes_no_owner_and_no_visitor_number():
    olga = make_operator()
    conversation = make_conversation(handled_by=HandledBy.QUEUE)
    posted = post(from_operator(olga, conversation, "between us", kind="note"))
    conversation.refresh_from_db()
    assert posted.seq == 1
    assert (conversation.head, conversation.visitor_head) == (1, 0)
    assert conversation.handled_by == HandledBy.QUEUE
    assert conversation.preview == ""


def test_an_operators_client_id_counts_per_conversation():
    olga = make_operator()
    one, two = make_conversation(), make_conversation()
    first = post(from_operator(olga, one, "a", client_id="c1"))
    second = post(from_operator(olga, two, "b", client_id="c1"))
    assert first.id != second.id
    assert post(from_operator(olga, one, "a", client_id="c1")).id == first.id


def test_a_reply_written_on_an_old_state_is_stale():
    olga = make_operator()
    conversation = make_conversation(operator=olga)
    post(from_operator(olga, conversation, "one"))
    assert code_of(from_operator(olga, conversation, "two", expected_seq=0)) == "stale"
    conversation.refresh_from_db()
    assert post(from_operator(olga, conversation, "two", expected_seq=conversation.head)).seq


def test_a_reply_to_a_closed_conversation_is_refused():
    olga = make_operator()
    conversation = make_conversation(status=Status.CLOSED)
    assert code_of(from_operator(olga, conversation)) == "conversation_closed"


def test_a_colleague_may_reply_without_taking_the_conversation():
    olga, otto = make_operator("Olga"), make_operator("Otto")
    conversation = make_conversation(operator=olga)
    post(from_operator(otto, conversation, "by the way"))
    conversation.refresh_from_db()
    assert conversation.operator == olga


def in_threads(count, work):
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def run(number):
        try:
            start.wait()
            work(number)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_eight_clients_racing_one_client_id_store_one_row():
    vera = make_visitor()
    ids = []
    in_threads(8, lambda _: ids.append(post(from_visitor(vera, "race", "c1")).id))
    assert len(set(ids)) == 1
    assert Message.objects.filter(role="user").count() == 1
    assert Conversation.objects.count() == 1


def test_numbers_have_no_gap_under_concurrent_writers():
    visitors = [make_visitor() for _ in range(3)]
    olga = make_operator()
    for visitor in visitors:
        post(from_visitor(visitor))

    def work(number):
        visitor = visitors[number % 3]
        for _ in range(5):
            post(from_visitor(visitor, f"from {number}"))
            conversation = Conversation.objects.get(id=visitor.session_id)
            post(from_operator(olga, conversation, "note", kind="note"))

    in_threads(6, work)
    for visitor in visitors:
        conversation = Conversation.objects.get(id=visitor.session_id)
        events = Event.objects.filter(conversation=conversation)
        seqs = list(events.order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, conversation.head + 1))
        shown = events.filter(visitor_seq__isnull=False).order_by("visitor_seq")
        numbers = list(shown.values_list("visitor_seq", flat=True))
        assert numbers == list(range(1, conversation.visitor_head + 1))


def test_thirty_messages_to_one_operator_take_as_many_statements_as_one():
    olga = make_operator(available=True)
    conversations = [make_conversation(operator=olga, handled_by="operator") for _ in range(30)]

    def statements(several):
        drafts = [from_visitor(each.visitor, conversation_id=each.id) for each in several]
        with CaptureQueriesContext(connection) as asked:
            assert all(isinstance(posted, Posted) for posted in post_batch(drafts))
        return len(asked)

    assert statements(conversations) == statements(conversations[:1])
