"""Cutting a byte stream into events, whatever the network does to it."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.backends.answer import Answer, clean, decode
from bots.backends.base import Delta
from bots.backends.sse import EventSplitter
from bots.errors import BackendError

STREAM = "event: x\ndata: {ä}\n\n: note\n\ndata:two\ndata: lines\nid: 4\n\nretry: 1\n\ndata:\n\n"
EVENTS = ["{ä}".encode(), b"two\nlines", b""]


def fed(data, cuts, limit=1000):
    splitter = EventSplitter(limit)
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(edges)]
    return [event for piece in pieces for event in splitter.feed(piece)]


@given(
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    cuts=st.sets(st.integers(0, len(STREAM.encode()) * 2), max_size=30),
)
def test_events_are_the_same_however_the_stream_is_cut(end, cuts):
    data = STREAM.replace("\n", end).encode()
    # A lone CR at the very end may be half of a CR LF; the next byte tells.
    assert fed(data + b": end", {min(cut, len(data)) for cut in cuts}) == EVENTS


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_single_place_to_cut_is_harmless(end):
    data = STREAM.replace("\n", end).encode() + b": end"
    for cut in range(len(data)):
        assert fed(data, {cut}) == EVENTS
    assert fed(data, set(range(len(data)))) == EVENTS


def test_unfinished_event_is_none():
    assert fed(b"data: whole\n\ndata: half", {3}) == [b"whole"]


@pytest.mark.parametrize("size", [1, 7, 50])
def test_event_above_the_limit_ends_the_attempt(size):
    data = b"data: " + b"x" * 200
    with pytest.raises(BackendError) as caught:
        fed(data, set(range(0, len(data), size)), limit=100)
    assert caught.value.code == "answer_too_long"


def test_rest_behind_a_whole_event_counts_too():
    with pytest.raises(BackendError):
        fed(b"data: a\n\n" + b"x" * 200, set(), limit=100)


@given(st.lists(st.text(alphabet=st.characters(codec=None), max_size=6), max_size=8))
def test_any_text_becomes_text_that_can_be_stored(pieces):
    answer = Answer(10_000)
    deltas = [event.text for piece in pieces for event in answer.add_text(piece)]
    text = "".join(deltas)
    text.encode()
    assert "\x00" not in text
    assert "" not in deltas


def test_two_halves_of_a_character_become_one():
    answer = Answer(100)
    assert answer.add_text("\ud83d") == []
    assert answer.add_text("\udc4b") == [Delta("👋")]


def test_limit_counts_bytes_of_text_and_arguments_together():
    answer = Answer(10)
    answer.add_text("äääk")
    answer.add_arguments("0", "123")
    with pytest.raises(BackendError):
        answer.add_text("x")


def test_invisible_breakage_is_mended():
    assert clean("a\x00b\ud83dc") == "ab\ufffdc"


@pytest.mark.parametrize(
    "payload", [b"", b"nul", b"\xff", b'"text"', b'{"type": 5}', b"[" * 99_999]
)
def test_garbage_is_unreadable(payload):
    class Shape(msgspec.Struct):
        type: str = ""

    with pytest.raises(BackendError) as caught:
        decode(payload, msgspec.json.Decoder(Shape))
    assert (caught.value.code, caught.value.retryable) == ("answer_unreadable", True)
