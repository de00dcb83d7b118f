"""What this process is for, as far as due work is concerned."""

from __future__ import annotations

from typing import Literal

Role = Literal["server", "worker"]

_role: Role = "server"


def become(role: Role) -> None:
    """Say it once, before the event loop starts (``frontdesk worker`` does)."""
    global _role
    _role = role


def role() -> Role:
    """``server`` unless this is a ``frontdesk worker``."""
    return _role
