"""The host project's settings, looked up once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.signals import setting_changed


class HostSettings:
    """Settings under one prefix, remembered until a test changes them.

    Django answers for a setting that the host does not make by raising and catching an
    exception, and a socket asks for several of them with every frame.
    """

    prefix: str

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        setting_changed.connect(self._forget)

    def _get(self, name: str, default: Any = None) -> Any:
        if name not in self._known:
            self._known[name] = getattr(settings, self.prefix + name, default)
        return self._known[name]

    def _forget(self, **_change: Any) -> None:
        self._known.clear()
