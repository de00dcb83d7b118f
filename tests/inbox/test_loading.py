"""Rows that are read past the ORM are the rows that it would have read."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models.signals import pre_init
from django.utils import timezone

from inbox.actions.loading import Wanted, load, load_together
from inbox.actions.posting import Posted, post_batch
from inbox.models import Conversation, Event, Message, Operator, Team, Visitor
from inbox.models.webhook import WebhookEndpoint
from inbox.testing import make_conversation, make_operator, make_team, make_visitor
from tests.inbox.test_posting import from_operator, from_visitor

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = (Conversation, Event, Message, Operator, Team, Visitor, WebhookEndpoint)


def attributes(row):
    return {name: value for name, value in vars(row).items() if name != "_state"}


@pytest.fixture
def world():
    """A little of everything, with and without the values that may be missing."""
    emma = make_operator("emma", teams=[make_team("Support")])
    for conversation in (make_conversation(make_visitor()), make_conversation(make_visitor())):
        post_batch([from_operator(emma, conversation), from_operator(emma, conversation)])
    Conversation.objects.filter(pk=conversation.pk).update(snoozed_until=timezone.now(), rating=4)
    Message.objects.update(sources=[{"title": "Ä", "url": "/x", "snippet": ""}])
    WebhookEndpoint.objects.create(url="https://example.org/", enabled=True)


@pytest.mark.parametrize("model", [*MODELS, None], ids=lambda m: m.__name__ if m else "User")
def test_a_loaded_row_is_what_the_orm_reads(world, model):
    model = model or get_user_model()
    stored = {row.pk: row for row in model._default_manager.all()}
    found = load(model, stored)
    assert found
    assert [attributes(row) for row in found] == [
        attributes(row) for _, row in sorted(stored.items(), key=lambda pair: pair[0])
    ]
    assert not any(row._state.adding for row in found)


def test_a_key_is_never_cut_to_the_length_of_its_column(world):
    [stored] = Message.objects.all()[:1]
    Message.objects.filter(pk=stored.pk).update(dedupe_key="k" * 160)
    assert [row.pk for row in load(Message, ["k" * 160], by="dedupe_key")] == [stored.pk]
    assert load(Message, ["k" * 161], by="dedupe_key") == []


def test_nothing_is_asked_for_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert load(Visitor, set()) == []


def test_several_wishes_are_answered_each_with_its_own_rows(world):
    vera, emma = Visitor.objects.first(), Operator.objects.get()
    visitors, nobody, accounts, operators = load_together(
        Wanted(Visitor, [vera.pk]),
        Wanted(Team, []),
        Wanted(get_user_model(), [emma.pk], through=(Operator, "user_id")),
        Wanted(Operator, [emma.pk, 999_999]),
    )
    assert (visitors, nobody, accounts, operators) == ([vera], [], [emma.user], [emma])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no round trips")
def test_a_message_takes_few_round_trips(world):
    """Each costs the writing thread two waits, whatever it asks."""
    WebhookEndpoint.objects.all().delete()
    Operator.objects.update(available=True, last_seen_at=timezone.now())
    conversation = Conversation.objects.select_related("visitor").exclude(operator=None).first()
    trips = []

    def note(execute, sql, params, many, context):
        trips.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        draft = from_visitor(conversation.visitor, conversation_id=conversation.pk)
        assert isinstance(post_batch([draft])[0], Posted)
    assert len(trips) <= 5


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only there parameters are bound so")
def test_a_server_that_binds_parameters_itself_is_sent_one_statement_at_a_time(world, monkeypatch):
    options = connection.settings_dict["OPTIONS"]
    connection.close()
    monkeypatch.setitem(options, "server_side_binding", True)
    conversation = Conversation.objects.exclude(operator=None).first()
    try:
        draft = from_visitor(conversation.visitor, conversation_id=conversation.pk)
        assert isinstance(post_batch([draft])[0], Posted)
    finally:
        connection.close()


def test_a_batch_of_messages_sends_no_row_through_the_models_constructor():
    """It cost more than storing the row."""
    emma = make_operator("emma", available=True)
    visitors = [make_visitor() for _ in range(20)]
    for visitor in visitors:
        conversation = make_conversation(visitor)
        post_batch([from_operator(emma, conversation)])
    built = []
    pre_init.connect(count := lambda sender, **_: built.append(sender))
    try:
        results = post_batch([from_visitor(visitor, uuid.uuid4().hex) for visitor in visitors])
    finally:
        pre_init.disconnect(count)
    assert all(isinstance(result, Posted) for result in results)
    assert built == []
