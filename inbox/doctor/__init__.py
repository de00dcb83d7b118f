"""What `frontdesk doctor` proves about the core; other apps declare their own checks (ports)."""

from __future__ import annotations
