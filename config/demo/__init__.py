"""The lamp shop around the widget, and what fills it with data."""

from __future__ import annotations
