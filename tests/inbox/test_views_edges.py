"""The page and its neighbours when something is missing: the database, the admin, an index."""

from __future__ import annotations

import json

import pytest
from django.db import DatabaseError
from django.test import override_settings
from rest_framework.authtoken.models import Token

from config import urls as project_urls
from inbox import fragments, search
from inbox.templatetags.frontdesk_inbox import initials, web_address
from inbox.testing import (
    make_conversation,
    make_message,
    make_operator,
    make_user,
    make_visitor,
)
from inbox.views import health

pytestmark = pytest.mark.django_db(transaction=True)

urlpatterns = [
    pattern for pattern in project_urls.urlpatterns if "admin" not in str(pattern.pattern)
]


def away(*args, **kwargs):
    raise DatabaseError


def test_readiness_tells_that_the_database_is_away(client, monkeypatch):
    monkeypatch.setattr(health.connection, "cursor", away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "unreachable")


def test_metrics_do_without_the_database(client, monkeypatch):
    monkeypatch.setattr("inbox.models.Conversation.objects.queued", away)
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert b"frontdesk_queue_length" not in answer.content
    assert b"frontdesk_frames_sent" in answer.content


@override_settings(ROOT_URLCONF=__name__)
def test_a_site_without_the_admin_has_no_link_to_it(client):
    conversation = make_conversation()
    client.force_login(make_user(is_superuser=True, is_staff=True))
    html = client.get(f"/inbox/all/{conversation.pk}/").content.decode()
    assert "Transcript in the admin" not in html


def test_a_body_beyond_all_measure_is_too_large(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    conversation = make_conversation()
    token = Token.objects.create(user=make_operator().user)
    answer = client.post(
        f"/api/v1/conversations/{conversation.pk}/messages/",
        json.dumps({"client_id": "a", "content": "x" * 500}),
        content_type="application/json",
        headers={"Authorization": f"Token {token.key}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_an_unknown_database_is_searched_slowly_but_rightly(monkeypatch):
    class Other:
        vendor = "oracle"

    conversation = make_conversation(make_visitor("Vera Kowalska", email="v@shop.example"))
    make_message(conversation, "The lamp arrived broken")
    monkeypatch.setattr(search, "connection", Other)
    rows = type(conversation).objects
    assert rows.filter(search.matching("kowal vera")).distinct().count() == 1
    assert rows.filter(search.matching("arrived broken")).distinct().count() == 1
    assert rows.filter(search.matching("parrot")).count() == 0
    assert rows.filter(search.matching("?!")).count() == 0


def test_the_memory_of_pieces_is_bounded(monkeypatch):
    monkeypatch.setattr(fragments, "REMEMBERED", 2)
    fragments._rendered.clear()
    frame = {"type": "conversation", "conversation_id": "c", "status": "open", "handled_by": "bot"}
    for seq in range(5):
        fragments.thread_fragments({**frame, "seq": seq}, "en")
    assert len(fragments._rendered) == 2
    assert fragments.thread_fragments({**frame, "type": "typing"}, "en") == []


@pytest.mark.parametrize(
    ("status", "handled_by", "words"),
    [
        ("closed", "nobody", "Closed"),
        ("snoozed", "operator", "Snoozed"),
        ("open", "queue", "Waiting for a person"),
        ("open", "bot", "The bot answers"),
        ("open", "nobody", "Nobody answers"),
    ],
)
def test_a_change_is_told_in_words(status, handled_by, words):
    frame = {"conversation_id": "c", "seq": 1, "status": status, "handled_by": handled_by}
    assert words in fragments.render_change(frame)


def test_pieces_speak_the_readers_language():
    frame = {"type": "conversation", "conversation_id": "c", "seq": 1}
    frame |= {"status": "open", "handled_by": "queue"}
    (german,) = fragments.thread_fragments(frame, "de")
    (english,) = fragments.thread_fragments(frame, "en")
    assert "Wartet auf einen Menschen" in german["html"]
    assert "Waiting for a person" in english["html"]
    assert type(german["html"]) is str


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Vera Kowalska", "VK"),
        ("vera", "V"),
        ("Giovanni della Rovere", "GR"),
        ("", "?"),
        ("!", "?"),
    ],
)
def test_a_face_without_a_picture_shows_initials(name, letters):
    assert initials(name) == letters


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://a.example", True),
        ("HTTP://a.example", True),
        ("/help/", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(url, may):
    assert bool(web_address(url)) is may
