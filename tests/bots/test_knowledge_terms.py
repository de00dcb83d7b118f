"""How text becomes terms, and how Markdown becomes passages and statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.knowledge.passages import MAX_PASSAGE_CHARS, MAX_WHOLE_CHARS, sentences, split
from bots.knowledge.plain import plain, statements
from bots.knowledge.spelling import closest, distance
from bots.knowledge.terms import MAX_TERM_CHARS, base_language, fold, stem, terms, words


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("returning", "returns", "en"),
        ("the lamp's", "lamps", "en"),
        ("Rücksendung", "Ruecksendungen", "de"),
        ("Straße", "STRASSE", "de"),
        ("café", "cafe", "nl"),
        ("l’école", "École", "fr"),
        ("ﬁlter", "filter", "en"),
    ],
)
def test_two_forms_of_a_word_are_one_term(one: str, other: str, language: str) -> None:
    assert terms(one, language) == terms(other, language) != []


def test_words_without_meaning_are_no_terms_but_stay_words() -> None:
    assert terms("Can I return it?", "en") == ["return"]
    assert [word.stop for word in words("Can I return it?", "en")] == [True, True, False, True]


def test_scripts_without_spaces_are_cut_into_pairs() -> None:
    assert terms("配送料金", "ja") == ["配送", "送料", "料金"]
    assert terms("猫", "ja") == ["猫"]


def test_vowel_signs_stay_in_their_word() -> None:
    assert len(words("हिन्दी", "hi")) == 1


def test_codes_with_digits_are_not_stemmed() -> None:
    assert terms("E27 IP44 12V", "en") == ["e27", "ip44", "12v"]


def test_a_language_without_a_stemmer_is_folded_only() -> None:
    assert stem("größen", "xx") == "grossen"


@pytest.mark.parametrize(
    ("code", "base"),
    [("de-AT", "de"), ("pt_BR", "pt"), (" EN ", "en"), ("", ""), ("d%e", ""), ("de\x00", "")],
)
def test_only_a_language_code_has_a_base(code: str, base: str) -> None:
    assert base_language(code) == base


@given(st.text(max_size=200), st.sampled_from(["en", "de", "fr", "ja", "hi", ""]))
def test_terms_of_any_text_are_safe_to_index(text: str, language: str) -> None:
    for term in terms(text, language):
        assert term
        assert len(term) <= MAX_TERM_CHARS
        assert not set(term) & set("\"'\\ \x00\t\n*()|&!:")
        term.encode()


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_an_article_is_cut_at_its_headings() -> None:
    body = (
        "# Returns\n\nIntro.\n\n## Deadline\n\n30 days.\n\n### Abroad\n\n40 days.\n\n## Costs\n\n0"
    )
    assert [(piece.heading, piece.text) for piece in split(body, title="Returns")] == [
        ("", "Intro."),
        ("Deadline", "30 days."),
        ("Deadline › Abroad", "40 days."),
        ("Costs", "0"),
    ]


def test_long_paragraphs_are_cut_between_sentences() -> None:
    body = "This sentence is here again. " * 80
    pieces = split(body)
    assert len(pieces) == 3
    assert all(len(piece.text) <= MAX_PASSAGE_CHARS for piece in pieces)
    assert all(piece.text.endswith("again.") for piece in pieces)


def test_a_list_is_cut_between_its_items() -> None:
    items = [f"- item {number} " + "word " * 20 for number in range(20)]
    pieces = split("\n".join(items))
    assert len(pieces) > 1
    assert all(piece.text.startswith("- item") for piece in pieces)
    assert sum(piece.text.count("- item") for piece in pieces) == 20


def test_tables_and_code_stay_whole_up_to_several_times_the_size() -> None:
    table = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 150
    code = "```\n" + "line\n" * 300 + "```"
    pieces = split(f"{table}\n{code}")
    assert [piece.text for piece in pieces] == [table.strip(), code]
    endless = split("```\n" + "line\n" * MAX_WHOLE_CHARS + "```")
    assert all(len(piece.text) <= MAX_PASSAGE_CHARS for piece in endless)


def test_one_word_without_end_is_cut_hard() -> None:
    assert [len(piece.text) for piece in split("q" * 2000)] == [900, 900, 200]


@pytest.mark.parametrize("body", ["", "   \n", "# Only a heading", "***"])
def test_an_article_without_text_has_no_passages(body: str) -> None:
    assert split(body) == []


@given(st.text(max_size=300))
def test_any_markdown_can_be_cut_and_read(body: str) -> None:
    for piece in split(body, title="T"):
        assert piece.text.strip()
        assert len(piece.text) <= MAX_WHOLE_CHARS
    plain(body)


def test_an_abbreviation_ends_no_sentence() -> None:
    assert sentences(
        "It takes approx. 3 days. Then it is here! (Good?) **Yes.** Und z. B. Lampen."
    ) == [
        "It takes approx. 3 days.",
        "Then it is here!",
        "(Good?)",
        "**Yes.**",
        "Und z. B. Lampen.",
    ]


def test_statements_tell_lists_tables_and_code_apart() -> None:
    text = """
One. **Two** [here](/x).

3. First
4. Second
   - nested

   more

| Country | Days |
|---|---|
| Austria | 3 |
| | |

```
code
```
"""
    found = [(one.kind, one.marker, one.text) for one in statements(text)]
    assert found == [
        ("sentence", "", "One."),
        ("sentence", "", "**Two** [here](/x)."),
        ("item", "3. ", "First"),
        ("item", "4. ", "Second"),
        ("item", "   - ", "nested"),
        ("item", "   ", "more"),
        ("row", "- ", "Austria – Days: 3"),
        ("code", "", "```\ncode\n```"),
    ]


def test_plain_text_has_no_marks_and_no_headings() -> None:
    assert plain("## Head\n\nA **b** `c`\n[d](/x) <b>e</b>") == "A b c d <b>e</b>"


@pytest.mark.parametrize(
    ("one", "other", "mistakes"),
    [("return", "retrun", 1), ("lamp", "lamp", 0), ("abc", "abcd", 1), ("abcd", "wxyz", 3)],
)
def test_mistakes_are_counted_up_to_the_limit(one: str, other: str, mistakes: int) -> None:
    assert distance(one, other, 2) == mistakes


def test_a_typing_mistake_finds_the_word_that_was_meant() -> None:
    known = {"return": 5, "refund": 3, "warranti": 2, "item": 1, "lamp": 9}
    assert closest("retrun", known) == "return"
    assert closest("warrenty", known) == ""
    assert closest("warrenti", known) == "warranti"
    assert closest("itme", known) == "item"
    assert closest("camp", known) == ""
    assert closest("chandleier", {"chandeli": 1}) == "chandeli"
    assert closest("chrysanthemum", {"chandeli": 1}) == ""
    assert closest("e27", {"e14": 1}) == ""
    assert closest("zeppelin", known) == ""
