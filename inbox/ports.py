"""What the core asks of other apps, and how it finds them.

An app declares implementations in its ``AppConfig`` as ``frontdesk = {"responders": [...],
"work_sources": [...], "doctor_checks": [...], "panels": [...], "answer_sources": [...],
"closers": [...]}`` (dotted paths); a host project adds its own through ``INBOX_RESPONDERS``,
``INBOX_WORK_SOURCES``, ``INBOX_DOCTOR_CHECKS``, ``INBOX_PANELS`` and ``INBOX_ANSWER_SOURCES``.
The core never imports a sibling app.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol

from django.apps import apps
from django.utils.module_loading import import_string

from inbox.conf import inbox_settings
from inbox.models import Conversation, Message

logger = logging.getLogger("frontdesk.ports")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest:
    """A visitor's message that the router gave to the bot."""

    conversation: Conversation
    """Locked row, with the ownership number that the answer must match."""
    message: Message
    seq: int
    """The message's operators' number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A running answer that a transition has just ended."""

    conversation_id: uuid.UUID
    turn_key: str
    revision: int
    message_id: uuid.UUID
    content: str
    """The last stored checkpoint; what readers were shown may be longer."""
    sources: list[dict[str, str]]
    author_name: str


class Responder(Protocol):
    """Somebody who answers visitors without being a person, such as ``bots``."""

    def is_available(self, bot_key: str) -> bool:
        """Whether a bot of this key is switched on and can be asked now."""

    def respond(self, requests: Sequence[AnswerRequest]) -> None:
        """Record the work, inside the message's transaction; nothing runs yet."""

    def interrupt(
        self, conversation_ids: Iterable[uuid.UUID], outcome: str
    ) -> dict[uuid.UUID, Interrupted]:
        """End unfinished work of these conversations, inside the transition's transaction.

        ``outcome`` is ``cancelled`` or ``handed_over``. Work that never began is dropped and
        not returned; only answers that readers may have seen are.
        """

    def wake(self) -> None:
        """Called after commit when ``respond`` recorded something."""


class WorkSource(Protocol):
    """Rows that come due. The runner claims and runs them on the server's event loop."""

    name: str
    concurrency: int
    """How many claimed rows one process runs at once."""

    def enabled(self) -> bool:
        """Whether this process should claim rows at all (dispatcher settings)."""

    def claim(self, limit: int) -> list[Any]:
        """Lease ``limit`` due rows, or fewer if there are no more; called in a database thread."""

    async def run(self, item: Any) -> bool | None:
        """Do the work of one claimed row; errors are logged by the runner.

        Returns:
            False if nothing else can have come due by its end: the runner then does not look.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a doctor check found."""

    ok: bool
    title: str
    detail: str = ""
    fix: str = ""


class DoctorCheck(Protocol):
    """One thing that ``frontdesk doctor`` proves."""

    def __call__(self) -> Iterable[Finding]:
        """Findings, the good ones included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelContent:
    """A box beside a conversation on the operator's page."""

    title: str
    template: str
    context: dict[str, Any]


class Panel(Protocol):
    """A box that a host project adds beside a conversation."""

    def __call__(self, conversation: Conversation, user: Any) -> PanelContent | None:
        """What to show, or None to stay away. It must not change anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question outside any conversation; nothing of it is stored."""

    query: str
    language: str
    bot_key: str
    widget_key: str = ""
    """Whose knowledge may be used beside what is for everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPart:
    """A piece of a streamed answer, in this order: sources once, texts, then end or error.

    ``data`` is a list of ``{url, title, snippet}``, a stretch of text, "" for the end, or a
    sentence for people, whose stable word is ``code``.
    """

    type: Literal["sources", "text", "end", "error"]
    data: Any = ""
    code: str = ""


class AnswerSource(Protocol):
    """Answers single questions: the same bots as in conversations, without one."""

    def bot_name(self, bot_key: str) -> str | None:
        """The name that visitors read; None when no bot of this key is switched on.

        Called in a database thread.
        """

    def answer(self, question: Question) -> AsyncIterator[AnswerPart]:
        """Stream the answer; closing the iterator stops the work.

        What fails before the first part may raise ``InboxError``; later failures are a part.
        """


class Tracer(Protocol):
    """Somebody who can show how an answer came about, such as ``bots`` with its turns."""

    def __call__(self, dedupe_keys: Sequence[str]) -> dict[str, str]:
        """``dedupe_key`` of messages → address of a page in the admin; the rest is left out."""


def _declared(kind: str, extra: Iterable[str]) -> list[str]:
    paths: list[str] = []
    for config in apps.get_app_configs():
        paths += getattr(config, "frontdesk", {}).get(kind, [])
    return [*paths, *extra]


@cache
def _instance(path: str) -> Any:
    found = import_string(path)
    return found() if isinstance(found, type) else found


def responders() -> list[Responder]:
    """Everybody who answers, in the order of the apps."""
    return [_instance(path) for path in _declared("responders", inbox_settings.RESPONDERS)]


def work_sources() -> list[WorkSource]:
    """Everything whose due rows the runner claims."""
    return [_instance(path) for path in _declared("work_sources", inbox_settings.WORK_SOURCES)]


def doctor_checks() -> list[Callable[[], Iterable[Finding]]]:
    """Everything that ``frontdesk doctor`` asks."""
    return [_instance(path) for path in _declared("doctor_checks", inbox_settings.DOCTOR_CHECKS)]


def panels() -> list[Panel]:
    """Boxes beside a conversation, in order."""
    return [_instance(path) for path in _declared("panels", inbox_settings.PANELS)]


def answer_sources() -> list[AnswerSource]:
    """Everybody who answers single questions; the first that knows the bot is asked."""
    return [_instance(path) for path in _declared("answer_sources", inbox_settings.ANSWER_SOURCES)]


async def close_connections() -> None:
    """Let every app close what it holds open on this event loop; for a graceful stop."""
    for path in _declared("closers", []):
        try:
            await _instance(path)()
        except Exception:
            logger.exception("%s failed while the process was stopping", path)


def trace_urls(dedupe_keys: Sequence[str]) -> dict[str, str]:
    """Where it can be read how each of these messages came about."""
    found: dict[str, str] = {}
    for path in _declared("tracers", []):
        found.update(_instance(path)(dedupe_keys))
    return found
