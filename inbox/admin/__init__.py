"""The reviewer's side: what was said, by whom, on what grounds; people and texts to look after."""

from __future__ import annotations

from inbox.admin.conversation import ConversationAdmin
from inbox.admin.handoff import HandoffAdmin
from inbox.admin.operator import OperatorAdmin
from inbox.admin.team import TeamAdmin
from inbox.admin.texts import CannedReplyAdmin, TagAdmin
from inbox.admin.visitor import VisitorAdmin
from inbox.admin.webhook import WebhookDeliveryAdmin, WebhookEndpointAdmin

__all__ = [
    "CannedReplyAdmin",
    "ConversationAdmin",
    "HandoffAdmin",
    "OperatorAdmin",
    "TagAdmin",
    "TeamAdmin",
    "VisitorAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
]
