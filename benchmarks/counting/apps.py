"""Counts what every connection executes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from prometheus_client import Counter

statements = Counter("benchmark_statements", "SQL statements")


class CountingConfig(AppConfig):
    """Installs the counter."""

    name = "benchmarks.counting"
    label = "benchmark_counting"

    def ready(self) -> None:
        """Wrap every connection from its first statement on."""
        connection_created.connect(_wrap)


def _wrap(connection: Any, **_: Any) -> None:
    if _count not in connection.execute_wrappers:
        connection.execute_wrappers.append(_count)


def _count(execute: Callable[..., Any], *call: Any) -> Any:
    statements.inc()
    return execute(*call)
