"""Reads Markdown files with front matter as articles. It writes nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf.locale import LANG_INFO
from django.utils.text import slugify

INDEX_VERSION = 1
"""Raised when terms or passages are made otherwise: then every file counts as changed."""
MAX_FILE_BYTES = 1_000_000
SUFFIXES = {".md", ".markdown"}

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_FRONT_LINE = re.compile(r"([A-Za-z_][\w-]*)[ \t]*:[ \t]*(.*?)[ \t]*")
_FIRST_HEADING = re.compile(r"\A\s*#[ \t]+(.+?)[ \t#]*$", re.MULTILINE)


class ArticleFileError(Exception):
    """A file that is no article; its text says why, for the person who runs the import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleFile:
    """One file as an article."""

    key: str
    language: str
    title: str
    body: str
    url: str
    published: bool
    widget_keys: list[str]
    source_path: str
    checksum: str


def find(folder: Path) -> Iterator[Path]:
    """Markdown files in a folder and below, in order; names that begin with . or _ are skipped."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part[0] in "._" for part in path.relative_to(folder).parts)
        if path.suffix.lower() in SUFFIXES and path.is_file() and not hidden:
            yield path


def source_path(path: Path, folder: Path) -> str:
    """How an article remembers its file: the folder's own name and the path below it."""
    return f"{folder.resolve().name}/{path.relative_to(folder).as_posix()}"


def read(path: Path, folder: Path, language: str = "") -> ArticleFile:
    """One file as an article.

    The language is the front matter's, else that of a folder named by a language code (``de/``),
    else ``language``. The key is made from the path without that folder.

    Raises:
        ArticleFileError: unreadable, too large, not UTF-8, empty, or without a language.
    """
    raw = _bytes(path)
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ArticleFileError(f"not UTF-8 text (byte {error.start})") from error
    front, body = _front_matter(text)
    parts = list(path.relative_to(folder).with_suffix("").parts)
    named = next((part for part in parts[:-1] if part.lower() in LANG_INFO), "")
    code = (front.get("language") or named or language).lower().replace("_", "-")
    if not code:
        raise ArticleFileError("no language: use a folder such as en/, front matter or --language")
    key = front.get("key") or slugify("-".join(part for part in parts if part != named))
    heading = _FIRST_HEADING.search(body)
    title = front.get("title") or (heading.group(1).strip() if heading else "")
    if not body.strip():
        raise ArticleFileError("there is no text in it")
    return ArticleFile(
        key=key,
        language=code,
        title=title or parts[-1].replace("-", " ").replace("_", " ").strip().capitalize(),
        body=body.strip() + "\n",
        url=front.get("url", ""),
        published=front.get("published", "true").lower() not in {"false", "no", "0"},
        widget_keys=[part for part in re.split(r"[\s,\[\]\"']+", front.get("widgets", "")) if part],
        source_path=source_path(path, folder),
        checksum=_checksum(raw, code, key),
    )


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ArticleFileError(f"larger than {MAX_FILE_BYTES:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise ArticleFileError(f"cannot be read: {error.strerror or error}") from error


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    match = _FRONT_MATTER.match(text)
    if match is None:
        if text.startswith("---\n"):
            raise ArticleFileError("the front matter has no closing ---")
        return {}, text
    entries: dict[str, str] = {}
    for number, line in enumerate(match.group(1).split("\n"), 2):
        found = _FRONT_LINE.fullmatch(line)
        if found:
            entries[found.group(1).lower()] = found.group(2).strip("\"'")
        elif line.strip() and not line.lstrip().startswith(("#", "-")):
            raise ArticleFileError(f"line {number} of the front matter is not “name: value”")
    return entries, text[match.end() :]


def _checksum(raw: bytes, language: str, key: str) -> str:
    head = f"{INDEX_VERSION}\0{language}\0{key}\0".encode()
    return hashlib.sha256(head + raw).hexdigest()
