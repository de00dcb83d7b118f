"""The tests: per app, whole journeys, the browser, the package."""

from __future__ import annotations
