"""What is away is told once, and once more when it is back."""

from __future__ import annotations

import logging

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError

from inbox import database
from inbox.errors import TryAgainError
from inbox.outages import Outage, is_away, tell
from inbox.realtime.batcher import Batcher

logger = logging.getLogger("frontdesk.test")


class Refused(Exception):
    """What a driver raises when the server answered."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def caused(error: Exception, sqlstate: str) -> Exception:
    error.__cause__ = Refused(sqlstate)
    return error


def test_an_outage_is_one_line_and_its_end_another(caplog):
    outage = Outage(logger, "the lamp")
    outage.back()
    for _ in range(5):
        outage.away(OperationalError("secret"))
    outage.back()
    outage.back()
    outage.away(OperationalError("secret"))
    first, second, third = [record.getMessage() for record in caplog.records]
    assert first == third == "the lamp: away (OperationalError)"
    assert second.startswith("the lamp: back after ")
    assert second.endswith("5 failures")


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (OperationalError("server closed the connection unexpectedly"), True),
        (InterfaceError("connection already closed"), True),
        (caused(OperationalError("the database system is starting up"), "57P03"), True),
        (caused(OperationalError("deadlock detected"), "40P01"), False),
        (caused(OperationalError("lock timeout"), "55P03"), False),
        (caused(OperationalError("statement timeout"), "57014"), False),
        (OperationalError("database is locked"), False),
        (DatabaseError("disk full"), False),
        (ValueError("no database at all"), False),
    ],
)
def test_a_server_that_answered_is_not_away(error, away):
    assert is_away(error) is away


def test_only_a_fault_of_our_own_has_a_traceback(caplog):
    for error in (OperationalError("gone"), ValueError("wrong")):
        tell(logger, "it failed", error)
    assert [bool(record.exc_info) for record in caplog.records] == [False, True]


async def test_a_batcher_tells_of_an_outage_once(caplog):
    answers = [OperationalError("gone")] * 3 + [None]

    def ask(items):
        if (error := answers.pop(0)) is not None:
            raise error
        return items

    batcher = Batcher("pages", ask)
    for _ in range(3):
        with pytest.raises(TryAgainError):
            await batcher.submit("page")
    assert await batcher.submit("page") == "page"
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "the database for pages: away (OperationalError)"
    assert lines[1].startswith("the database for pages: back after")
    assert len(lines) == 2
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_tried_again_and_again_is_told_once(caplog, monkeypatch):
    monkeypatch.setattr(database.time, "sleep", lambda _: None)
    answers = [OperationalError("gone")] * 4

    def change() -> str:
        if answers:
            raise answers.pop()
        return "changed"

    assert database.retrying(change)() == "changed"
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[1].split()[0] for line in lines] == ["away", "back"]
