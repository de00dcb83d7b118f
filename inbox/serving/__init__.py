"""The server process of `frontdesk serve`; nothing else imports it."""

from __future__ import annotations
