"""Visitors: blocked, revoked, seen on a page, and guests who become known."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connection, transaction
from django.utils import timezone

from inbox.actions import merging, visitors
from inbox.actions.posting import Draft, VisitorSender, post
from inbox.actions.transitions import close
from inbox.actions.visitors import block, identify, revoke, unblock, visit_page
from inbox.errors import InboxError
from inbox.models import Attachment, Conversation, Message, Visitor
from inbox.testing import (
    make_conversation,
    make_message,
    make_user,
    make_visitor,
    transcript,
    visitor_events,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def controls(monkeypatch):
    told = []

    def tell(kind, *, id, close_code):
        told.append((kind, id, close_code))

    monkeypatch.setattr(visitors, "publish_control", tell)
    monkeypatch.setattr(merging, "publish_control", tell)
    return told


def say(visitor: Visitor, content: str, client_id: str = "", conversation_id=None):
    return post(
        Draft(
            sender=VisitorSender(visitor_id=visitor.pk),
            conversation_id=conversation_id or visitor.session_id,
            client_id=client_id or uuid.uuid4().hex,
            content=content,
        )
    )


def refused(visitor: Visitor, content: str = "Hello", **fields) -> str:
    with pytest.raises(InboxError) as error:
        say(visitor, content, **fields)
    return error.value.code


def again(visitor: Visitor) -> Visitor:
    return Visitor.objects.get(pk=visitor.pk)


def person(**fields) -> Visitor:
    return make_visitor("Vera", external_id="jwt:vera", **fields)


def identified(guest: Visitor | None = None, **claims) -> Visitor:
    return identify(
        widget_key="demo",
        external_id="jwt:vera",
        guest_id=guest.pk if guest else None,
        **claims,
    )


# --- blocked and revoked ------------------------------------------------------------------------


def test_blocking_closes_sockets_and_refuses_words(controls):
    vera = make_visitor()
    block(visitor_id=vera.pk)
    assert controls == [("visitor", vera.pk, 4499)]
    assert refused(vera) == "blocked"
    assert Message.objects.count() == 0


def test_blocking_twice_keeps_the_first_moment():
    vera = make_visitor()
    block(visitor_id=vera.pk)
    first = again(vera).blocked_at
    block(visitor_id=vera.pk)
    assert again(vera).blocked_at == first


def test_unblocking_takes_words_again():
    vera = make_visitor(blocked_at=timezone.now())
    unblock(visitor_id=vera.pk)
    assert say(vera, "Hello").seq == 1


def test_revoking_makes_tokens_worthless(controls):
    vera = make_visitor()
    revoke(visitor_id=vera.pk)
    assert again(vera).token_epoch == 1
    assert controls == [("visitor", vera.pk, 4401)]


def test_a_block_that_is_rolled_back_closes_nothing(controls):
    vera = make_visitor()
    with pytest.raises(RuntimeError), transaction.atomic():
        block(visitor_id=vera.pk)
        raise RuntimeError
    assert controls == []


def test_the_page_is_a_clipped_claim():
    vera = make_visitor()
    visit_page(visitor_id=vera.pk, url="https://shop.example/" + "x" * 3000, title="A\n lamp\0")
    vera.refresh_from_db()
    assert len(vera.page_url) == 2000
    assert vera.page_title == "A lamp"
    assert vera.last_seen_at is not None


# --- guests who become known --------------------------------------------------------------------


def test_a_new_person_is_made():
    user = make_user("vera")
    found = identified(name="Vera\nVogel", email="vera@shop.example", user_id=user.pk)
    assert (found.external_id, found.verified) == ("jwt:vera", True)
    assert (found.name, found.email, found.user) == ("Vera Vogel", "vera@shop.example", user)
    assert identified() == found
    assert again(found).name == "Vera Vogel"


def test_new_claims_replace_old_ones():
    vera = person()
    assert identified(name="Vera V.").name == "Vera V."
    assert again(vera).name == "Vera V."


def test_a_guest_becomes_a_new_person_in_place():
    guest = make_visitor()
    conversation = make_conversation(guest, handled_by="bot")
    known = identified(guest, name="Vera")
    assert known.pk == guest.pk
    assert (known.external_id, known.session_id) == ("jwt:vera", conversation.id)


def test_the_same_sub_at_another_widget_is_somebody_else():
    other = make_visitor(widget_key="other", external_id="jwt:vera")
    assert identified().pk != other.pk


def test_a_guest_of_another_widget_is_left_alone():
    guest = make_visitor(widget_key="other")
    assert identified(guest).pk != guest.pk


def test_a_guest_s_conversation_becomes_the_known_person_s(controls):
    vera, guest = person(), make_visitor()
    conversation = make_conversation(guest, handled_by="bot")
    assert identified(guest) == vera
    conversation.refresh_from_db()
    assert conversation.visitor == vera
    assert again(vera).session_id == conversation.id
    merged = again(guest)
    assert merged.merged_into == vera
    assert merged.token_epoch == 1
    assert merged.session_id != conversation.id
    assert controls == [("visitor", guest.pk, 4401)]
    assert (conversation.head, visitor_events(conversation)) == (1, [])


def test_a_guest_s_conversation_stays_in_the_list_of_who_has_an_open_one():
    vera, guest = person(), make_visitor()
    own = make_conversation(vera, handled_by="bot")
    brought = make_conversation(guest, handled_by="bot")
    identified(guest)
    assert again(vera).session_id == own.id
    assert set(Conversation.objects.filter(visitor=vera)) == {own, brought}
    assert Conversation.objects.get(pk=brought.pk).status == "open"


def test_a_closed_conversation_of_the_person_gives_way():
    vera, guest = person(), make_visitor()
    make_conversation(vera, status="closed")
    brought = make_conversation(guest)
    identified(guest)
    assert again(vera).session_id == brought.id


def test_a_guest_who_said_nothing_leaves_the_person_s_place_alone():
    vera, guest = person(), make_visitor()
    place = vera.session_id
    identified(guest)
    assert again(vera).session_id == place
    assert again(guest).merged_into == vera


def test_closed_conversations_of_the_guest_come_along_silently():
    vera, guest = person(), make_visitor()
    ended = make_conversation(guest, status="closed")
    identified(guest)
    ended.refresh_from_db()
    assert (ended.visitor, ended.head) == (vera, 0)


def test_resends_after_becoming_known_find_the_first_row():
    vera, guest = person(), make_visitor()
    first = say(guest, "Where is it?", client_id="c1")
    identified(guest)
    second = say(again(vera), "Where is it?", client_id="c1")
    assert (second.id, second.duplicate) == (first.id, True)
    assert Message.objects.filter(role="user").count() == 1


def test_a_client_id_that_both_used_stays_the_person_s_own():
    vera, guest = person(), make_visitor()
    own = say(vera, "Mine", client_id="c1")
    say(guest, "Guest's", client_id="c1")
    identified(guest)
    assert say(again(vera), "Mine", client_id="c1", conversation_id=own.conversation_id).duplicate


def test_files_of_the_guest_come_along():
    vera, guest = person(), make_visitor()
    file = Attachment.objects.create(visitor=guest, name="a.txt", size=1, content_type="text/plain")
    identified(guest)
    file.refresh_from_db()
    assert file.visitor == vera


@pytest.mark.parametrize(
    "fields", [{"blocked_at": timezone.now()}, {"external_id": "jwt:someone-else"}]
)
@pytest.mark.parametrize("exists", [True, False])
def test_who_is_blocked_or_known_hands_over_nothing(fields, exists):
    if exists:
        person()
    other = make_visitor(**fields)
    conversation = make_conversation(other)
    found = identified(other)
    assert found.pk != other.pk
    assert Conversation.objects.get(pk=conversation.pk).visitor == other
    assert again(other).merged_into is None


def test_becoming_known_twice_changes_nothing_more(controls):
    vera, guest = person(), make_visitor()
    make_conversation(guest)
    identified(guest)
    identified(guest)
    identified(vera)
    assert len(controls) == 1
    assert again(guest).token_epoch == 1


def test_an_unknown_guest_is_ignored():
    vera = person()
    assert identify(widget_key="demo", external_id="jwt:vera", guest_id=999) == vera


def test_words_of_a_guest_who_has_become_known_are_not_lost():
    """The old socket still sends; it is told to try again and comes back as the person."""
    vera, guest = person(), make_visitor()
    conversation = make_conversation(guest)
    identified(guest)
    assert refused(guest, "One more", client_id="c9") == "try_again"
    assert (
        refused(guest, "One more", client_id="c9", conversation_id=conversation.id) == "try_again"
    )
    assert say(again(vera), "One more", client_id="c9").conversation_id == conversation.id
    assert Conversation.objects.count() == 1


def test_first_words_while_the_guest_becomes_known_end_in_one_place():
    """Whatever the order, no conversation is left under the guest who is no more."""
    for _ in range(5):
        Visitor.objects.all().delete()
        vera, guest = person(), make_visitor()
        barrier = threading.Barrier(2)
        outcome = []

        def speak(guest=guest, barrier=barrier, outcome=outcome):
            barrier.wait()
            try:
                say(guest, "Hello", client_id="c1")
            except InboxError as error:
                outcome.append(error.code)
            connection.close()

        def become(guest=guest, barrier=barrier):
            barrier.wait()
            identified(guest)
            connection.close()

        threads = [threading.Thread(target=speak), threading.Thread(target=become)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcome in ([], ["try_again"])
        assert not Conversation.objects.filter(visitor=guest).exists()
        stored = say(again(vera), "Hello", client_id="c1")
        assert stored.duplicate is (outcome == [])


def test_a_person_goes_on_after_the_brought_conversation_is_closed():
    vera, guest = person(), make_visitor()
    brought = make_conversation(guest)
    make_message(brought, "Hello")
    identified(guest)
    close(conversation_id=brought.id)
    posted = say(again(vera), "Next")
    assert posted.conversation_id == again(vera).session_id != brought.id
    assert transcript(brought) == [("user", "Hello")]
