"""Who a tool is called for: made by the server, never by a model."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Handed to a tool that asks for it. Every id in it is the server's own knowledge."""

    conversation_id: uuid.UUID
    visitor_id: int
    visitor_external_id: str = ""
    """``user:<pk>``, ``jwt:<sub>`` or empty for a guest."""
    user: Any = None
    """The host's user when the visitor is signed in, else None."""
    widget_key: str = ""
    page_url: str = ""
    """Claimed by the visitor's browser."""
    language: str = ""
