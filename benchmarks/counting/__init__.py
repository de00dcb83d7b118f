"""The reference project with a count of its SQL statements in `/metrics`."""

from __future__ import annotations
