"""Saving, deleting and importing articles."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import call_command
from django.db import connection

from bots.actions.articles import (
    MAX_BODY_CHARS,
    delete_article,
    rebuild_index,
    rebuild_passages,
    save_article,
)
from bots.knowledge import index
from bots.knowledge.search import search
from bots.models import Article, Passage, Term
from inbox.errors import RefusedError

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_index(db) -> None:
    """The tables are emptied after a test that commits, the index of SQLite is not."""
    index.clear()


def article(**values) -> Article:
    defaults = {"key": "returns", "language": "en", "title": "Returns", "body": "Return a lamp."}
    return save_article(**(defaults | values))


def counts() -> dict[str, int]:
    return dict(Term.objects.values_list("term", "passages"))


def indexed() -> int:
    """Rows of the full-text index that is written by hand on SQLite."""
    if connection.vendor != "sqlite":
        return Passage.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM frontdesk_bots_passage_index")
        return cursor.fetchone()[0]


def test_saving_an_article_makes_its_passages_and_terms() -> None:
    made = article(body="Return a lamp.\n\n## Deadline\n\nThe lamp must be here in time.")
    assert [str(passage) for passage in made.passages.all()] == [
        f"{made.pk}:0",
        f"{made.pk}:1 Deadline",
    ]
    assert made.passages.get(position=1).heading_terms == "return deadlin"
    assert counts() == {"return": 2, "lamp": 2, "deadlin": 1, "time": 1}
    assert indexed() == 2


@pytest.mark.django_db(transaction=True)
def test_after_flush_articles_are_written_and_found_anew() -> None:
    call_command("flush", interactive=False)
    article(body="Return a lamp.")
    call_command("flush", interactive=False)
    article(body="Opening hours.", title="Hours")
    assert len(search("opening hours", language="en")) == 1
    assert search("return a lamp", language="en") == []


def test_changing_an_article_forgets_what_it_said_before() -> None:
    made = article(body="Return a lamp.")
    article(body="Exchange a shade.", title="Exchange", article=made)
    assert counts() == {"exchang": 1, "shade": 1}
    assert indexed() == 1
    assert search("return a lamp", language="en") == []
    assert Article.objects.get().title == "Exchange"


def test_changing_the_language_moves_the_terms() -> None:
    made = article(language="en")
    article(article=made, language="de", title="Rückgabe", body="Lampe.")
    assert set(Term.objects.values_list("language", "term")) == {("de", "ruckgab"), ("de", "lamp")}


def test_deleting_an_article_leaves_nothing_behind() -> None:
    made = article()
    delete_article(made)
    delete_article(made)
    assert (Article.objects.count(), Passage.objects.count(), counts(), indexed()) == (0, 0, {}, 0)


def test_text_is_stored_as_it_was_meant() -> None:
    made = article(
        key=" Returns ", language="pt_BR", title="  Two \n words ", body="a\r\nb", url=" /x "
    )
    made.refresh_from_db()
    assert (made.key, made.language, made.title, made.body, made.url) == (
        "returns",
        "pt-br",
        "Two words",
        "a\nb",
        "/x",
    )
    assert str(made) == "Two words (pt-br)"


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"body": "a\x00b"}, "invalid_text", "body"),
        ({"body": "a\ud800b"}, "invalid_text", "body"),
        ({"title": "a\udfffb"}, "invalid_text", "title"),
        ({"title": "a\x00"}, "invalid_text", "title"),
        ({"key": "a\x00"}, "invalid_text", "key"),
        ({"url": "/\x00"}, "invalid_text", "url"),
        ({"widget_keys": ["a\x00"]}, "invalid_text", "widget_keys"),
        ({"widget_keys": ["two words"]}, "invalid_field", "widget_keys"),
        ({"body": " \n"}, "invalid_field", "body"),
        ({"body": "a" * (MAX_BODY_CHARS + 1)}, "too_long", "body"),
        ({"title": ""}, "invalid_field", "title"),
        ({"title": "a" * 201}, "invalid_field", "title"),
        ({"key": ""}, "invalid_field", "key"),
        ({"key": "a/b"}, "invalid_field", "key"),
        ({"language": ""}, "invalid_field", "language"),
        ({"language": "english!"}, "invalid_field", "language"),
        ({"language": "en-" + "a" * 20}, "invalid_field", "language"),
        ({"url": "javascript:alert(1)"}, "invalid_field", "url"),
        ({"url": "//evil.example/"}, "invalid_field", "url"),
        ({"url": "/\\evil.example"}, "invalid_field", "url"),
        ({"url": "help/returns"}, "invalid_field", "url"),
        ({"url": "https://a b"}, "invalid_field", "url"),
        ({"url": "/" + "a" * 500}, "invalid_field", "url"),
    ],
)
def test_what_cannot_be_an_article_is_refused_and_nothing_stored(values, code, field) -> None:
    with pytest.raises(RefusedError) as refused:
        article(**values)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert Article.objects.count() == 0


def test_a_key_is_given_once_in_each_language() -> None:
    article()
    article(language="de")
    with pytest.raises(RefusedError) as refused:
        article(body="Another one.")
    assert refused.value.field == "key"
    assert Article.objects.count() == 2
    assert search("another one", language="en", min_score=0.0) == []


def test_an_article_that_is_gone_cannot_be_changed() -> None:
    made = article()
    delete_article(made)
    with pytest.raises(RefusedError) as refused:
        article(article=made)
    assert refused.value.code == "not_found"
    assert Article.objects.count() == 0


def test_rebuilding_mends_what_was_written_past_the_actions() -> None:
    kept, lost = article(), article(key="lost")
    Article.objects.filter(pk=lost.pk).delete()
    Term.objects.update(passages=99)
    Passage.objects.update(body_terms="nonsense")
    assert rebuild_index() == 1
    assert counts() == {"return": 1, "lamp": 1}
    assert indexed() == 1
    assert rebuild_passages([kept, lost]) == 1


@pytest.mark.django_db(transaction=True)
def test_articles_saved_at_once_count_every_term_once() -> None:
    words = ["lamp", "shade", "cable", "socket", "switch", "bulb", "dimmer", "glass", "steel"]

    def write(number: int) -> None:
        try:
            turned = words[number:] + words[:number]
            made = article(key=f"k{number}", body=" ".join(turned))
            article(key=f"k{number}", body=" ".join(turned[:5]), article=made)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    written = counts()
    rebuild_index()
    assert written == counts()
    assert written["return"] == 6
