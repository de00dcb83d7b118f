"""Text from outside: what is refused, what lists show."""

from __future__ import annotations

import pytest

from inbox.texts import clip, without_marks


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("**How to** send", "How to send"),
        ("## Returns\n\n1. Log in\n2. Print", "Returns\n\nLog in\nPrint"),
        ("- one\n* two\n> three", "one\ntwo\nthree"),
        ("see [the page](https://example.com/a) and `code`", "see the page and code"),
        ("![a lamp](/lamp.png)", "a lamp"),
        ("2 * 3 = 6 and snake_case stay", "2 * 3 = 6 and snake_case stay"),
        ("_really_ *so*", "really so"),
    ],
)
def test_a_list_shows_words_without_markdown_marks(markdown, words):
    assert without_marks(markdown) == words


def test_a_long_text_is_clipped_to_one_line():
    assert clip("one\n two\x00  three", 100) == "one two three"
    assert clip("x" * 200, 10) == "x" * 9 + "…"
