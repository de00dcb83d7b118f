"""Rows of the core. Every write to them goes through ``inbox.actions``."""

from __future__ import annotations

from inbox.models.attachment import Attachment
from inbox.models.canned_reply import CannedReply
from inbox.models.conversation import Conversation, HandledBy, Status
from inbox.models.event import Event, EventKind
from inbox.models.handoff import Handoff, HandoffReason
from inbox.models.installation import Installation
from inbox.models.message import Message, MessageKind, Role
from inbox.models.operator import Operator
from inbox.models.read_marker import ReadMarker
from inbox.models.tag import Tag
from inbox.models.team import Holiday, OpeningHours, Team
from inbox.models.visitor import Visitor
from inbox.models.webhook import WebhookDelivery, WebhookEndpoint

__all__ = [
    "Attachment",
    "CannedReply",
    "Conversation",
    "Event",
    "EventKind",
    "HandledBy",
    "Handoff",
    "HandoffReason",
    "Holiday",
    "Installation",
    "Message",
    "MessageKind",
    "OpeningHours",
    "Operator",
    "ReadMarker",
    "Role",
    "Status",
    "Tag",
    "Team",
    "Visitor",
    "WebhookDelivery",
    "WebhookEndpoint",
]
