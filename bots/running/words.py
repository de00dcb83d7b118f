"""Words at the end of a turn: an apology to visitors, a packet for people."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _

from bots.backends.answer import clean
from bots.backends.base import HandOff
from inbox.assignment.lines import language_of
from inbox.assignment.packet import Packet
from inbox.models import Conversation, HandoffReason


def apology(conversation: Conversation, *, person_follows: bool) -> str:
    """A failed answer: honest, and without a promise that nobody made."""
    with translation.override(language_of(conversation)):
        if person_follows:
            return _("I am sorry, I cannot answer this right now.")
        return _(
            "I am sorry, I cannot answer this right now. "
            "Please try again in a moment, or ask for a person."
        )


def packet_of(hand_off: HandOff) -> Packet:
    """A bot's wish to hand over as the packet for people; a model wrote it, so it is cleaned."""
    return Packet(
        reason=HandoffReason.TOOL,
        summary=clean(hand_off.summary or hand_off.reason),
        tried=clean(hand_off.tried),
        question=clean(hand_off.question),
        language=clean(hand_off.language),
        suggested_reply=clean(hand_off.suggested_reply),
    )
