"""The registry of backends: an alias becomes one shared instance per process.

Aliases come from ``BOTS_BACKENDS``; ``offline``, ``responses``, ``chat`` and ``scripted`` are
built in and may be given other options there.
"""

from __future__ import annotations

import difflib
import threading
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from bots.backends.base import Backend
from bots.conf import bots_settings

BUILT_IN = {
    "offline": "bots.backends.offline.OfflineBackend",
    "responses": "bots.backends.responses.ResponsesBackend",
    "chat": "bots.backends.chat.ChatBackend",
    "scripted": "bots.backends.scripted.ScriptedBackend",
}

_made: dict[str, tuple[dict[str, Any], Backend]] = {}
_lock = threading.Lock()


def backend_entries() -> dict[str, dict[str, Any]]:
    """Every alias with its ``{"BACKEND", "OPTIONS"}``, the built-in ones included."""
    entries: dict[str, dict[str, Any]] = {
        alias: {"BACKEND": path, "OPTIONS": {}} for alias, path in BUILT_IN.items()
    }
    for alias, entry in bots_settings.BACKENDS.items():
        entries[alias] = {**entries.get(alias, {"OPTIONS": {}}), **entry}
    return entries


def get_backend(alias: str = "") -> Backend:
    """The backend of this alias, or of ``BOTS_BACKEND``; the same one until settings change.

    Raises:
        ImproperlyConfigured: no such alias, or its class cannot be imported or made.
    """
    alias = alias or bots_settings.BACKEND
    entry = backend_entries().get(alias)
    if entry is None:
        raise ImproperlyConfigured(_unknown(alias))
    with _lock:
        known = _made.get(alias)
        if known is None or known[0] != entry:
            known = _made[alias] = (entry, _make(alias, entry))
        return known[1]


async def close_backends() -> None:
    """Close what backends hold open on the running event loop; for a graceful stop."""
    with _lock:
        backends = [backend for _, backend in _made.values()]
    for backend in backends:
        await backend.aclose()


def _make(alias: str, entry: dict[str, Any]) -> Backend:
    if "BACKEND" not in entry:
        raise ImproperlyConfigured(f"BOTS_BACKENDS[{alias!r}] names no BACKEND.")
    try:
        cls = import_string(entry["BACKEND"])
    except ImportError as exc:
        raise ImproperlyConfigured(
            f"BOTS_BACKENDS[{alias!r}] names {entry['BACKEND']!r}, which cannot be imported: {exc}"
        ) from exc
    if not (isinstance(cls, type) and issubclass(cls, Backend)):
        raise ImproperlyConfigured(
            f"BOTS_BACKENDS[{alias!r}] names {entry['BACKEND']!r}, which is no "
            "bots.backends.base.Backend."
        )
    try:
        return cls(**entry.get("OPTIONS", {}))
    except TypeError as exc:
        raise ImproperlyConfigured(f"OPTIONS of BOTS_BACKENDS[{alias!r}]: {exc}") from exc


def _unknown(alias: str) -> str:
    known = sorted(backend_entries())
    close = difflib.get_close_matches(alias, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"There is no bot backend {alias!r}.{hint} Known: {', '.join(known)}."
