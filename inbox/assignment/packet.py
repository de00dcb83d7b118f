"""The hand-off packet: what a person needs to go on where the bot stopped.

What the bot's tool did not say is extracted from the conversation itself; no model is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inbox.actions.journal import Journal
from inbox.assignment import lines
from inbox.assignment.wishes import asks_for_person
from inbox.conf import inbox_settings
from inbox.models import Conversation, Event, Handoff, Message, Role
from inbox.texts import clip

LOOK_BACK = 30
"""Messages that the extraction reads."""
ANSWERS = 3
TURNS_IN_SUMMARY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A hand-off's content; empty fields are filled from the conversation."""

    reason: str
    """A ``HandoffReason``."""
    summary: str = ""
    tried: str = ""
    question: str = ""
    language: str = ""
    suggested_reply: str = ""


def complete(packet: Packet, conversation: Conversation, said: Sequence[Message]) -> Packet:
    """Fill what is empty.

    Args:
        said: the conversation's visible messages in order, those of this transaction included.
    """
    question = packet.question or _open_question(said)
    return replace(
        packet,
        question=question,
        summary=packet.summary or _summary(said),
        tried=packet.tried or _tried(said),
        language=packet.language or conversation.language,
        suggested_reply=packet.suggested_reply
        or lines.suggested_reply(conversation, clip(question, 140)),
    )


def store(packet: Packet, conversation: Conversation, *, seq: int) -> Handoff:
    """Write the packet inside the transition's transaction; ``seq`` is the transition's event."""
    return Handoff.objects.create(
        conversation=conversation,
        seq=seq,
        reason=packet.reason,
        summary=packet.summary,
        tried=packet.tried,
        question=packet.question,
        language=packet.language[:16],
        suggested_reply=packet.suggested_reply,
    )


def said_so_far(conversation: Conversation, journal: Journal | None = None) -> list[Message]:
    """The latest visible messages in order, those that the journal is about to add included."""
    events = (
        Event.objects.filter(
            conversation=conversation, message__isnull=False, visitor_seq__isnull=False
        )
        .select_related("message")
        .order_by("-seq")[:LOOK_BACK]
    )
    stored = [event.message for event in events if event.message is not None]
    stored.reverse()
    pending = journal.pending_messages(conversation) if journal else []
    return [*stored, *(message for message in pending if not message.is_note)]


def unanswered_words(said: Sequence[Message]) -> list[str]:
    """What the visitor wrote since somebody last answered, the newest first; if that is
    nothing, the last thing the visitor wrote."""
    words: list[str] = []
    for message in reversed(said):
        if message.role == Role.USER:
            words.append(message.content)
        elif words or message.role == Role.OPERATOR:
            break
    return words or [m.content for m in reversed(said) if m.role == Role.USER][:1]


def _open_question(said: Sequence[Message]) -> str:
    words = [message.content for message in reversed(said) if message.role == Role.USER]
    keywords = inbox_settings.HUMAN_KEYWORDS
    # "A human, please" is how they asked, not what they want to know.
    questions = [text for text in words if text.strip() and not asks_for_person(text, keywords)]
    return clip((questions or words or [""])[0], 1000)


def _tried(said: Sequence[Message]) -> str:
    answers = [m for m in said if m.role == Role.ASSISTANT and m.content.strip()]
    return "\n".join(f"- {clip(answer.content, 300)}" for answer in answers[-ANSWERS:])


def _summary(said: Sequence[Message]) -> str:
    turns = [m for m in said if m.role != Role.SYSTEM and m.content.strip()]
    return "\n".join(
        f"{message.author_name or message.get_role_display()}: {clip(message.content, 200)}"
        for message in turns[-TURNS_IN_SUMMARY:]
    )
