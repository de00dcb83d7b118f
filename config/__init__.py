"""The reference project: a small shop with Frontdesk in it; never part of the wheel."""

from __future__ import annotations
