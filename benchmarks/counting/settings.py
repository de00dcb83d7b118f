"""Settings of the reference project and one more app."""

from __future__ import annotations

from config.settings import *  # noqa: F403 -- all of them
from config.settings import INSTALLED_APPS as APPS

INSTALLED_APPS = [*APPS, "benchmarks.counting.apps.CountingConfig"]
