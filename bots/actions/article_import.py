"""Importing a folder of Markdown files as articles; a bad file never stops the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bots.actions.articles import delete_article, save_article
from bots.knowledge import files
from bots.knowledge.files import ArticleFile, ArticleFileError
from bots.models import Article
from inbox.errors import InboxError


@dataclass(slots=True)
class ImportReport:
    """What became of each file; paths are relative to the folder."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason of files that could not be imported."""


def import_folder(folder: Path, *, language: str = "", prune: bool = False) -> ImportReport:
    """Import every Markdown file of a folder; a second run over the same files changes nothing.

    An article edited in the admin stays as it is until its file changes.

    Args:
        language: for files that name none and stand in no folder named by a language.
        prune: also delete articles imported earlier from this folder whose file is gone.
    """
    report = ImportReport()
    seen: dict[tuple[str, str], str] = {}
    paths = list(files.find(folder))
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            item = files.read(path, folder, language)
            first = seen.setdefault((item.language, item.key), name)
            if first != name:
                raise ArticleFileError(f"has the same key and language as {first}")
            getattr(report, _import_one(item)).append(name)
        except ArticleFileError as error:
            report.refused.append((name, str(error)))
        except InboxError as error:
            report.refused.append((name, f"{error.field}: {error.message}"))
    if prune and paths:
        _prune(folder, {files.source_path(path, folder) for path in paths}, report)
    return report


def _import_one(item: ArticleFile) -> Literal["created", "updated", "unchanged"]:
    """Store one file; returns which list of the report it belongs to."""
    known = _known(item)
    if known is not None and not known.source_path:
        raise ArticleFileError("an article with this key was written by hand; it stays as it is")
    if known is not None and (known.checksum, known.source_path) == (
        item.checksum,
        item.source_path,
    ):
        return "unchanged"
    save_article(
        article=known,
        key=item.key,
        language=item.language,
        title=item.title,
        body=item.body,
        url=item.url,
        published=item.published,
        widget_keys=item.widget_keys,
        source_path=item.source_path,
        checksum=item.checksum,
    )
    return "updated" if known else "created"


def _known(item: ArticleFile) -> Article | None:
    """The article of this key, else the one this file was before its key or language changed."""
    same: Article | None = Article.objects.filter(key=item.key, language=item.language).first()
    return same or Article.objects.filter(source_path=item.source_path).first()


def _prune(folder: Path, present: set[str], report: ImportReport) -> None:
    """Files that were refused are present too: their article stays until they are mended."""
    root = f"{folder.resolve().name}/"
    for article in Article.objects.filter(source_path__startswith=root).order_by("source_path"):
        if article.source_path not in present:
            delete_article(article)
            report.removed.append(article.source_path.removeprefix(root))
