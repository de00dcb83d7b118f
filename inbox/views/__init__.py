"""Pages of the operators and probes for machines."""

from __future__ import annotations

from inbox.views.commands import set_presence
from inbox.views.health import healthz, metrics, readyz
from inbox.views.page import conversation_page, index, view_page

__all__ = [
    "conversation_page",
    "healthz",
    "index",
    "metrics",
    "readyz",
    "set_presence",
    "view_page",
]
