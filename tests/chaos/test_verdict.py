"""The judgement notices every way in which a promise can be broken."""

from __future__ import annotations

import pytest

from tests.chaos.verdict import Verdict, judge_desk, judge_visitor
from tests.chaos.view import Frame, Took, View

WRITTEN = {"a": "one", "b": "two", "c": "three"}


def user(seq: int, client_id: str, content: str) -> Frame:
    return {
        "type": "message",
        "role": "user",
        "seq": seq,
        "id": f"id-{client_id}",
        "client_id": client_id,
        "content": content,
    }


def bot(seq: int) -> Frame:
    return {"type": "message", "role": "assistant", "seq": seq, "id": f"bot-{seq}"}


JOURNAL = [user(1, "a", "one"), user(2, "b", "two"), bot(3), user(4, "c", "three")]
ACKED = {"a": 1, "b": 2, "c": 4}
WITHOUT_B = [user(1, "a", "one"), bot(2), user(3, "c", "three")]
TWICE_B = [*JOURNAL, user(5, "b", "two")]
SWAPPED = [user(1, "b", "two"), user(2, "a", "one"), bot(3), user(4, "c", "three")]
WITH_HOLE = [user(1, "a", "one"), user(2, "b", "two"), bot(3), user(5, "c", "three")]


@pytest.mark.parametrize(
    ("journal", "acked", "found"),
    [
        (JOURNAL, ACKED, Verdict()),
        (WITHOUT_B, {"a": 1, "c": 3}, Verdict(lost=1)),
        (WITHOUT_B, {"a": 1, "b": 2, "c": 3}, Verdict(lost=1, acked_but_missing=1)),
        (TWICE_B, ACKED, Verdict(doubled=1)),
        (SWAPPED, {"a": 2, "b": 1, "c": 4}, Verdict(out_of_order=2)),
        (WITH_HOLE, {"a": 1, "b": 2, "c": 5}, Verdict(holes=1)),
        (JOURNAL, {"a": 1, "b": 4, "c": 4}, Verdict(acked_but_missing=1)),
        (JOURNAL, {"a": 1, "b": 9, "c": 4}, Verdict(acked_but_missing=1)),
        ([user(1, "a", "won"), *JOURNAL[1:]], ACKED, Verdict(acked_but_missing=1)),
    ],
)
def test_a_journal_is_compared_with_what_the_visitor_knows(journal, acked, found):
    verdict = judge_visitor(
        written=WRITTEN, acked=acked, contradicted=0, refused=(), shown=journal, journal=journal
    )
    assert verdict == found


@pytest.mark.parametrize(("refused", "displaced"), [((), 2), (("a",), 0), (("c",), 2)])
def test_only_a_refused_message_may_stand_behind_the_next(refused, displaced):
    acked = {"a": 2, "b": 1, "c": 4}
    verdict = judge_visitor(
        written=WRITTEN,
        acked=acked,
        contradicted=0,
        refused=refused,
        shown=SWAPPED,
        journal=SWAPPED,
    )
    assert verdict == Verdict(out_of_order=displaced)


def test_an_acknowledgement_that_changes_its_number_is_a_double():
    verdict = judge_visitor(
        written=WRITTEN, acked=ACKED, contradicted=1, refused=(), shown=JOURNAL, journal=JOURNAL
    )
    assert verdict == Verdict(doubled=1)


@pytest.mark.parametrize("shown", [JOURNAL[:-1], [], [*JOURNAL[:2], bot(3) | {"id": "x"}]])
def test_a_screen_that_differs_from_a_fresh_fetch_is_found(shown):
    verdict = judge_visitor(
        written=WRITTEN, acked=ACKED, contradicted=0, refused=(), shown=shown, journal=JOURNAL
    )
    assert verdict == Verdict(differing_views=1)


def test_a_note_that_a_visitor_sees_is_found():
    journal = [*JOURNAL, {"type": "message", "role": "operator", "kind": "note", "seq": 5}]
    verdict = judge_visitor(
        written=WRITTEN, acked=ACKED, contradicted=0, refused=(), shown=JOURNAL, journal=journal
    )
    assert verdict == Verdict(differing_views=1, notes_shown=1)


def test_a_note_that_is_lost_or_doubled_is_found():
    note = {"type": "message", "kind": "note", "client_id": "n"}
    once, twice = [note | {"seq": 1}], [note | {"seq": 1}, note | {"seq": 2}]
    found = [
        judge_desk(notes=notes, shown=journal, journal=journal)
        for notes, journal in [({"n": ""}, once), ({"n": "", "m": ""}, once), ({"n": ""}, twice)]
    ]
    assert found == [Verdict(), Verdict(lost=1), Verdict(doubled=1)]


def test_a_view_shows_in_order_asks_at_a_gap_and_notices_a_contradiction():
    view = View()
    frames = [bot(1), bot(3), bot(2), bot(2), bot(2) | {"id": "other"}, bot(3)]
    took = [view.take(frame) for frame in frames]
    assert took == [Took.NEW, Took.GAP, Took.NEW, Took.KNOWN, Took.KNOWN, Took.NEW]
    assert (view.head, view.gaps, view.contradictions) == (3, 1, [2])
    assert view.frames == [bot(1), bot(2), bot(3)]
