"""Saving, deleting and indexing articles: each in one transaction with their passages."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from bots.knowledge import index, term_counts
from bots.knowledge.passages import split
from bots.knowledge.terms import base_language, joined, terms
from bots.models import Article, Passage, Term
from inbox.errors import RefusedError, not_found
from inbox.texts import check_text

MAX_BODY_CHARS = 1_000_000

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,119}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_WIDGET_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


def save_article(
    *,
    key: str,
    language: str,
    title: str,
    body: str,
    url: str = "",
    published: bool = True,
    widget_keys: Sequence[str] = (),
    source_path: str | None = None,
    checksum: str | None = None,
    article: Article | None = None,
) -> Article:
    """Create an article, or change the given one, and make its passages anew.

    Args:
        body: Markdown, at most a million code points.
        url: address of the source link, absolute or beginning with one slash; may be empty.
        widget_keys: widgets that may use it; none means all of them.
        source_path: the file it was imported from; None leaves it as it is.

    Raises:
        RefusedError: ``invalid_text``, ``invalid_field`` or ``too_long`` with the field's name;
            ``not_found`` when the given article is gone.
    """
    values = cleaned(
        key=key, language=language, title=title, body=body, url=url, widget_keys=widget_keys
    )
    values["published"] = published
    values |= {"source_path": source_path} if source_path is not None else {}
    values |= {"checksum": checksum} if checksum is not None else {}
    with transaction.atomic():
        row = _locked(article.pk) if article is not None else Article()
        old_language = row.language
        for name, value in values.items():
            setattr(row, name, value)
        _store(row)
        _rebuild(row, old_language or row.language)
    return row


def cleaned(
    *, key: str, language: str, title: str, body: str, url: str, widget_keys: Sequence[str]
) -> dict[str, Any]:
    """The values as they are stored; a form asks this before it saves.

    Raises:
        RefusedError: as ``save_article``.
    """
    values: dict[str, Any] = {
        "key": key.strip().lower(),
        "language": language.strip().lower().replace("_", "-"),
        "title": " ".join(title.split()),
        "body": body.replace("\r\n", "\n"),
        "url": url.strip(),
        "widget_keys": sorted({item.strip() for item in widget_keys if item.strip()}),
    }
    _check(values)
    return values


def publish_articles(articles: QuerySet[Article], *, published: bool) -> int:
    """Let the bot use these articles, or not; the number of articles changed."""
    changed = articles.exclude(published=published)
    return changed.update(published=published, updated_at=Now())


def delete_article(article: Article) -> None:
    """Remove an article with its passages; one that is gone already is no error."""
    with transaction.atomic():
        row = Article.objects.select_for_update().filter(pk=article.pk).first()
        if row is not None:
            term_counts.change(base_language(row.language), _drop_passages(row), Counter())
            row.delete()


def rebuild_passages(articles: Iterable[Article]) -> int:
    """Make the passages of some articles anew; the number of articles done."""
    done = 0
    for article in articles:
        with transaction.atomic():
            row = Article.objects.select_for_update().filter(pk=article.pk).first()
            if row is not None:
                _rebuild(row, row.language)
                done += 1
    return done


def rebuild_index() -> int:
    """Make all passages, terms and the index anew; the number of articles done.

    Mends what was written past these actions, such as rows deleted by hand.
    """
    with transaction.atomic():
        index.clear()
        Passage.objects.all().delete()
        Term.objects.all().delete()
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        done = 0
        for article in Article.objects.order_by("pk").iterator():
            counts[base_language(article.language)] += term_counts.counted(_cut(article))
            done += 1
        for language, after in sorted(counts.items()):
            term_counts.change(language, Counter(), after)
    return done


def _locked(pk: int) -> Article:
    row: Article | None = Article.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        raise not_found()
    return row


def _store(row: Article) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        message = _("This language has an article with this key already.")
        raise RefusedError("invalid_field", message, field="key") from error


def _rebuild(row: Article, old_language: str) -> None:
    """Replace the passages; terms that stay are not touched, others may be writing them too."""
    old, new = base_language(old_language), base_language(row.language)
    before = _drop_passages(row)
    after = term_counts.counted(_cut(row))
    if old == new:
        term_counts.change(new, before, after)
    else:
        term_counts.change(old, before, Counter())
        term_counts.change(new, Counter(), after)


def _cut(row: Article) -> list[Passage]:
    """Make and index the passages of an article that has none."""
    passages = [
        Passage(
            article=row,
            position=position,
            heading=piece.heading,
            text=piece.text,
            heading_terms=joined(terms(f"{row.title}\n{piece.heading}", row.language)),
            body_terms=joined(terms(piece.text, row.language)),
        )
        for position, piece in enumerate(split(row.body, title=row.title))
    ]
    stored = Passage.objects.bulk_create(passages)
    index.add(stored)
    return stored


def _drop_passages(row: Article) -> Counter[str]:
    """Remove an article's passages; returns what they counted."""
    passages = list(row.passages.all())
    index.remove(passage.pk for passage in passages)
    row.passages.all().delete()
    return term_counts.counted(passages)


def _check(values: dict[str, Any]) -> None:
    for field in ("key", "language", "title", "body", "url"):
        check_text(values[field], field)
    for item in values["widget_keys"]:
        check_text(item, "widget_keys")
    if len(values["body"]) > MAX_BODY_CHARS:
        raise RefusedError("too_long", _("The text is too long."), field="body")
    wrong = {
        "key": not _KEY.fullmatch(values["key"]),
        "language": not _LANGUAGE.fullmatch(values["language"]) or len(values["language"]) > 16,
        "title": not 0 < len(values["title"]) <= 200,
        "body": not values["body"].strip(),
        "url": not _is_address(values["url"]),
        "widget_keys": not all(_WIDGET_KEY.fullmatch(item) for item in values["widget_keys"]),
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            raise RefusedError("invalid_field", field=field)


def _is_address(url: str) -> bool:
    """Whether a visitor may be sent there: never ``javascript:``, never another host by ``//``."""
    if not url:
        return True
    if len(url) > 500 or any(letter.isspace() or letter == "\\" for letter in url):
        return False
    return url.lower().startswith(("https://", "http://")) or re.match(r"/(?!/)", url) is not None
