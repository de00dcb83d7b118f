"""What we sign for browsers."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
import time_machine
from django.core import signing
from django.utils import timezone

from chatwidget import tokens
from chatwidget.tokens import (
    TOKEN_SALT,
    VisitorToken,
    issue_ticket,
    issue_token,
    read_ticket,
    read_token,
)

GUEST = VisitorToken(visitor=uuid.uuid4(), widget="demo", epoch=3)
KNOWN = VisitorToken(visitor=uuid.uuid4(), widget="demo", epoch=0, known=True)


def test_a_token_comes_back_as_it_was():
    assert read_token(issue_token(GUEST)) == GUEST
    assert read_token(issue_token(KNOWN)) == KNOWN


def test_a_ticket_names_its_visitor_and_is_never_the_same_twice():
    first, second = issue_ticket(GUEST), issue_ticket(GUEST)
    ticket = read_ticket(first, timezone.now())
    assert ticket is not None
    assert (ticket.visitor, ticket.widget, ticket.epoch) == (GUEST.visitor, "demo", 3)
    assert first != second


def test_a_ticket_fits_into_a_subprotocol():
    for _ in range(50):
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", issue_ticket(GUEST))


def test_a_token_is_no_ticket_and_a_ticket_is_no_token():
    assert read_ticket(issue_token(GUEST), timezone.now()) is None
    assert read_token(issue_ticket(GUEST)) is None


@pytest.mark.parametrize("read", [read_token, lambda text: read_ticket(text, timezone.now())])
@pytest.mark.parametrize("issue", [issue_token, issue_ticket])
def test_no_flipped_bit_goes_unnoticed(issue, read):
    original = issue(GUEST)
    for index, character in enumerate(original):
        for bit in range(7):
            changed = chr(ord(character) ^ (1 << bit))
            assert read(original[:index] + changed + original[index + 1 :]) is None


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "x", "a.b.c", "é.b.c", "\ud800", "a" * 513, "." * 512, "\x00", "ticket"],
)
def test_rubbish_is_no_token(text):
    assert read_token(text) is None
    assert read_ticket(text, timezone.now()) is None


def test_a_signed_text_that_is_no_object_is_no_token():
    text = signing.TimestampSigner(salt=TOKEN_SALT, sep=".").sign_object([1, 2])
    assert read_token(text) is None


def test_a_truncated_token_is_no_token():
    text = issue_token(GUEST)
    assert all(read_token(text[:length]) is None for length in range(len(text)))


def test_a_guest_is_known_again_for_a_year_and_a_person_for_hours():
    with time_machine.travel(dt.datetime(2030, 1, 1, tzinfo=dt.UTC), tick=False) as clock:
        guest, known = issue_token(GUEST), issue_token(KNOWN)
        clock.shift(dt.timedelta(hours=11))
        assert read_token(known) == KNOWN
        clock.shift(dt.timedelta(hours=2))
        assert read_token(known) is None
        assert read_token(guest) == GUEST
        clock.shift(dt.timedelta(days=365))
        assert read_token(guest) is None


def test_a_ticket_is_late_after_a_minute():
    with time_machine.travel(dt.datetime(2030, 1, 1, tzinfo=dt.UTC), tick=False) as clock:
        ticket = issue_ticket(GUEST)
        clock.shift(59)
        assert read_ticket(ticket, timezone.now()) is not None
        clock.shift(3)
        assert read_ticket(ticket, timezone.now()) is None


def test_no_setting_makes_a_ticket_live_longer(settings):
    settings.CHATWIDGET_TICKET_SECONDS = 600
    assert tokens.ticket_lifetime() == dt.timedelta(seconds=60)


def test_tokens_survive_a_rotated_secret_key(settings):
    settings.SECRET_KEY = "the-old-key-" + "x" * 40
    text = issue_token(GUEST)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the-new-key-" + "y" * 40
    assert read_token(text) == GUEST
    settings.SECRET_KEY_FALLBACKS = []
    assert read_token(text) is None
